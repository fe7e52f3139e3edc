"""Check the outputs of graphs: a bundle may come from a stranger, and so do its graphs' outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.errors import EngineError
from gdq_core.sensitivity.heads import HEADS, Sensitivity
from gdq_runtime.engines.base import Prediction

Array = NDArray[Any]

_WIDTHS = ", ".join(map(str, BIT_WIDTHS))


def read_prediction(place: str, logits: Array, entropy: Array, bit_width: Array) -> Prediction:
    """Read the outputs of a predictor.

    Args:
        place: file of the graph, for error messages.
        logits: three numbers of any shape.
        entropy: one number.
        bit_width: one of 4, 5, 6, 8.

    Raises:
        EngineError: they are anything else.

    """
    if logits.size != 3 or entropy.size != 1 or bit_width.size != 1:
        raise EngineError(f"{place}: the predictor's outputs have unexpected shapes")
    decision = int(bit_width.item())
    if decision not in BIT_WIDTHS:
        raise EngineError(f"{place}: predicts {decision} bits, not {_WIDTHS}")
    return Prediction(logits.reshape(3).astype(np.float32), float(entropy.item()), decision)


def read_sensitivity(place: str, heads: Array) -> Sensitivity:
    """Read the output of sensitivity heads.

    Raises:
        EngineError: it is not three whole numbers.

    """
    if heads.size != HEADS or not np.issubdtype(heads.dtype, np.integer):
        raise EngineError(f"{place}: the sensitivity heads return {heads.dtype} {heads.shape}")
    return Sensitivity(*heads.ravel().tolist())


def read_picture(
    place: str, output: Array, tile: NDArray[np.uint8], scale: int
) -> NDArray[np.uint8]:
    """Read the output of a subgraph: a picture (height * scale, width * scale, 3).

    Raises:
        EngineError: it has another shape or type.

    """
    expected = (1, tile.shape[0] * scale, tile.shape[1] * scale, 3)
    if output.shape != expected or output.dtype != np.uint8:
        raise EngineError(f"{place}: returns {output.dtype} {output.shape}, not uint8 {expected}")
    picture: NDArray[np.uint8] = output[0]
    return picture


def one_line(error: Exception) -> str:
    """Shorten a library's message to one line."""
    return " ".join(str(error).split())[:300]
