from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from exporter import oracle
from exporter.networks import Network, operators, random
from gdq_exporter.ir import editing

X = random(1, 3, 4, 4)


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3, 3, 3)])
def test_add_constant_keeps_shape_and_content(shape: tuple[int, ...]) -> None:
    """Scalars too: a step of shape [1] would keep ONNX Runtime from fusing."""
    network = Network(3)
    model = network.model(network.op("Relu", network.x))
    array = random(*shape).astype(np.float32).reshape(shape)
    value = editing.add_constant(model, array, "c")
    stored = model.graph.initializers["c"].const_value
    assert stored is not None
    assert tuple(stored.shape.numpy()) == shape
    np.testing.assert_array_equal(editing.constant(value), array)


def test_add_constant_keeps_the_order_of_a_transposed_array() -> None:
    network = Network(3)
    model = network.model(network.op("Relu", network.x))
    value = editing.add_constant(model, random(2, 3).T, "c")
    assert value.const_value is not None
    assert value.const_value.tobytes() == random(2, 3).T.tobytes()


def test_add_constant_numbers_a_name_that_is_taken() -> None:
    network = Network(3)
    model = network.model(network.op("Relu", network.x))
    names = [editing.add_constant(model, np.zeros(1), "c").name for _ in range(3)]
    assert names == ["c", "c.1", "c.2"]


def test_scalar_reads_one_element_of_any_rank() -> None:
    network = Network(3)
    assert editing.scalar(network.constant(2.5)) == 2.5
    assert editing.scalar(network.constant([[2.5]])) == 2.5
    assert editing.scalar(network.constant([1, 2])) is None
    assert editing.scalar(network.x) is None
    assert editing.scalar(None) is None


def test_redirect_moves_readers_outputs_and_the_output_s_name() -> None:
    network = Network(3)
    old = network.op("Neg", network.x)
    reader = network.op("Relu", old)
    model = network.model(old, reader)
    new = editing.insert_after(model, old, "Abs", [network.x])
    editing.redirect(old, new)
    assert next(iter(model.graph.outputs)) is new
    assert new.name == "output"
    assert old.name not in (None, "output")
    assert new.shape == old.shape
    assert editing.consumers(old) == []
    first, second = oracle.execute(model, X)
    np.testing.assert_array_equal(first, np.abs(X))
    np.testing.assert_array_equal(second, np.abs(X))


def test_redirect_spares_the_nodes_to_keep() -> None:
    network = Network(3)
    old = network.op("Neg", network.x)
    kept, moved = network.op("Relu", old), network.op("Relu", old)
    model = network.model(network.op("Add", kept, moved))
    new = editing.insert_after(model, old, "Abs", [old])
    producers = [value.producer() for value in (kept, new)]
    editing.redirect(old, new, keep=[node for node in producers if node is not None])
    expected = np.maximum(-X, 0) + np.abs(X)
    np.testing.assert_array_equal(oracle.output(model, X), expected)


def test_insert_after_the_input_comes_first() -> None:
    network = Network(3)
    model = network.model(network.op("Relu", network.x))
    value = editing.insert_after(model, network.x, "Neg", [network.x])
    producer = value.producer()
    assert producer is not None
    editing.redirect(network.x, value, keep=[producer])
    np.testing.assert_array_equal(oracle.output(model, X), np.maximum(-X, 0))


def test_sole_consumer() -> None:
    network = Network(3)
    once, twice, output = (network.op("Neg", network.x) for _ in range(3))
    readers = [network.op("Relu", once), network.op("Add", twice, twice), network.op("Abs", twice)]
    network.model(output, network.op("Sum", *readers))
    assert editing.sole_consumer(once) is readers[0].producer()
    assert editing.sole_consumer(twice) is None
    assert editing.sole_consumer(output) is None


def test_drop_unused_removes_nodes_and_constants() -> None:
    network = Network(3)
    network.op("Add", network.x, network.constant(1))
    model = network.model(network.op("Relu", network.x))
    editing.drop_unused(model)
    assert operators(model) == {"Relu": 1}
    assert not model.graph.initializers


def test_is_op_asks_for_the_domain() -> None:
    network = Network(3)
    node = network.act_quant(network.x, np.ones(4), signed=True).producer()
    assert editing.is_op(node, "ActQuant", "gdq")
    assert not editing.is_op(node, "ActQuant")
    assert not editing.is_op(None, "Conv")
    assert isinstance(node, ir.Node)
