from __future__ import annotations

import onnx_ir as ir
import onnxruntime as ort
import pytest

from gdq_exporter.targets.onnx.sensitivity import build_sensitivity
from sensitivities import draw_rule, draw_tiles


@pytest.mark.parametrize("side", [16, 32, 96, 128])
def test_answers_what_numpy_does(side: int) -> None:
    """Up to 128 pixels no number on the way is too large for float32."""
    rule = draw_rule(side, seed=side)
    model = ir.to_proto(build_sensitivity(rule)).SerializeToString()
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    for tile in draw_tiles(side):
        (found,) = session.run(None, {"tile": tile[None]})
        assert found.dtype == "int32"
        assert found.tolist() == [list(rule.sense(tile))]
