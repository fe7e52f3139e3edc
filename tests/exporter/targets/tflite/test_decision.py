from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from exporter.litert import runner
from exporter.predictors import network
from gdq_exporter.targets.tflite.decision import add_decision
from gdq_exporter.targets.tflite.model_builder import ModelBuilder
from vectors.write import load

CASES = load("routing")["decisions"]


@pytest.mark.parametrize("case", CASES)
def test_the_gate_then_the_entropy_decide(case: dict[str, Any]) -> None:
    parameters = dataclasses.replace(
        network("linear").predictor_parameters(), e2b_thresholds=np.array(case["thresholds"])
    )
    assert parameters.gate_bit_widths == tuple(case["gate_bit_widths"])
    assert parameters.e2b_bit_widths == tuple(case["bit_widths"])
    model = ModelBuilder()
    graph = model.graph("decision")
    inputs = graph.input("logits", (1, 3), np.float32), graph.input("nats", (1,), np.float32)
    graph.finish({"bits": add_decision(graph, *inputs, parameters)})
    answer = runner(model.to_bytes(), "decision")(
        logits=np.array([case["logits"]], np.float32), nats=np.array([case["entropy"]], np.float32)
    )
    assert answer["bits"].tolist() == [case["bit_width"]]
