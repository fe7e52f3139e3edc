"""Errors of the written graphs at every width, on calibration tiles with ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import BitWidth
from gdq_core.interpolation import interpolate
from gdq_core.luma import luma
from gdq_runtime.engines.base import Engine
from gdq_runtime.routing.gradients import mean_gradient
from gdq_runtime.tiles.workers import Workers

Picture = NDArray[np.uint8]

_SMALLEST_ERROR = 1e-3
"""Squared gray levels; keeps a picture that the network reproduces exactly in proportion."""
_SMALLEST_RATIO = 0.1
"""Of errors: a tile never counts as a gain of more than 10 dB."""


@dataclass(frozen=True, eq=False)
class TileLosses:
    """What was measured of N tiles, whatever the predictor says of them.

    Losses are in dB of PSNR (luma) below the largest width. A PSNR is taken per picture, so a tile
    counts by what it costs its own picture: ``10 log10(1 + (e - e_largest) / mean of e_largest over
    the tiles of the picture)``, e being the tile's mean squared error. To first order their mean
    is what the pictures lose; the logarithm keeps a nearly perfect picture from
    outweighing all others.
    """

    picture_of: NDArray[np.intp]
    """(N,), number of the picture that each tile was cut from."""
    bit_widths: tuple[int, ...]
    """W of them, ascending; or routes, see ``Bundle.routes``."""
    losses: NDArray[np.float64]
    """(N, W), at each width; 0 at the largest, which is the last."""
    interpolated: NDArray[np.float64]
    """(N,), loss of interpolation."""


@dataclass(frozen=True, eq=False)
class TileErrors(TileLosses):
    """The same, and what a gate's predictor says of the tiles."""

    gate_margin: NDArray[np.float64]
    """(N,), the gate's score of its largest width minus that of its smallest."""
    entropy: NDArray[np.float64]
    """(N,), nats."""
    gradient: NDArray[np.float64]
    """(N,), see ``mean_gradient``."""
    predicted: NDArray[np.int64]
    """(N,), the predictor's bit-width."""


def measure_tiles(
    engine: Engine,
    bit_widths: Sequence[BitWidth],
    pairs: Sequence[tuple[Picture, Picture]],
    picture_of: NDArray[np.intp],
) -> TileErrors:
    """Measure every tile at every width, on all processors that the process may use.

    Args:
        engine: open on the written graphs.
        bit_widths: of the subgraphs.
        pairs: N (tile, ground truth) pairs, the ground truth larger by the scale.
        picture_of: (N,), number of the picture that each pair was cut from.
    """
    losses = measure_losses(engine, sorted(bit_widths), pairs, picture_of)
    with closing(Workers()) as workers:
        tiles = [tile for tile, _ in pairs]
        predictions = list(workers.map_in_order(engine.predict, tiles, ahead=2 * workers.threads))
    return TileErrors(
        **vars(losses),
        gate_margin=np.array([float(p.logits[-1] - p.logits[0]) for p in predictions]),
        entropy=np.array([p.entropy for p in predictions]),
        gradient=np.array([mean_gradient(tile) for tile in tiles]),
        predicted=np.array([p.bit_width for p in predictions]),
    )


def measure_losses(
    engine: Engine,
    bit_widths: Sequence[int],
    pairs: Sequence[tuple[Picture, Picture]],
    picture_of: NDArray[np.intp],
) -> TileLosses:
    """Measures what every width costs every tile; see ``measure_tiles``.

    Of two networks, ``bit_widths`` are routes, and the last is the one that losses are below.
    """
    widths = tuple(bit_widths)
    with closing(Workers()) as workers:
        measure = partial(_measure, engine, widths)
        rows = list(workers.map_in_order(measure, pairs, ahead=2 * workers.threads))
    errors = np.array(rows)
    losses = _losses(errors, errors[:, -2], picture_of)
    return TileLosses(picture_of, widths, losses[:, :-1], losses[:, -1])


def _losses(
    errors: NDArray[np.float64], largest: NDArray[np.float64], picture_of: NDArray[np.intp]
) -> NDArray[np.float64]:
    _, picture = np.unique(picture_of, return_inverse=True)
    per_picture = np.bincount(picture, largest) / np.bincount(picture)
    unit = np.maximum(per_picture, _SMALLEST_ERROR)[picture]
    relative = 1 + (errors - largest[:, np.newaxis]) / unit[:, np.newaxis]
    return np.asarray(10 * np.log10(np.maximum(relative, _SMALLEST_RATIO)), np.float64)


def _measure(
    engine: Engine, bit_widths: Sequence[int], pair: tuple[Picture, Picture]
) -> list[float]:
    """Return the errors at every width and of interpolation."""
    tile, truth = pair
    scale = len(truth) // len(tile)
    pictures = [*(engine.run(width, tile) for width in bit_widths), interpolate(tile, scale)]
    # Crop as much as stitching crops in the overlap, so that the tile's border does not count.
    inner = np.s_[2 * scale : -2 * scale, 2 * scale : -2 * scale]
    expected = luma(truth[inner])
    return [float(np.square(luma(picture[inner]) - expected).mean()) for picture in pictures]
