"""The target ONNX: a file for each graph, over one file of weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gdq_exporter.targets.base import Findings, Source, Target
from gdq_exporter.targets.onnx.fusion import check_fusion
from gdq_exporter.targets.onnx.mobile_usability import check_mobile_usability
from gdq_exporter.targets.onnx.predictor import build_predictor
from gdq_exporter.targets.onnx.writer import OnnxWriter
from gdq_runtime.bundle.manifest import AgreementBound, GraphSpec, Subgraph


class OnnxTarget(Target):
    """Standard operators in quantize-dequantize form; tiles of any size."""

    name = "onnx"
    engine = "onnxruntime"
    rounds_as_written = True
    bounds = (AgreementBound(levels=1, share=1e-3),)
    sections = ("onnx", "mobile")

    def check_expressible(self, source: Source) -> None:
        """Do nothing: every lowered network is an ONNX graph."""

    def write(self, bundle: Path, source: Source) -> list[GraphSpec]:
        """See ``Target.write``."""
        writer = OnnxWriter(bundle, embeds_weights=source.onnx_embeds_weights)
        subgraphs = [writer.write_subgraph(one, source.scale) for one in source.lowered]
        predictor = writer.write(build_predictor(source.predictor), "predictor")
        writer.close()
        return [predictor, *subgraphs]

    def check(
        self, bundle: Path, predictor: GraphSpec, subgraphs: Sequence[Subgraph], source: Source
    ) -> Findings:
        """Count what ONNX Runtime runs in integers, and predict what NNAPI would take."""
        files = [bundle / str(graph.onnx) for graph in (predictor, *subgraphs)]
        fusion = {
            str(subgraph.bit_width): check_fusion(file, one.model)
            for subgraph, file, one in zip(subgraphs, files[1:], source.lowered, strict=True)
        }
        mobile = {file.stem: check_mobile_usability(file, source.tile) for file in files}
        return {"onnx": fusion, "mobile": mobile}

    def summarise(self, findings: Findings) -> list[str]:
        """See ``Target.summarise``."""
        convs = ", ".join(
            f"{one.integer_convs} + {one.float_convs} at {width} bits"
            for width, one in findings["onnx"].items()
        )
        parts = ", ".join(
            f"{name} {one.nnapi.taken}/{one.nnapi.nodes} nodes in {one.nnapi.partitions}"
            for name, one in findings["mobile"].items()
        )
        return [
            f"onnxruntime: integer + float convolutions: {convs}",
            f"nnapi, predicted: {parts}",
        ]
