"""Lowered networks -> one TFLite file."""

from __future__ import annotations

from pathlib import Path

from gdq_core.sensitivity.rule import SensitivityRule
from gdq_exporter.lowering import LoweredNetwork
from gdq_exporter.targets.tflite.model_builder import GraphBuilder, ModelBuilder, Tensor
from gdq_exporter.targets.tflite.predictor import add_predictor
from gdq_exporter.targets.tflite.sensitivity import add_sensitivity
from gdq_exporter.targets.tflite.subgraph import add_subgraph
from gdq_models.predictor.parameters import PredictorParameters
from gdq_runtime.bundle.manifest import GraphSpec, Subgraph, TensorSpec, TfliteGraph

FILE = "tflite/graphs.tflite"


class TfliteWriter:
    """Collects the graphs of one bundle, for tiles of one size."""

    def __init__(self, bundle: Path, tile: int) -> None:
        """Args: bundle: folder under construction; tile: side of a tile in pixels."""
        self._path = bundle / FILE
        self._path.parent.mkdir()
        self._tile = tile
        self._model = ModelBuilder()

    def write_subgraph(self, network: LoweredNetwork) -> Subgraph:
        """Add one bit-width; the lowered network is not changed.

        Raises:
            ExportError: the network has an operator that cannot be written.
        """
        graph = self._model.graph(f"bits{network.bit_width}")
        add_subgraph(graph, network.model, self._tile)
        return Subgraph(bit_width=network.bit_width, **_describe(graph).model_dump())

    def write_predictor(self, parameters: PredictorParameters | SensitivityRule) -> GraphSpec:
        """Add a gate and its entropy rule, or sensitivity heads for tiles of their own size."""
        graph = self._model.graph("predictor")
        if isinstance(parameters, SensitivityRule):
            add_sensitivity(graph, parameters)
        else:
            add_predictor(graph, parameters, self._tile)
        return _describe(graph)

    def close(self) -> None:
        """Write the file."""
        self._path.write_bytes(self._model.to_bytes())


def _describe(graph: GraphBuilder) -> GraphSpec:
    return GraphSpec(
        tflite=TfliteGraph(file=FILE, signature=graph.name),
        inputs=[_spec(*item) for item in graph.inputs.items()],
        outputs=[_spec(*item) for item in graph.outputs.items()],
    )


def _spec(name: str, tensor: Tensor) -> TensorSpec:
    scaled = {}
    if tensor.quantization is not None:
        scaled = {
            "step": float(tensor.quantization.step),
            "zero_point": tensor.quantization.zero_point,
        }
    return TensorSpec.model_validate(
        {"name": name, "dtype": tensor.dtype.name, "shape": list(tensor.shape), **scaled}
    )
