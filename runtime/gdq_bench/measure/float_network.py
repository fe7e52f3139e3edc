"""The network of a bundle's subgraph in float, to compare its integers with.

The weights are those of the subgraph, dequantized, so that both compute the same function but for
the rounding of activations; times of float kernels do not depend on values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from gdq_core.errors import BundleError


def write_float_network(subgraph: Path, target: Path) -> None:
    """Write a QuantizeLinear / DequantizeLinear network without them; its uint8 ends stay.

    Args:
        subgraph: ONNX file of a bundle, at 8 bits: at fewer, codes are their own ReLU.
        target: ONNX file to write, weights inside.

    Raises:
        BundleError: the file is not such a network.

    """
    try:
        model = onnx.load(subgraph)
        _take_out_quantization(model.graph)
        _drop_unused(model.graph)
        onnx.checker.check_model(model)
    except Exception as error:  # the parser's and the checker's share no narrower base
        raise BundleError(f"{subgraph} cannot be turned into a float network: {error}") from error
    onnx.save(model, target)


def _take_out_quantization(graph: onnx.GraphProto) -> None:
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    last = _image_quantizer(graph)
    codes: set[str] = set()  # tensors that were integers
    weights: set[str] = set()  # constants that were
    source: dict[str, str] = {}  # removed tensor -> its replacement
    kept = []
    for node in graph.node:
        node.input[:] = [source.get(name, name) for name in node.input]
        first, output = node.input[0] if node.input else "", node.output[0]
        if node.op_type == "DequantizeLinear" and first in constants:
            graph.initializer.append(numpy_helper.from_array(_dequantize(node, constants), output))
            weights.add(output)
        elif node.op_type == "Add" and node.input[1] in weights:
            raise ValueError("its activations have fewer than 8 bits")
        elif node.op_type == "DequantizeLinear":
            source[output] = first
        elif (node.op_type == "QuantizeLinear" and output != last) or (
            node.op_type == "Clip" and first in codes
        ):
            source[output] = first
            codes.add(first)
        else:
            kept.append(node)
            if first in codes and node.op_type == "DepthToSpace":
                codes.add(output)
    del graph.node[:]
    graph.node.extend(kept)
    del graph.value_info[:]  # declares tensors as integers


def _image_quantizer(graph: onnx.GraphProto) -> str:
    """Return the output of the QuantizeLinear that makes the picture."""
    producers = {output: node for node in graph.node for output in node.output}
    name: str = graph.output[0].name
    while name in producers and producers[name].op_type != "QuantizeLinear":
        name = producers[name].input[0]
    if name not in producers:
        raise ValueError("no QuantizeLinear makes its picture")
    return name


def _dequantize(node: onnx.NodeProto, constants: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Compute a DequantizeLinear of constants."""
    values, step = constants[node.input[0]], constants[node.input[1]]
    zero = constants[node.input[2]] if len(node.input) > 2 else np.zeros_like(step)
    if step.ndim:
        axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
        shape = [-1 if dimension == axis else 1 for dimension in range(values.ndim)]
        step, zero = step.reshape(shape), zero.reshape(shape)
    centred = values.astype(np.float32) - zero.astype(np.float32)
    return np.asarray(centred * step, np.float32)


def _drop_unused(graph: onnx.GraphProto) -> None:
    wanted = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    tensors = [tensor for tensor in graph.initializer if tensor.name in wanted]
    del graph.node[:]
    graph.node.extend(reversed(kept))
    del graph.initializer[:]
    graph.initializer.extend(tensors)
