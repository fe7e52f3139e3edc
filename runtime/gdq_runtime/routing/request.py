"""What a user asks for: one object from the command, or the caller, to the router."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, TypedDict, get_args

from gdq_core.bit_widths import BIT_WIDTHS, BitWidth
from gdq_core.errors import RequestError
from gdq_runtime.tiles.tiling import POLICIES, Policy

Bits = BitWidth | Literal["auto"]
"""The predictor's choice for each tile, or one bit-width for all tiles."""

FlatTilesChoice = Literal["interpolate", "network"]
"""What happens to tiles that interpolation upscales as well as the network does."""


class Choices(TypedDict, total=False):
    """The fields of a request that may differ from picture to picture, as keyword arguments."""

    bits: Bits
    fab: float | None
    fab_cap: float | None
    max_loss: float | None
    flat_tiles: FlatTilesChoice | None
    speed: float | None
    max_seconds: float | None


@dataclass(frozen=True)
class Request:
    """How pictures shall be upscaled; at most one of the dials is given.

    The dials are ``bits``, ``fab``, ``max_loss``, ``speed`` and ``max_seconds``.

    Attributes:
        bits: "auto" for the predictor's choice per tile, or one bit-width for all tiles.
        fab: mean bit-width that the network may spend on its tiles. Bundles with statistics meet
            it in the long run, over tiles and pictures; those with a gate in every picture; those
            of two networks refuse it, as it says nothing of what they cost.
        max_loss: largest expected loss of PSNR below all tiles at the largest bit-width, in dB as
            calibrated; as little time as that allows is spent, or bits where times are not known.
        flat_tiles: "interpolate" or "network"; None interpolates flat tiles unless one bit-width
            is asked for, the policy is the paper's, or ``max_loss`` has no room for it.
        policy: how pictures are cut, see ``gdq_runtime.tiles.tiling``.
        speed: processor time of all tiles at the largest bit-width over that of the picture's
            tiles, at least, by the costs of this device; 1 or more. What loses least is chosen.
        max_seconds: that a picture may take, by the same costs; what loses least is chosen.
        fab_cap: largest mean bit-width of the tiles that the network runs, in every picture; 4 to
            8, and only of bundles with statistics.

    Raises:
        RequestError: on construction, when fields contradict each other or leave their range.

    """

    bits: Bits = "auto"
    fab: float | None = None
    max_loss: float | None = None
    flat_tiles: FlatTilesChoice | None = None
    policy: Policy = "uniform"
    speed: float | None = None
    max_seconds: float | None = None
    fab_cap: float | None = None

    def __post_init__(self) -> None:
        _check_choice("bits", self.bits, ("auto", *BIT_WIDTHS))
        _check_number("fab", self.fab)
        _check_number("max-loss", self.max_loss)
        _check_number("speed", self.speed, least=1)
        _check_number("max-seconds", self.max_seconds)
        _check_number("fab-cap", self.fab_cap)
        _check_choice("flat-tiles", self.flat_tiles, (None, *get_args(FlatTilesChoice)))
        _check_choice("policy", self.policy, POLICIES)
        dials = (self.fab, self.max_loss, self.speed, self.max_seconds)
        if (self.bits != "auto") + sum(dial is not None for dial in dials) > 1:
            raise RequestError(
                "give only one of bits, fab, max-loss, speed and max-seconds: each decides alone"
            )
        if self.asks_for_time and self.policy != "uniform":
            raise RequestError(
                f"speed and max-seconds need tiles of one size: leave policy {self.policy!r} out"
            )
        self._check_cap()

    @property
    def asks_for_time(self) -> bool:
        """Whether the dial is turned in time, so that the costs of this device decide."""
        return self.speed is not None or self.max_seconds is not None

    def _check_cap(self) -> None:
        if self.fab_cap is None:
            return
        if self.bits != "auto":
            raise RequestError("fab-cap bounds what the predictor chooses: leave bits out")
        if self.asks_for_time:
            raise RequestError("fab-cap bounds bits, speed and max-seconds time: give one of them")
        if self.fab_cap < BIT_WIDTHS[0]:
            raise RequestError(
                f"fab-cap {self.fab_cap} cannot be kept: tiles have {BIT_WIDTHS[0]} bits or more"
            )
        if self.fab is not None and self.fab > self.fab_cap:
            raise RequestError(f"fab {self.fab} is above fab-cap {self.fab_cap}")


def _check_choice(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    # Types first: an array would answer a comparison with an array, and True equals 1.
    comparable = isinstance(value, str | Integral | None) and not isinstance(value, bool)
    if not comparable or value not in choices:
        *others, last = (repr(choice) for choice in choices if choice is not None)
        raise RequestError(f"{name} must be {', '.join(others)} or {last}, not {value!r}")


def _check_number(name: str, value: Any, least: float = 0) -> None:
    if value is None:
        return
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value) and value >= least):
        raise RequestError(f"{name} must be a number of at least {least}, not {value!r}")
