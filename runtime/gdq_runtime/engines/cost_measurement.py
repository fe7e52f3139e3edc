"""Times a few tiles of each bit-width on an engine: a second or two, once for each device."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.interpolation import interpolate
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.costs import Costs

_ROUNDS = 5
"""That count, after one in which graphs are opened and buffers made."""
_BAND = 8
"""Tiles that heads are asked for in a row, as the runtime does: by then its tables are at hand."""
_DIGITS = 3
"""Significant ones of what is kept: more would be noise."""

Clock = Callable[[], float]
"""Tells seconds of processor time that the calling thread has had; engines run tiles in it."""


def measure_costs(
    engine: Engine,
    bit_widths: Sequence[int],
    tile_size: int,
    scale: int,
    clock: Clock = time.thread_time,
    *,
    sense: Callable[[NDArray[np.uint8]], object] | None = None,
) -> Costs:
    """Run every bit-width, the predictor and interpolation in turn, and take the least of each.

    In turn, so that a machine that slows down slows all of them down. The least, because whatever
    else runs can only add to a time, by shared caches and cores: where a median still differs by
    what else was running in those rounds, the least is the work itself.

    Args:
        engine: that runs the tiles.
        bit_widths: routes through a network, of one or of two.
        tile_size: side of the tiles, in pixels.
        scale: upscaling factor.
        clock: that is read before and after each.
        sense: what computes the heads of a tile, of a bundle with statistics; None of one with a
            gate, which the engine is asked for.

    Raises:
        EngineError: the engine refuses a graph.

    """
    tile = _busy_tile(tile_size)
    functions: dict[int | None, Callable[[], object]] = {
        None: _predict(engine, sense, tile),
        INTERPOLATED: lambda: interpolate(tile, scale),
    }
    for bit_width in bit_widths:
        functions[bit_width] = _run_at(engine, bit_width, tile)
    seconds: dict[int | None, list[float]] = {name: [] for name in functions}
    for number in range(_ROUNDS + 1):
        for name, function in functions.items():
            start = clock()
            function()
            if number:
                seconds[name].append(clock() - start)
    if sense is not None:
        seconds[None] = [together / _BAND for together in seconds[None]]
    least = {name: _round(min(times)) for name, times in seconds.items()}
    return Costs(
        seconds={route: cost for route, cost in least.items() if route is not None},
        predict=least[None],
    )


def _predict(
    engine: Engine, sense: Callable[[NDArray[np.uint8]], object] | None, tile: NDArray[np.uint8]
) -> Callable[[], object]:
    if sense is None:
        return lambda: engine.predict(tile)
    return lambda: [sense(tile) for _ in range(_BAND)]


def _run_at(engine: Engine, bit_width: int, tile: NDArray[np.uint8]) -> Callable[[], object]:
    return lambda: engine.run(bit_width, tile)


def _busy_tile(size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)


def _round(seconds: float) -> float:
    """Keep the significant digits; a clock too coarse to see a tile shows a nanosecond."""
    return float(f"{max(seconds, 1e-9):.{_DIGITS}g}")
