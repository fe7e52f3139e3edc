"""The lowered networks and the predictor in every format that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdq_exporter.lowering import LoweredNetwork
from gdq_models import SuperResolutionNetwork
from gdq_runtime.bundle.manifest import Format, GraphSpec, Predictor, Subgraph


def write_graphs(
    folder: Path,
    network: SuperResolutionNetwork,
    lowered: list[LoweredNetwork],
    formats: Sequence[Format],
    tiles: NDArray[np.uint8],
) -> tuple[Predictor, list[Subgraph]]:
    """Writes all graphs and describes them.

    Args:
        folder: bundle under construction.
        network: tells the predictor.
        lowered: a network per bit-width.
        formats: in which to write them.
        tiles: (N, size, size, 3), calibration tiles.

    Raises:
        ExportError: a format cannot express the network.
    """
    written = {
        graph_format: _WRITERS[graph_format](folder, network, lowered, tiles)
        for graph_format in formats
    }
    first, *others = written.items()
    described = list(first[1])
    for graph_format, specs in others:
        for index, spec in enumerate(specs):
            place: dict[str, Any] = {graph_format: getattr(spec, graph_format)}
            described[index] = described[index].model_copy(update=place)
    predictor, *graphs = described
    subgraphs = [
        Subgraph.model_validate(graph.model_dump() | {"bit_width": one.bit_width})
        for graph, one in zip(graphs, lowered, strict=True)
    ]
    return _describe_predictor(predictor, network), subgraphs


def _write_onnx(
    folder: Path,
    network: SuperResolutionNetwork,
    lowered: list[LoweredNetwork],
    tiles: NDArray[np.uint8],
) -> list[GraphSpec]:
    """Predictor first; the graphs take tiles of any size."""
    from gdq_exporter.targets.onnx.predictor import build_predictor
    from gdq_exporter.targets.onnx.writer import OnnxWriter

    writer = OnnxWriter(folder)
    subgraphs = [writer.write_subgraph(one, network.scale) for one in lowered]
    predictor = writer.write(build_predictor(network.predictor_parameters()), "predictor")
    writer.close()
    return [predictor, *subgraphs]


def _write_tflite(
    folder: Path,
    network: SuperResolutionNetwork,
    lowered: list[LoweredNetwork],
    tiles: NDArray[np.uint8],
) -> list[GraphSpec]:
    """Predictor first."""
    from gdq_exporter.targets.tflite.writer import TfliteWriter

    writer = TfliteWriter(folder, tiles.shape[1])
    subgraphs = [writer.write_subgraph(one) for one in lowered]
    predictor = writer.write_predictor(network.predictor_parameters())
    writer.close()
    return [predictor, *subgraphs]


def _write_engine(
    folder: Path,
    network: SuperResolutionNetwork,
    lowered: list[LoweredNetwork],
    tiles: NDArray[np.uint8],
) -> list[GraphSpec]:
    """Predictor first; all are one file, which takes tiles of any size."""
    from gdq_exporter.targets.engine.ends import describe_predictor, describe_subgraph
    from gdq_exporter.targets.engine.writer import write_engine

    file = write_engine(folder, lowered, tiles, network.predictor_parameters())
    return [describe_predictor(file), *[describe_subgraph(file, network.scale)] * len(lowered)]


_WRITERS = {"onnx": _write_onnx, "tflite": _write_tflite, "engine": _write_engine}
"""Each imports its library only when it is chosen."""


def _describe_predictor(spec: GraphSpec, network: SuperResolutionNetwork) -> Predictor:
    parameters = network.predictor_parameters()
    return Predictor.model_validate(
        spec.model_dump()
        | {
            "gate": parameters.gate,
            "gate_bit_widths": parameters.gate_bit_widths,
            "e2b": {
                "thresholds": parameters.e2b_thresholds.tolist(),
                "bit_widths": parameters.e2b_bit_widths,
            },
        }
    )
