from __future__ import annotations

import numpy as np
import pytest

from gdq_core.errors import EngineError
from gdq_runtime.engines.answers import one_line, read_picture, read_prediction

LOGITS, ENTROPY, BITS = np.zeros((1, 3)), np.array([1.5]), np.array([6])
TILE = np.zeros((4, 5, 3), np.uint8)


def test_reads_a_prediction() -> None:
    prediction = read_prediction("graph", LOGITS, ENTROPY, BITS)
    assert prediction.logits.shape == (3,)
    assert prediction.logits.dtype == np.float32
    assert (prediction.entropy, prediction.bit_width) == (1.5, 6)


@pytest.mark.parametrize("outputs", [(BITS, ENTROPY, BITS), (LOGITS, LOGITS, BITS)])
def test_refuses_odd_shapes(outputs: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(EngineError, match="graph: the predictor's outputs have unexpected shapes"):
        read_prediction("graph", *outputs)


def test_refuses_a_width_that_there_is_not() -> None:
    with pytest.raises(EngineError, match="graph: predicts 7 bits, not 4, 5, 6, 8"):
        read_prediction("graph", LOGITS, ENTROPY, np.array([7]))


def test_reads_a_picture() -> None:
    output = np.zeros((1, 8, 10, 3), np.uint8)
    assert read_picture("graph", output, TILE, 2).shape == (8, 10, 3)
    for wrong in (output[0], output.astype(np.int8), output[:, :7]):
        with pytest.raises(EngineError, match=r"graph: returns .* not uint8 \(1, 8, 10, 3\)"):
            read_picture("graph", wrong, TILE, 2)


def test_a_message_becomes_one_short_line() -> None:
    assert one_line(RuntimeError("a\n  b\tc")) == "a b c"
    assert len(one_line(RuntimeError("x" * 999))) == 300
