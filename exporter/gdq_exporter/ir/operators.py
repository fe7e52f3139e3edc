"""The operators of the ``gdq`` domain: learned quantizers of a traced network, and a merged tail.

===============  ==================  ============================================================
operator         inputs              meaning
===============  ==================  ============================================================
``ActQuant``     x, steps (4,)       fake quantization at a bit-width that is not chosen yet;
                                     ``steps`` in the order of ``BIT_WIDTHS``; ``signed`` 0 or 1
``WeightQuant``  w, step ()          8-bit fake quantization of a weight tensor
``MergedTail``   x, weights          5x5 convolution, padded with zeros, whose outermost ring of
                 (9, O, C, 5, 5),    pixels has kernels of its own: ``3 * row + column``, row 0 the
                 biases (9, O)       first row of pixels, 2 the last, 1 all others; columns likewise
===============  ==================  ============================================================

Tracing leaves the first two in place, so one trace carries every bit-width; passes turn them into
standard QuantizeLinear and DequantizeLinear. Formulas: paper, equation 1, with the integer ranges
of LSQ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models import integer_range

DOMAIN = "gdq"
ACT_QUANT = "ActQuant"
WEIGHT_QUANT = "WeightQuant"
MERGED_TAIL = "MergedTail"


def quantize(
    x: NDArray[np.float32], step: NDArray[np.float32] | np.float32, low: int, high: int
) -> NDArray[np.int64]:
    """Return the codes ``round(clip(x / step, low, high))``, ties to even, in float32 like torch.

    ``step`` is a scalar or broadcasts against ``x``. This is the reference of both operators.
    """
    scaled = np.clip(x / np.asarray(step, np.float32), np.float32(low), np.float32(high))
    return np.rint(scaled).astype(np.int64)


def act_quant(
    x: NDArray[np.float32], steps: NDArray[np.float32], bit_width: int, *, signed: bool
) -> NDArray[np.float32]:
    """Execute ``gdq::ActQuant`` at a bit-width; the reference."""
    step = steps[BIT_WIDTHS.index(bit_width)]
    low, high = integer_range(bit_width, signed=signed)
    return _dequantize(quantize(x, step, low, high), step)


def weight_quant(w: NDArray[np.float32], step: np.float32) -> NDArray[np.float32]:
    """Execute ``gdq::WeightQuant``; the reference."""
    return _dequantize(quantize(w, step, -128, 127), step)


def _dequantize(codes: NDArray[np.int64], step: np.float32) -> NDArray[np.float32]:
    real: NDArray[np.float32] = codes.astype(np.float32) * step
    return real
