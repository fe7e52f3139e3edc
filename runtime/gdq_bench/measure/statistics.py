"""Median and quartiles: what a few disturbed measurements can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field


class Spread(BaseModel):
    """Where the samples of all rounds lie."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    rounds: Annotated[int, Field(ge=1)]
    median: float
    lower: Annotated[float, Field(description="first quartile")]
    upper: Annotated[float, Field(description="third quartile")]
    smallest: float

    @property
    def relative(self) -> float:
        """Distance of the quartiles over the median."""
        return (self.upper - self.lower) / self.median


def spread_of(samples: Sequence[float]) -> Spread:
    """Summarise at least one sample; quartiles between two samples are interpolated linearly."""
    lower, middle, upper = np.percentile(samples, (25, 50, 75)).tolist()
    return Spread(
        rounds=len(samples), median=middle, lower=lower, upper=upper, smallest=min(samples)
    )
