"""Reading and editing a network (ONNX IR): the few verbs that all passes share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_ir.passes import common


def is_op(node: ir.Node | None, op_type: str, domain: str = "") -> bool:
    """Tell whether ``node`` exists and is this operator."""
    return node is not None and node.op_type == op_type and node.domain == domain


def nodes_of(model: ir.Model, op_type: str, domain: str = "") -> Iterator[ir.Node]:
    """Return the nodes of one operator in graph order; safe while the graph is being edited."""
    return (node for node in list(model.graph) if is_op(node, op_type, domain))


def input_of(node: ir.Node, index: int) -> ir.Value:
    """Return an input that the operator requires."""
    value = node.inputs[index]
    assert value is not None, f"{node.op_type} lacks input {index}"
    return value


def constant(value: ir.Value | None) -> NDArray[Any] | None:
    """Return the array of a constant value, or None if it is computed or absent."""
    if value is None:
        return None
    tensor = ir.convenience.get_const_tensor(value)
    return None if tensor is None else tensor.numpy()


def scalar(value: ir.Value | None) -> float | None:
    """Return the number of a constant with one element, or None."""
    array = constant(value)
    return float(array.reshape(())) if array is not None and array.size == 1 else None


def dimension(value: ir.Value, axis: int) -> int:
    """Return the size of a dimension that is known."""
    assert value.shape is not None
    size = value.shape[axis]
    assert isinstance(size, int)
    return size


def consumers(value: ir.Value) -> list[ir.Node]:
    """Return the nodes that read ``value``, each once."""
    return list(dict.fromkeys(node for node, _ in value.uses()))


def sole_consumer(value: ir.Value) -> ir.Node | None:
    """Return the only reader of a value that is no graph output, else None."""
    readers = consumers(value)
    return readers[0] if len(readers) == 1 and not value.is_graph_output() else None


def add_constant(model: ir.Model, array: NDArray[Any], name: str) -> ir.Value:
    """Register a constant under ``name``, or under a numbered variant where that is taken."""
    graph, unique, number = model.graph, name, 1
    while unique in graph.initializers:
        unique, number = f"{name}.{number}", number + 1
    tensor = ir.tensor(np.asarray(array, order="C"), name=unique)
    value = ir.Value(
        name=unique,
        shape=ir.Shape(array.shape),
        type=ir.TensorType(tensor.dtype),
        const_value=tensor,
    )
    graph.register_initializer(value)
    return value


def insert(
    model: ir.Model,
    before: ir.Node | None,
    op_type: str,
    inputs: Sequence[ir.Value | None],
    attributes: Mapping[str, Any] | None = None,
    domain: str = "",
) -> ir.Value:
    """Insert one node before another (at the end if None) and return its output."""
    node = ir.node(op_type, inputs, attributes=dict(attributes or {}), domain=domain)
    if before is None:
        model.graph.append(node)
    else:
        model.graph.insert_before(before, node)
    return node.outputs[0]


def insert_after(
    model: ir.Model,
    value: ir.Value,
    op_type: str,
    inputs: Sequence[ir.Value | None],
    attributes: Mapping[str, Any] | None = None,
) -> ir.Value:
    """Insert one node right behind the producer of ``value`` and return its output."""
    producer = value.producer()
    node = ir.node(op_type, inputs, attributes=dict(attributes or {}))
    if producer is None:
        model.graph.insert_before(next(iter(model.graph)), node)
    else:
        model.graph.insert_after(producer, node)
    return node.outputs[0]


def redirect(old: ir.Value, new: ir.Value, *, keep: Sequence[ir.Node] = ()) -> None:
    """Make every reader of ``old`` read ``new``, except the nodes in ``keep``; outputs follow.

    Shape and type follow too where ``new`` has none.
    """
    new.shape, new.type = new.shape or old.shape, new.type or old.type
    for node, index in list(old.uses()):
        if node not in keep:
            node.replace_input_with(index, new)
    graph = new.graph or old.graph
    if graph is not None:
        for index, output in enumerate(graph.outputs):
            if output is old:
                old.name, new.name = new.name, old.name
                graph.outputs[index] = new


def remove(model: ir.Model, node: ir.Node) -> None:
    """Remove a node whose outputs nobody reads."""
    model.graph.remove(node, safe=True)


def drop_unused(model: ir.Model) -> None:
    """Remove nodes and constants that reach no output."""
    common.RemoveUnusedNodesPass()(model)
