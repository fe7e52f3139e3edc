from __future__ import annotations

from pathlib import Path

import pytest

from gdq_exporter import ExportError, ExportResult
from gdq_exporter.checks.memory import is_measurable, measure_memory
from gdq_runtime.bundle.reader import Bundle

pytestmark = pytest.mark.skipif(not is_measurable(), reason="needs /proc")


def test_every_graph_takes_some_memory_in_every_engine(exported: ExportResult) -> None:
    measured = measure_memory(Bundle.open(exported.bundle), ("onnxruntime", "litert"))
    assert list(measured) == ["onnxruntime", "litert"]
    for graphs in measured.values():
        assert list(graphs) == ["predictor", "bits4", "bits5", "bits6", "bits8"]
        # A tiny network, so most of it is the library's own.
        assert all(2e5 < size < 1e8 for size in graphs.values())


def test_a_graph_that_does_not_run_is_one_sentence(exported: ExportResult, tmp_path: Path) -> None:
    """Its files are not there."""
    with pytest.raises(ExportError, match=r"^measuring memory on onnxruntime failed: .*onnx"):
        measure_memory(Bundle(tmp_path, exported.manifest), ("onnxruntime",))
