"""What tiles cost near their borders: against the same networks on the whole picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from gdq_bench.measure.sample_picture import Picture, mosaic
from gdq_bench.protocol import Facts, Result
from gdq_bench.suite.subjects import Subjects
from gdq_core.bit_widths import SMALL, name_of_width
from gdq_core.fidelity import squared_error
from gdq_core.resampling import resize_bicubic
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.paired import PairedEngine
from gdq_runtime.engines.registry import open_engine
from gdq_runtime.tiles.tiling import Span, TilePlan, cut_tile
from gdq_validate.validation import seam_mask

_BIT_WIDTH = 8
_SMALL_WIDTH = SMALL + _BIT_WIDTH
_BAR = 1.05
_OVERLAPS = (0, 2, 6, 12, 24)


def measure(subjects: Subjects) -> list[Result]:
    """Compare squared errors within two low-resolution pixels of a border, at several overlaps.

    The whole picture shows what these places cost without borders, so that what happens to lie
    under them does not count.
    """
    bundle = Bundle.open(subjects.bundle)
    scale, tiling = bundle.manifest.network.scale, bundle.manifest.tiling
    side = 144 if subjects.quick else 480
    truth = mosaic(side * scale, side * scale)
    low = resize_bicubic(truth, side, side)
    ratios, tiles = {}, {}
    with closing(open_engine("onnxruntime", bundle)) as engine:
        whole = squared_error(engine.run(_BIT_WIDTH, low), truth)
        for overlap in sorted({*_OVERLAPS, tiling.overlap}):
            plan = TilePlan(side, side, tiling.size, overlap)
            made = _upscale(engine, low, plan, scale, [_BIT_WIDTH])
            errors = squared_error(made, truth)
            seam = seam_mask(plan, scale)
            ratios[overlap] = float(errors[seam].mean() / whole[seam].mean())
            tiles[overlap] = plan.count
    facts: Facts = {"picture": f"{side}x{side}", "bit-width": _BIT_WIDTH}
    for overlap, ratio in ratios.items():
        facts[f"overlap {overlap}: error ratio"] = round(ratio, 4)
        facts[f"overlap {overlap}: tiles"] = tiles[overlap]
    return [
        Result(
            name="error at seams", value=ratios[tiling.overlap], unit="ratio", bar=_BAR, facts=facts
        ),
        _between_networks(subjects, low, truth),
    ]


def _between_networks(subjects: Subjects, low: Picture, truth: Picture) -> Result:
    """Compare a chessboard of tiles of two networks with the same chessboard of whole pictures.

    Every border lies between the networks: no routing has as many seams.
    """
    bundle, small = Bundle.open(subjects.bundle), Bundle.open(subjects.mobile_bundle)
    scale, tiling = bundle.manifest.network.scale, bundle.manifest.tiling
    plan = TilePlan(low.shape[1], len(low), tiling.size, tiling.overlap)
    routes = [_BIT_WIDTH, _SMALL_WIDTH]
    engines = [open_engine("onnxruntime", one) for one in (bundle, small)]
    with closing(PairedEngine(*engines)) as engine:
        tiled = _upscale(engine, low, plan, scale, routes)
        whole = {route: engine.run(route, low) for route in routes}
    without = np.empty_like(tiled)
    for route, _, _, own in _walk(plan, scale, routes):
        without[own] = whole[route][own]
    seam = seam_mask(plan, scale)
    errors, expected = (squared_error(picture, truth)[seam].mean() for picture in (tiled, without))
    facts: Facts = {"picture": f"{low.shape[1]}x{len(low)}", "tiles": plan.count}
    for route, picture in whole.items():
        facts[f"error of {name_of_width(route)}, no tiles"] = round(
            float(squared_error(picture, truth)[seam].mean()), 3
        )
    return Result(
        name="error at seams between two networks",
        value=float(errors / expected),
        unit="ratio",
        bar=_BAR,
        facts=facts,
    )


def _upscale(
    engine: Engine, low: Picture, plan: TilePlan, scale: int, routes: Sequence[int]
) -> Picture:
    output = np.empty((len(low) * scale, low.shape[1] * scale, 3), np.uint8)
    for route, row, column, own in _walk(plan, scale, routes):
        tile = engine.run(route, cut_tile(low[row.start : row.stop], row, column))
        output[own] = tile[_inside(row, scale), _inside(column, scale)]
    return output


def _walk(
    plan: TilePlan, scale: int, routes: Sequence[int]
) -> Iterator[tuple[int, Span, Span, tuple[slice, slice]]]:
    """Yield route, spans and own pixels in the output of each tile; routes change like colours."""
    for number, row in enumerate(plan.rows):
        for place, column in enumerate(plan.columns):
            own = np.s_[
                row.own_start * scale : row.own_stop * scale,
                column.own_start * scale : column.own_stop * scale,
            ]
            yield routes[(number + place) % len(routes)], row, column, own


def _inside(span: Span, scale: int) -> slice:
    """Return where a tile's own pixels lie in its upscaled picture."""
    return slice((span.own_start - span.start) * scale, (span.own_stop - span.start) * scale)
