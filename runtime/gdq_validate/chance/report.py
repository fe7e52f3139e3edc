"""Schema of a comparison with chance, as written to JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Spent(_Model):
    fab: Annotated[float, Field(description="mean bits of the tiles that a network runs")]
    milliseconds_per_tile: Annotated[
        float | None,
        Field(description="processor time on this device, as kept; null if not known"),
    ]
    loss_db: Annotated[float, Field(description="PSNR below all tiles at the largest width")]


class FixedRoute(_Spent):
    """All tiles on one route."""

    route: Annotated[int, Field(description="bit-width; 64 more on a small network")]


class RoutedPoint(_Spent):
    """A position of the dial, beside chance and an oracle that spend as much."""

    dial: Annotated[str, Field(description="the option that asks for it")]
    chance_db: Annotated[
        float, Field(description="loss of the best mixture of two routes, drawn for each tile")
    ]
    oracle_db: Annotated[float, Field(description="loss if every tile's errors were known")]
    of_chance: Annotated[
        float | None, Field(description="loss over that of chance; null if chance loses nothing")
    ]
    interval: Annotated[
        tuple[float, float] | None,
        Field(description="95 % of it, from pictures drawn with replacement"),
    ]


class AgainstChance(_Model):
    """Losses of a set: means over pictures, at equal bits and at equal time."""

    fixed: list[FixedRoute]
    by_bits: Annotated[
        list[RoutedPoint],
        Field(description="no tile interpolated, equal FAB; none of two networks"),
    ]
    by_time: Annotated[
        list[RoutedPoint], Field(description="as users route, equal time; none if not known")
    ]
