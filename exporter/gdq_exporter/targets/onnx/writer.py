"""Lowered networks -> ONNX files over one shared weight file, or with their weights inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
from onnx_ir.passes import common

from gdq_exporter.lowering import LoweredNetwork
from gdq_exporter.targets.onnx.image_ends import add_image_ends
from gdq_exporter.targets.onnx.saturation import clamp_by_saturation
from gdq_exporter.targets.onnx.weight_store import WeightStore
from gdq_runtime.bundle.manifest import GraphSpec, Subgraph, TensorSpec

FOLDER = "onnx"
_OPSET = 20
_IR_VERSION = 10  # ONNX 1.16: what every ONNX Runtime since 1.18 reads


class OnnxWriter:
    """Writes the graphs of one bundle."""

    def __init__(self, bundle: Path, *, embeds_weights: bool = False) -> None:
        """Start with no graphs.

        Args:
            bundle: folder under construction.
            embeds_weights: whether every graph holds all of its constants, so that it loads from
                bytes; else the large ones lie beside, once for all graphs.
        """
        self._folder = bundle / FOLDER
        self._folder.mkdir()
        self._weights = None if embeds_weights else WeightStore(self._folder / "weights.bin")

    def write_subgraph(self, network: LoweredNetwork, scale: int) -> Subgraph:
        """Write one bit-width; the lowered network is not changed."""
        model = network.model.clone()
        clamp_by_saturation(model)
        add_image_ends(model, scale)
        name = f"bits{network.bit_width}"
        spec = self.write(model, name)
        image = {"step": 1.0, "zero_point": 0}
        return Subgraph(
            bit_width=network.bit_width,
            onnx=spec.onnx,
            inputs=[tensor.model_copy(update=image) for tensor in spec.inputs],
            outputs=[tensor.model_copy(update=image) for tensor in spec.outputs],
        )

    def write(self, model: ir.Model, name: str) -> GraphSpec:
        """Write any graph under ``name``; ``model`` is changed."""
        common.DeduplicateInitializersPass()(model)
        common.RemoveUnusedNodesPass()(model)
        _set_header(model)
        _make_compact(model)
        if self._weights is not None:
            self._weights.externalise(model)
        path = self._folder / f"{name}.onnx"
        path.write_bytes(_to_proto(model).SerializeToString())
        return GraphSpec(
            onnx=f"{FOLDER}/{path.name}",
            inputs=[_spec(value) for value in model.graph.inputs],
            outputs=[_spec(value) for value in model.graph.outputs],
        )

    def close(self) -> None:
        """Write the shared weights, if there are any."""
        if self._weights is not None:
            self._weights.save()


def _spec(value: ir.Value) -> TensorSpec:
    assert value.name is not None
    assert value.shape is not None
    assert value.dtype is not None
    names = {"UINT8": "uint8", "FLOAT": "float32", "INT32": "int32", "INT64": "int64"}
    shape = [dim if isinstance(dim, int) else str(dim.value) for dim in value.shape]
    return TensorSpec.model_validate(
        {"name": value.name, "dtype": names[value.dtype.name], "shape": shape}
    )


def _set_header(model: ir.Model) -> None:
    model.graph.name, model.producer_name, model.producer_version = "network", "gdq-export", None
    model.ir_version = _IR_VERSION
    model.graph.opset_imports.clear()
    model.graph.opset_imports[""] = _OPSET


def _make_compact(model: ir.Model) -> None:
    """Shorten what every graph of the bundle repeats: names, defaults, what a runtime infers."""
    common.ClearMetadataAndDocStringPass()(model)
    graph = model.graph
    boundary = {*graph.inputs, *graph.outputs}
    for number, value in enumerate(list(graph.initializers.values())):
        value.name = f"k{number:x}"
    number = 0
    for node in graph:
        node.name = None
        for value in node.outputs:
            if value not in boundary:
                value.name, number = f"{number:x}", number + 1
        if node.op_type == "Conv":
            _drop_defaults(node)


def _drop_defaults(conv: ir.Node) -> None:
    conv.attributes.pop("kernel_shape", None)  # a runtime takes it from the weights
    for name in ("dilations", "group", "strides"):
        attribute = conv.attributes.get(name)
        if attribute is not None and set(np.atleast_1d(attribute.value)) == {1}:
            del conv.attributes[name]
    if conv.attributes.get_string("auto_pad", "NOTSET") == "NOTSET":
        conv.attributes.pop("auto_pad", None)


def _to_proto(model: ir.Model) -> onnx.ModelProto:
    proto = ir.to_proto(model)
    del proto.graph.value_info[:]
    return proto
