"""What ONNX graphs ask of a phone: opset, operators, and how NNAPI would cut them into parts.

A prediction by the tool that comes with ONNX Runtime, which knows NNAPI's operators by name, made
stricter by the limits in ``_refused_nodes``. No Android device is involved.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnx_ir as ir
import onnxruntime as ort

# Not onnxruntime.tools.check_onnx_model_mobile_usability: that is the command, and importing it
# sets up logging for the whole process.
from onnxruntime.tools.mobile_helpers.usability_checker import check_nnapi_partitions

from gdq_exporter.targets.onnx.optimized_graph import save_optimized

_REFUSED = "refused"
"""A domain of which the tool knows no operator."""
_NNAPI_CLIPS = ((0, 6), (-1, 1))
"""Bounds of ReLU6 and ReLU1, the only ones that ONNX Runtime hands to NNAPI."""


@dataclass(frozen=True)
class NnapiPrediction:
    """How ONNX Runtime would share one graph of fixed tile size between NNAPI and the CPU."""

    nodes: int
    """Of the graph, after optimizations that keep standard operators."""
    taken: int
    """Nodes that NNAPI would run."""
    partitions: int
    """Runs of nodes that NNAPI would take; between them tensors travel to the CPU and back."""
    left_to_cpu: dict[str, int]
    """Every operator that NNAPI would not take, and how often it occurs."""
    worth_trying: str
    """The tool's advice: "yes", "maybe" or "no"."""


@dataclass(frozen=True)
class MobileUsability:
    """What one ONNX graph asks of a phone."""

    opset: int
    """Version of ONNX's operator set."""
    operators: dict[str, int]
    """Every operator of the graph as written, and how often it occurs."""
    nnapi: NnapiPrediction


def check_mobile_usability(graph: Path, tile: int) -> MobileUsability:
    """Read a written graph and predict NNAPI's partitions for tiles of one size.

    Args:
        graph: the ONNX file, with its weights beside it.
        tile: side of a tile, to which the graph is fixed, since NNAPI takes no free dimensions.

    Raises:
        ExportError: the graph cannot be loaded.
    """
    written = ir.load(graph)
    operators = Counter(node.op_type for node in written.graph)
    opset = written.opset_imports[""]
    return MobileUsability(opset, dict(sorted(operators.items())), _predict(graph, tile))


def _predict(graph: Path, tile: int) -> NnapiPrediction:
    with tempfile.TemporaryDirectory() as folder:
        fixed = Path(folder) / "fixed.onnx"
        # As far as ONNX Runtime goes before it asks a provider which nodes it takes.
        save_optimized(graph, fixed, ort.GraphOptimizationLevel.ORT_ENABLE_BASIC, tile)
        # Large constants are stored beside the written graph and do not matter here.
        model = onnx.shape_inference.infer_shapes(onnx.load(fixed, load_external_data=False))
    refused = list(_refused_nodes(model.graph))
    for node in refused:
        node.domain = _REFUSED
    found = check_nnapi_partitions(model, require_fixed_input_sizes=True)
    taken = {node.output[0] for group in found.supported_groups for node in group}
    left = Counter(node.op_type for node in model.graph.node if node.output[0] not in taken)
    return NnapiPrediction(
        nodes=found.num_nodes,
        taken=found.num_supported_nodes,
        partitions=found.num_partitions,
        left_to_cpu=dict(sorted(left.items())),
        worth_trying=found.suitability().name.lower(),
    )


def _refused_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yield nodes whose operators the tool lists but whose form NNAPI's provider refuses.

    Source: onnxruntime/core/providers/nnapi/nnapi_builtin/builders/impl, base_op_builder.cc (the
    first input is float unless an operator says otherwise; these two do not) and
    clip_op_builder.cc.
    """
    values = [*graph.input, *graph.value_info, *graph.output]
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    for node in graph.node:
        if node.op_type not in ("Cast", "Clip"):
            continue
        is_float = types[node.input[0]] == onnx.TensorProto.FLOAT
        if not is_float or (node.op_type == "Clip" and _bounds(graph, node) not in _NNAPI_CLIPS):
            yield node


def _bounds(graph: onnx.GraphProto, clip: onnx.NodeProto) -> tuple[float, float]:
    """Return the bounds of a Clip; infinite where one is missing or not constant."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    low, high = (constants.get(name) for name in [*clip.input[1:], "", ""][:2])
    return (
        float("-inf") if low is None else float(onnx.numpy_helper.to_array(low)),
        float("inf") if high is None else float(onnx.numpy_helper.to_array(high)),
    )
