"""The target TFLite: all graphs in one file, one signature each.

Its library is imported when it is used, so that other formats can be written without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gdq_exporter.targets.base import Findings, Library, Source, Target
from gdq_runtime.bundle.manifest import AgreementBound, GraphSpec, Subgraph


class TfliteTarget(Target):
    """int8 graphs for tiles of one size, each run by XNNPACK as a whole."""

    name = "tflite"
    engine = "litert"
    rounds_as_written = True
    bounds = (AgreementBound(levels=1, share=1e-3),)
    library = Library("ai_edge_litert", "ai-edge-litert")
    sections = ("tflite",)

    def check_expressible(self, source: Source) -> None:
        """See ``Target.check_expressible``; bit-widths differ in numbers only."""
        from gdq_exporter.targets.tflite.model_builder import ModelBuilder
        from gdq_exporter.targets.tflite.subgraph import add_subgraph

        add_subgraph(ModelBuilder().graph("tried"), source.lowered[0].model, source.tile)

    def write(self, bundle: Path, source: Source) -> list[GraphSpec]:
        """See ``Target.write``."""
        from gdq_exporter.targets.tflite.writer import TfliteWriter

        writer = TfliteWriter(bundle, source.tile)
        subgraphs = [writer.write_subgraph(one) for one in source.lowered]
        predictor = writer.write_predictor(source.predictor)
        writer.close()
        return [predictor, *subgraphs]

    def check(
        self, bundle: Path, predictor: GraphSpec, subgraphs: Sequence[Subgraph], source: Source
    ) -> Findings:
        """Check that XNNPACK takes the graphs when LiteRT loads them."""
        from gdq_exporter.targets.tflite.delegation import check_delegation

        places = [graph.tflite for graph in (predictor, *subgraphs) if graph.tflite is not None]
        delegation = {
            place.signature: check_delegation(bundle / place.file, place.signature)
            for place in places
        }
        return {"tflite": delegation}

    def summarise(self, findings: Findings) -> list[str]:
        """See ``Target.summarise``."""
        whole = ", ".join(name for name, one in findings["tflite"].items() if one.is_whole)
        return [f"litert: as a whole on XNNPACK: {whole}"]
