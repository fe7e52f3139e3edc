"""What routes the tiles of a picture by heads, of one network or of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.pair_dial import PairPosition
from gdq_runtime.routing.price_control import PriceControl
from gdq_runtime.routing.price_dial import PricePosition


class SensedTile(Protocol):
    """What heads say of a tile: ``Sensitivity``, or ``PairSensitivity`` of two networks."""

    @property
    def error(self) -> int:
        """Of the network that losses are relative to."""


Tile = TypeVar("Tile", bound=SensedTile)
_Judged = TypeVar("_Judged", bound=SensedTile, contravariant=True)


class RouteRule(Protocol[_Judged]):
    """What a tile loses on each route: ``SensitivityRule``, or ``PairRule`` of two networks."""

    def is_flat(self, tile: _Judged, picture_level: int) -> bool:
        """Tell whether interpolation serves a tile as well."""

    def loss(self, tile: _Judged, picture_level: int, route: int) -> float:
        """Return what a tile loses, in dB of its picture."""


class RoutedPicture(Protocol[_Judged]):
    """The tiles of one picture, band after band."""

    def read(self, band: Sequence[_Judged]) -> None:
        """Take in the tiles of a band."""

    def decide(self, band: Sequence[_Judged]) -> list[int]:
        """Return routes, or ``INTERPOLATED``, for the tiles of a band that was read."""


class PictureRouting(Protocol[Tile]):
    """Begins pictures; its price lives on from picture to picture."""

    @property
    def control(self) -> PriceControl:
        """The price."""

    def with_control(self, control: PriceControl) -> PictureRouting[Tile]:
        """Return the same at another price."""

    def sense(self, tile: NDArray[np.uint8], /) -> Tile:
        """Return the heads of a (height, width, 3) tile."""

    def position(self, costs: Costs | None) -> PricePosition | PairPosition:
        """Return where the dial stands, given the costs that bits are exchanged by."""

    def open_picture(self, tiles: int) -> RoutedPicture[Tile]:
        """Begin a picture of so many tiles."""
