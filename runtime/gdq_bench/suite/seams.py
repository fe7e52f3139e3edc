"""What tiles cost near their borders: against the same network on the whole picture."""

from __future__ import annotations

from contextlib import closing

import numpy as np

from gdq_bench.measure.sample_picture import Picture, mosaic
from gdq_bench.protocol import Facts, Result
from gdq_bench.suite.subjects import Subjects
from gdq_core.fidelity import squared_error
from gdq_core.resampling import resize_bicubic
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.registry import open_engine
from gdq_runtime.tiles.tiling import Span, TilePlan, cut_tile
from gdq_validate.validation import seam_mask

_BIT_WIDTH = 8
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
            errors = squared_error(_upscale(engine, low, plan, scale), truth)
            seam = seam_mask(plan, scale)
            ratios[overlap] = float(errors[seam].mean() / whole[seam].mean())
            tiles[overlap] = plan.count
    facts: Facts = {"picture": f"{side}x{side}", "bit-width": _BIT_WIDTH}
    for overlap, ratio in ratios.items():
        facts[f"overlap {overlap}: error ratio"] = round(ratio, 4)
        facts[f"overlap {overlap}: tiles"] = tiles[overlap]
    return [
        Result(
            name="error at seams", value=ratios[tiling.overlap], unit="ratio", bar=1.05, facts=facts
        )
    ]


def _upscale(engine: Engine, low: Picture, plan: TilePlan, scale: int) -> Picture:
    output = np.empty((len(low) * scale, low.shape[1] * scale, 3), np.uint8)
    for row in plan.rows:
        for column in plan.columns:
            tile = engine.run(_BIT_WIDTH, cut_tile(low[row.start : row.stop], row, column))
            own = np.s_[
                row.own_start * scale : row.own_stop * scale,
                column.own_start * scale : column.own_stop * scale,
            ]
            output[own] = tile[_inside(row, scale), _inside(column, scale)]
    return output


def _inside(span: Span, scale: int) -> slice:
    """Return where a tile's own pixels lie in its upscaled picture."""
    return slice((span.own_start - span.start) * scale, (span.own_stop - span.start) * scale)
