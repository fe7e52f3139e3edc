from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from gdq_exporter.targets.tflite.model_builder import ModelBuilder
from gdq_exporter.targets.tflite.sensitivity import add_sensitivity
from sensitivities import draw_rule, draw_tiles


@pytest.mark.parametrize("side", [16, 32, 96, 128])
def test_answers_what_numpy_does(side: int) -> None:
    """Up to 128 pixels no number on the way is too large for float32."""
    rule, model = draw_rule(side, seed=side), ModelBuilder()
    add_sensitivity(model.graph("predictor"), rule)
    interpreter = Interpreter(model_content=model.to_bytes(), num_threads=1)
    runner = interpreter.get_signature_runner("predictor")
    for tile in draw_tiles(side):
        found = runner(tile=tile[None])["sensitivity"]
        assert found.dtype == np.int32
        assert found.tolist() == [list(rule.sense(tile))]
