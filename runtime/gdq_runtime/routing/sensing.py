"""What few bits would cost a tile, computed beside the graphs: by our library, or without it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import EngineError
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_runtime.engines.native_library import load_library

Sense = Callable[[NDArray[np.uint8]], Sensitivity]
"""(height, width, 3) tile -> its sensitivity."""


def open_sense(rule: SensitivityRule) -> Sense:
    """Choose who computes the statistics: 0.01 ms a tile by the library, 0.3 ms by NumPy.

    Both answer the same numbers. Engines of other libraries profit from ours, too.
    """
    try:
        library = load_library()
    except EngineError:
        return rule.sense
    return lambda tile: rule.heads.of_tile(library.tile_statistics(tile, rule.heads.side))
