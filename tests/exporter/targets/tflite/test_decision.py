from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from exporter.litert import runner
from exporter.predictors import network
from gdq_exporter.targets.tflite.decision import add_decision
from gdq_exporter.targets.tflite.model_builder import ModelBuilder

CASES = [
    ([2, 1, 0], 9, 4),
    ([0, 2, 1], 9, 6),
    ([1, 1, 0], 9, 4),  # a tie of logits goes to the smaller width, as torch's argmax does
    ([0, 1, 1], 9, 6),
    ([0, 1, 2], 0.5, 4),
    ([0, 1, 2], 1, 4),  # at most the threshold
    ([0, 1, 2], 1.5, 5),
    ([0, 1, 2], 2, 5),
    ([0, 1, 2], 2.5, 8),
]


@pytest.mark.parametrize(("logits", "entropy", "bit_width"), CASES)
def test_the_gate_then_the_entropy_decide(
    logits: list[float], entropy: float, bit_width: int
) -> None:
    parameters = dataclasses.replace(
        network("linear").predictor_parameters(), e2b_thresholds=np.array([1.0, 2.0])
    )
    model = ModelBuilder()
    graph = model.graph("decision")
    inputs = graph.input("logits", (1, 3), np.float32), graph.input("nats", (1,), np.float32)
    graph.finish({"bits": add_decision(graph, *inputs, parameters)})
    answer = runner(model.to_bytes(), "decision")(
        logits=np.array([logits], np.float32), nats=np.array([entropy], np.float32)
    )
    assert answer["bits"].tolist() == [bit_width]
