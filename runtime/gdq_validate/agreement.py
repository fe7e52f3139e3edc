"""How far an implementation's pictures are from another's: level 3 of docs/numerics.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, computed_field

from gdq_core.errors import BundleError
from gdq_runtime.bundle.manifest import GoldenTile
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine

LARGEST_SHARE = 1e-3
"""Of samples that may differ by more than one."""

OWN_ROUNDING = frozenset({"gdq"})
"""Engines that round less than the graphs say, so that only decisions can be held to others'.

The export compares their pictures with torch's.
"""


class Agreement(BaseModel):
    """An engine against a reference, over all samples of all pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: str
    accelerator: Annotated[str, Field(description="what the engine really ran on")]
    reference: Annotated[str, Field(description="golden tiles, or another engine and its pictures")]
    differences: Annotated[dict[int, int], Field(description="gray levels apart -> samples")]
    tiles: int
    same_bit_width: Annotated[int, Field(description="tiles that got the reference's bit-width")]

    @property
    def samples(self) -> int:
        """Number of samples compared."""
        return sum(self.differences.values())

    @computed_field  # type: ignore[prop-decorator]
    @property
    def equal(self) -> float:
        """Share of samples that are the same."""
        return self.differences.get(0, 0) / self.samples

    @computed_field  # type: ignore[prop-decorator]
    @property
    def beyond_one(self) -> float:
        """Share of samples that differ by more than one."""
        return sum(n for apart, n in self.differences.items() if apart > 1) / self.samples

    @computed_field  # type: ignore[prop-decorator]
    @property
    def largest(self) -> int:
        """Largest difference, 0..255."""
        return max(self.differences)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def holds(self) -> bool:
        """Whether the contract is kept: same bit-widths, and nearly all samples within one.

        The latter is not asked of engines with a rounding of their own.
        """
        is_near = self.engine in OWN_ROUNDING or self.beyond_one <= LARGEST_SHARE
        return is_near and self.same_bit_width == self.tiles


def count_differences(
    pairs: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
) -> dict[int, int]:
    """Count, over pairs of equal shape, how many samples are how many gray levels apart."""
    counts = np.zeros(256, dtype=np.int64)
    for one, other in pairs:
        apart = np.abs(one.astype(np.int16) - other)
        counts += np.bincount(apart.reshape(-1), minlength=256)
    return {int(apart): int(counts[apart]) for apart in np.flatnonzero(counts)}


def compare_with_golden(bundle: Bundle, golden: Sequence[GoldenTile], engine: Engine) -> Agreement:
    """Run the golden tiles of a bundle.

    Args:
        bundle: in which the tiles lie.
        golden: tiles and expected outputs.
        engine: open on the bundle.

    Raises:
        BundleError: there is no golden tile, or one is no picture.

    """
    if not golden:
        raise BundleError(f"{bundle.path} holds no golden tiles to compare with")
    inputs = [read_picture(bundle.path / tile.tile) for tile in golden]
    pairs = (
        (engine.run(int(width), tile), read_picture(bundle.path / expected))
        for entry, tile in zip(golden, inputs, strict=True)
        for width, expected in entry.outputs.items()
    )
    decisions = zip(golden, inputs, strict=True)
    return Agreement(
        engine=engine.name,
        accelerator=engine.accelerator_used,
        reference="golden tiles",
        differences=count_differences(pairs),
        tiles=len(golden),
        same_bit_width=sum(
            engine.predict(tile).bit_width == entry.bit_width for entry, tile in decisions
        ),
    )


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a golden tile or an output: (height, width, 3), RGB.

    Raises:
        BundleError: it is not there, or no picture.

    """
    picture = cv2.imread(str(path))
    if picture is None:
        raise BundleError(f"cannot read the golden tile {path}")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
