"""Errors of a picture's tiles on every route, so that the loss of any bit map can be told."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.fidelity import squared_error
from gdq_core.pictures.rows import ArraySink, ArraySource
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.routing.router import Router
from gdq_runtime.tile_runner import TileRunner
from gdq_runtime.tiles.tiling import TilePlan
from gdq_runtime.tiles.workers import Workers
from gdq_runtime.timings import Stopwatch

Picture = NDArray[np.uint8]

SMALLEST_ERROR: Final = 1e-3
"""Squared gray levels; a picture that the network reproduces exactly has nothing to lose from."""


@dataclass(frozen=True, eq=False)
class PictureErrors:
    """What each tile adds to the mean squared error (luma) of its picture.

    Tiles own disjoint parts of a picture, so the error of any bit map is the sum over its tiles.

    Attributes:
        routes: R of them, ascending by number; see ``gdq_core.bit_widths``.
        largest: the route that losses are below.
        added: (tiles, R), squared gray levels.

    """

    routes: tuple[int, ...]
    largest: int
    added: NDArray[np.float64]

    @cached_property
    def fixed(self) -> NDArray[np.float64]:
        """(R,), the picture's error with all tiles on one route."""
        return np.asarray(self.added.sum(axis=0), np.float64)

    @cached_property
    def unit(self) -> float:
        """The error that losses are relative to."""
        return max(float(self.fixed[self.routes.index(self.largest)]), SMALLEST_ERROR)

    def of_bit_map(self, bit_map: NDArray[np.uint8]) -> float:
        """Return the picture's error if its tiles are routed so."""
        columns = np.searchsorted(self.routes, bit_map.reshape(-1))
        return float(self.added[np.arange(len(columns)), columns].sum())

    def loss(self, error: float) -> float:
        """Return dB of PSNR below all tiles on the largest route."""
        return float(10 * np.log10(max(error, SMALLEST_ERROR) / self.unit))


def measure_errors(
    bundle: Bundle, engine: Engine, workers: Workers, low: Picture, truth: Picture
) -> PictureErrors:
    """Upscale a picture on every route, by interpolation too.

    Args:
        bundle: of one network or two.
        engine: open on it.
        workers: threads for the tiles.
        low: (height, width, 3).
        truth: larger by the scale.
    """
    scale, tiling = bundle.manifest.network.scale, bundle.manifest.tiling
    plan = TilePlan(low.shape[1], low.shape[0], tiling.size, tiling.overlap)
    routes = (INTERPOLATED, *sorted(bundle.routes))
    added = []
    for route in routes:
        sink = ArraySink(*truth.shape)
        router = Router(routes, forced=route)
        TileRunner(engine, workers, router, scale, Stopwatch(), None).run(
            ArraySource(low), sink, plan
        )
        added.append(_share_out(squared_error(sink.image, truth), plan, scale))
    return PictureErrors(routes, bundle.bit_widths[-1], np.stack(added, axis=1))


def _share_out(errors: NDArray[np.float64], plan: TilePlan, scale: int) -> NDArray[np.float64]:
    """Sum the errors of what each tile owns, without the border that PSNR leaves out."""
    inner = np.zeros_like(errors)
    counted = np.s_[scale:-scale, scale:-scale]
    inner[counted] = errors[counted] / errors[counted].size
    firsts = [[span.own_start * scale for span in spans] for spans in (plan.rows, plan.columns)]
    by_row = np.add.reduceat(inner, firsts[0], axis=0)
    return np.add.reduceat(by_row, firsts[1], axis=1).reshape(-1)
