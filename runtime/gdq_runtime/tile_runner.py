"""Run the tiles of one picture through the engine, in parallel, keeping their order."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.interpolation import interpolate
from gdq_core.pictures.rows import RowSink, RowSource
from gdq_runtime.engines.base import Engine
from gdq_runtime.routing.budget import Budget
from gdq_runtime.routing.picture_routing import PictureRouting, Tile
from gdq_runtime.routing.router import Router
from gdq_runtime.routing.sensed_picture import BANDS_AHEAD
from gdq_runtime.tiles.bands import Band, read_bands
from gdq_runtime.tiles.stitch import Stitcher
from gdq_runtime.tiles.tiling import Span, TilePlan, cut_tile
from gdq_runtime.tiles.workers import Workers
from gdq_runtime.timings import Stopwatch

Progress = Callable[[int, int], None]
"""Called in the caller's thread after each tile, with the number of tiles done and of all."""

_MOST_AHEAD = 32
"""Tiles that may wait for the caller, in addition to two per worker: as long as these last, workers
stay busy while a band is encoded (1 ms per tile). More would cost memory in wide pictures."""


@dataclass(frozen=True, eq=False)
class _Tile:
    band: Band
    column: Span
    bit_width: int | None
    """None if the worker chooses it, independently of other tiles."""


@dataclass(frozen=True, eq=False)
class _Finished:
    tile: _Tile
    picture: NDArray[np.uint8]
    bit_width: int


@dataclass(frozen=True, eq=False)
class TileRunner:
    """Cut, predict, route and run in the workers; read, stitch and write in the caller's thread.

    Attributes:
        engine: runs the graphs.
        workers: threads that run one tile each.
        router: chooses the bit-width of a tile.
        scale: upscaling factor.
        stopwatch: collects the times of the stages.
        progress: called after each tile, unless None.

    """

    engine: Engine
    workers: Workers
    router: Router
    scale: int
    stopwatch: Stopwatch
    progress: Progress | None

    def run(self, source: RowSource, sink: RowSink, plan: TilePlan) -> NDArray[np.uint8]:
        """Upscale a picture.

        Returns:
            The bit map, uint8 (rows, columns); 0 where a tile was interpolated.

        """
        bit_map = np.empty(plan.count, dtype=np.uint8)
        columns = len(plan.columns)
        stitcher = Stitcher(plan, self.scale)
        ahead = min(columns, _MOST_AHEAD) + 2 * self.workers.threads
        tiles = self._read_tiles(source, plan)
        with closing(self.workers.map_in_order(self._upscale, tiles, ahead)) as results:
            for number, finished in enumerate(results):
                band, column = finished.tile.band, finished.tile.column
                with self.stopwatch.stage("stitch"):
                    stitcher.place(band.row, column, finished.picture)
                bit_map[number] = finished.bit_width
                if number % columns == columns - 1:
                    self._write(stitcher, band, source.channels, sink)
                if self.progress is not None:
                    self.progress(number + 1, plan.count)
        return bit_map.reshape(plan.shape)

    def _read_tiles(self, source: RowSource, plan: TilePlan) -> Iterator[_Tile]:
        bands = self._read_bands(source, plan)
        if self.router.sensed is not None:
            yield from self._sense_tiles(bands, plan, self.router.sensed)
            return
        budget = self.router.open_budget()
        for band in bands:
            widths: Iterable[int | None] = (
                itertools.repeat(None) if budget is None else self._share(band, plan, budget)
            )
            for column, bit_width in zip(plan.columns, widths, strict=False):
                yield _Tile(band, column, bit_width)

    def _read_bands(self, source: RowSource, plan: TilePlan) -> Iterator[Band]:
        bands = read_bands(source, plan)
        for _ in plan.rows:
            with self.stopwatch.stage("decode"):
                band = next(bands)
            yield band

    def _sense_tiles(
        self, bands: Iterator[Band], plan: TilePlan, routing: PictureRouting[Tile]
    ) -> Iterator[_Tile]:
        """Decide on a band once further bands are read, which tell what the picture is like."""
        picture = routing.open_picture(plan.count)
        waiting: deque[tuple[Band, list[Tile]]] = deque()
        for band in itertools.chain(bands, itertools.repeat(None, BANDS_AHEAD)):
            if band is not None:
                with self.stopwatch.stage("predict"):
                    tiles = (cut_tile(band.colour, band.row, column) for column in plan.columns)
                    waiting.append((band, [routing.sense(tile) for tile in tiles]))
                    picture.read(waiting[-1][1])
            if waiting and (band is None or len(waiting) > BANDS_AHEAD):
                first, sensed = waiting.popleft()
                widths = picture.decide(sensed)
                for column, width in zip(plan.columns, widths, strict=True):
                    yield _Tile(first, column, self._as_available(width))

    def _as_available(self, bit_width: int) -> int:
        is_chosen = bit_width not in (INTERPOLATED, self.router.forced)
        return self.router.as_available(bit_width) if is_chosen else bit_width

    def _share(self, band: Band, plan: TilePlan, budget: Budget) -> list[int]:
        """Choose the bit-widths of a whole band, whose tiles share a budget."""
        with self.stopwatch.stage("predict"):
            tiles = (cut_tile(band.colour, band.row, column) for column in plan.columns)
            bins = [
                self.router.bin_of(tile, self.engine.predict)
                if self.router.needs_network(tile)
                else None
                for tile in tiles
            ]
            return budget.spend(bins)

    def _upscale(self, tile: _Tile) -> _Finished:
        with self.stopwatch.stage("cut"):
            pixels = cut_tile(tile.band.colour, tile.band.row, tile.column)
        bit_width = tile.bit_width
        if bit_width is None:
            with self.stopwatch.stage("predict"):
                bit_width = self._choose(pixels)
        with self.stopwatch.stage("run"):
            if bit_width == INTERPOLATED:
                picture = interpolate(pixels, self.scale)
            else:
                picture = self.engine.run(bit_width, pixels)
        return _Finished(tile, picture, bit_width)

    def _choose(self, pixels: NDArray[np.uint8]) -> int:
        if not self.router.needs_network(pixels):
            return INTERPOLATED
        return self.router.route(pixels, self.engine.predict)

    def _write(self, stitcher: Stitcher, band: Band, channels: int, sink: RowSink) -> None:
        with self.stopwatch.stage("stitch"):
            rows = stitcher.finish(band, channels)
        with self.stopwatch.stage("encode"):
            sink.write_rows(rows)
