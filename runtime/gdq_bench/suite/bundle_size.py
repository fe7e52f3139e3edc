"""What four bit-widths cost in storage over one."""

from __future__ import annotations

from pathlib import Path

from gdq_bench.protocol import Facts, Result
from gdq_bench.suite.subjects import Subjects
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_exporter.calibration import load_calibration
from gdq_exporter.config import DEFAULT_PROFILE, PROFILES, ExportConfig
from gdq_exporter.lowering import LoweredNetwork, lower_shared, lower_width
from gdq_exporter.targets.onnx.predictor import build_predictor
from gdq_exporter.targets.onnx.writer import OnnxWriter
from gdq_exporter.trace import trace
from gdq_models import SuperResolutionNetwork, load_checkpoint


def measure(subjects: Subjects) -> list[Result]:
    """Write the model files with all bit-widths and with one; the smallest one is compared."""
    config = ExportConfig()
    network = load_checkpoint(subjects.checkpoint).network
    tiles = load_calibration(None, config.tile, 2).tiles  # steps do not change sizes
    shared = lower_shared(trace(network, config.tile), PROFILES[DEFAULT_PROFILE])
    lowered = [lower_width(shared, bit_width, tiles) for bit_width in BIT_WIDTHS]
    four = _size(subjects.folder / "four", network, lowered)
    one = min(_size(subjects.folder / f"one{x.bit_width}", network, [x]) for x in lowered)
    facts: Facts = {"four widths, bytes": four, "one width, bytes": one}
    return [
        Result(
            name="bundle of four bit-widths against one",
            value=four / one,
            unit="ratio",
            bar=1.05,
            facts=facts,
        )
    ]


def _size(folder: Path, network: SuperResolutionNetwork, lowered: list[LoweredNetwork]) -> int:
    folder.mkdir()
    writer = OnnxWriter(folder)
    for one in lowered:
        writer.write_subgraph(one, network.scale)
    writer.write(build_predictor(network.decision()), "predictor")
    writer.close()
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
