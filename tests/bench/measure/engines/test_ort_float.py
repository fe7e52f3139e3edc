from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gdq_bench.measure.engines.ort_float import OrtFloatEngine
from gdq_bench.measure.float_network import write_float_network
from gdq_core.bit_widths import FLOAT
from gdq_core.errors import EngineError
from gdq_runtime.bundle.reader import Bundle
from gdq_validate.agreement import prove, read_picture


def test_float_beside_the_bundles_widths(bundle: Bundle, tmp_path: Path) -> None:
    graph = bundle.subgraph(8).onnx
    assert graph is not None
    write_float_network(bundle.file(graph), tmp_path / "float.onnx")
    engine = OrtFloatEngine(bundle, 32, tmp_path / "float.onnx")
    assert prove(bundle, engine, "onnx").differences.keys() == {0}
    tile = read_picture(bundle.file(bundle.manifest.golden[0].tile))
    apart = engine.run(FLOAT, tile).astype(int) - engine.run(8, tile)
    assert np.abs(apart).max() > 0
    assert np.abs(apart).mean() < 2


def test_a_file_that_is_no_graph_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "float.onnx").write_text("no graph")
    with pytest.raises(EngineError, match=r"ONNX Runtime refuses .*float\.onnx"):
        OrtFloatEngine(bundle, 32, tmp_path / "float.onnx")
