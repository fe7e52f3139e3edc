"""The graphs of a bundle: written by every target, and described together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gdq_core.sensitivity.rule import SensitivityRule
from gdq_exporter.targets.base import Source, Target
from gdq_models.predictor.parameters import PredictorParameters
from gdq_runtime.bundle.manifest import GraphSpec, Predictor, SensitivityHeads, Subgraph


def write_graphs(
    folder: Path, source: Source, targets: Sequence[Target]
) -> tuple[Predictor, list[Subgraph]]:
    """Write all graphs and describe them.

    Args:
        folder: bundle under construction.
        source: what to write.
        targets: in which to write it; the first one says what goes in and out.

    Raises:
        ExportError: a format cannot express the network.
    """
    written = {target.name: target.write(folder, source) for target in targets}
    first, *others = written.items()
    described = list(first[1])
    for graph_format, specs in others:
        for index, spec in enumerate(specs):
            place: dict[str, Any] = {graph_format: getattr(spec, graph_format)}
            described[index] = described[index].model_copy(update=place)
    predictor, *graphs = described
    subgraphs = [
        Subgraph.model_validate(graph.model_dump() | {"bit_width": one.bit_width})
        for graph, one in zip(graphs, source.lowered, strict=True)
    ]
    return _describe_predictor(predictor, source.predictor), subgraphs


def _describe_predictor(
    spec: GraphSpec, parameters: PredictorParameters | SensitivityRule
) -> Predictor:
    if isinstance(parameters, SensitivityRule):
        heads = SensitivityHeads.of(parameters)
        return Predictor.model_validate(
            spec.model_dump() | {"gate": "statistics", "sensitivity": heads}
        )
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
