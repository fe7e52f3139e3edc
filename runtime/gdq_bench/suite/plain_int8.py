"""A network as a plain static-int8 TFLite graph: every tensor int8, one step each, nothing clamped.

This is what a post-training quantizer writes, and so what our graphs are timed against. Steps do
not change times, so there is one for all activations and no calibration.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from gdq_exporter.ir import editing, forms, operators
from gdq_exporter.passes.explicit_bias import ExplicitBiasPass
from gdq_exporter.passes.fold_offset import FoldOffsetPass
from gdq_exporter.passes.fold_rescaling import FoldRescalingPass
from gdq_exporter.targets.tflite import operators as tflite
from gdq_exporter.targets.tflite.model_builder import (
    GraphBuilder,
    ModelBuilder,
    Quantization,
    Tensor,
)
from gdq_exporter.trace import INPUT, OUTPUT, trace
from gdq_models import SuperResolutionNetwork

SIGNATURE = "plain"
_STEP = Quantization(np.float32(0.05))


def write_plain_int8(network: SuperResolutionNetwork, tile: int, path: Path) -> None:
    """Write the network without our quantizers for tiles of one size."""
    model = trace(network, tile)
    for node in list(model.graph):
        if node.domain == operators.DOMAIN:
            editing.redirect(node.outputs[0], editing.input_of(node, 0))
    editing.drop_unused(model)
    for fold in (FoldRescalingPass(), FoldOffsetPass(), ExplicitBiasPass()):
        model = fold(model).model
    builder = ModelBuilder()
    _write(builder.graph(SIGNATURE), model, tile)
    path.write_bytes(builder.to_bytes())


def _write(graph: GraphBuilder, model: ir.Model, tile: int) -> None:
    image = graph.input(INPUT, (1, tile, tile, 3), np.int8, _STEP)
    tensors = {model.graph.inputs[0]: image}
    for node in model.graph:
        source = tensors[editing.input_of(node, 0)]
        if node.op_type == "Conv":
            tensors[node.outputs[0]] = _conv(graph, node, source)
        elif node.op_type == "Relu":
            tensors[node.outputs[0]] = source  # fused into the conv before it
        elif node.op_type == "Add":
            tensors[node.outputs[0]] = _add(graph, source, tensors[editing.input_of(node, 1)])
        elif node.op_type == "DepthToSpace":
            block = node.attributes.get_int("blocksize", 1)
            tensors[node.outputs[0]] = tflite.depth_to_space(graph, source, block)
        else:
            raise ValueError(f"the benchmark's network has {node.op_type}")
    graph.finish({OUTPUT: tensors[model.graph.outputs[0]]})


def _conv(graph: GraphBuilder, node: ir.Node, x: Tensor) -> Tensor:
    layer = forms.read(node)
    assert layer is not None
    weight, bias = layer.real_weight, layer.constant_bias
    if not layer.form.is_plain or weight is None or bias is None:
        raise ValueError(f"the benchmark's network has {layer}")
    steps = (np.abs(weight).max(axis=(1, 2, 3)) / 127).astype(np.float32)
    codes = np.rint(weight / layer.along_outputs(steps)).transpose(0, 2, 3, 1)
    bias_steps: NDArray[np.float32] = steps * np.float32(0.05)
    reader = editing.sole_consumer(node.outputs[0])
    return tflite.conv(
        graph,
        x,
        graph.constant(codes, np.int8, Quantization(steps)),
        graph.constant(np.rint(bias / bias_steps), np.int32, Quantization(bias_steps)),
        same=True,
        relu=editing.is_op(reader, "Relu"),
        quantization=_STEP,
    )


def _add(graph: GraphBuilder, a: Tensor, b: Tensor) -> Tensor:
    return graph.op(
        "ADD",
        [a, b],
        a.shape,
        np.int8,
        options=schema.AddOptionsT(),
        version=2,
        quantization=_STEP,
    )
