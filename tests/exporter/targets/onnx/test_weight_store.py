from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from exporter import oracle
from exporter.networks import Network, random
from gdq_exporter.targets.onnx.weight_store import WeightStore

LARGE = random(64, 3, 3, 3)
"""6,912 bytes, not a multiple of 64 with the next one in a row."""


def network(*weights: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> ir.Model:
    """One conv on the input for each weight, added up; and a constant of one element."""
    builder = Network(3)
    convs = [builder.conv(builder.x, weight) for weight in weights]
    return builder.model(builder.op("Sum", *convs, builder.constant(1)))


def references(model: ir.Model) -> list[ir.ExternalTensor]:
    constants = [value.const_value for value in model.graph.initializers.values()]
    return [tensor for tensor in constants if isinstance(tensor, ir.ExternalTensor)]


def test_networks_share_what_is_equal(tmp_path: Path) -> None:
    store = WeightStore(tmp_path / "weights.bin")
    first, second = network(LARGE, LARGE + 1), network(LARGE.copy(), LARGE + 2)
    for model in (first, second):
        store.externalise(model)
    store.save()
    offsets = [tensor.offset for model in (first, second) for tensor in references(model)]
    assert offsets[0] == offsets[2]
    assert len(set(offsets)) == 3
    assert (tmp_path / "weights.bin").stat().st_size == 3 * LARGE.nbytes


def test_offsets_are_aligned(tmp_path: Path) -> None:
    store = WeightStore(tmp_path / "weights.bin")
    model = network(random(5, 3, 5, 5), random(5, 3, 5, 5, seed=1))
    store.externalise(model)
    assert [tensor.offset for tensor in references(model)] == [0, 1536]
    assert random(5, 3, 5, 5).nbytes == 1500


def test_small_constants_stay(tmp_path: Path) -> None:
    store = WeightStore(tmp_path / "weights.bin")
    model = network(random(2, 3, 3, 3))
    store.externalise(model)
    store.save()
    assert references(model) == []
    assert (tmp_path / "weights.bin").stat().st_size == 0


def test_the_same_bytes_of_another_type_are_read_as_theirs(tmp_path: Path) -> None:
    store = WeightStore(tmp_path / "weights.bin")
    zeros: list[NDArray[Any]] = [
        np.zeros((16, 4, 3, 3), np.float32),
        np.zeros((64, 4, 3, 3), np.int8),
    ]
    model = network(LARGE)
    for number, array in enumerate(zeros):
        value = ir.Value(name=f"zeros{number}", const_value=ir.tensor(array, name=f"zeros{number}"))
        model.graph.register_initializer(value)
    store.externalise(model)
    stored = {tensor.name: (tensor.dtype, tensor.offset) for tensor in references(model)}
    assert stored["zeros0"][0] == ir.DataType.FLOAT
    assert stored["zeros1"][0] == ir.DataType.INT8
    assert stored["zeros0"][1] == stored["zeros1"][1]


def test_what_is_read_back_is_what_was_stored(tmp_path: Path) -> None:
    x = random(1, 3, 4, 5)
    model = network(LARGE, LARGE + 1)
    before = oracle.output(model, x)
    store = WeightStore(tmp_path / "weights.bin")
    store.externalise(model)
    store.save()
    (tmp_path / "network.onnx").write_bytes(ir.to_proto(model).SerializeToString())
    loaded = ir.load(tmp_path / "network.onnx")
    ir.external_data.load_to_model(loaded)
    np.testing.assert_array_equal(oracle.output(loaded, x), before)
