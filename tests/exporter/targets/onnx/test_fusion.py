from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from exporter.traced import lowered
from gdq_exporter.errors import ExportError
from gdq_exporter.ir import editing, forms
from gdq_exporter.lowering import LoweredNetwork
from gdq_exporter.targets.onnx.fusion import check_fusion
from gdq_exporter.targets.onnx.writer import OnnxWriter

INTEGER_TAIL = "stream_float-tail_int8"


def write(network: LoweredNetwork, folder: Path) -> Path:
    writer = OnnxWriter(folder)
    subgraph = writer.write_subgraph(network, scale=2)
    writer.close()
    assert subgraph.onnx is not None
    return folder / subgraph.onnx


@pytest.mark.parametrize(
    ("name", "integer", "floating"), [("edsr x2", 5, 10), ("srresnet x2", 4, 2)]
)
def test_counts_what_really_runs(name: str, integer: int, floating: int, tmp_path: Path) -> None:
    """EDSR's merged tail is nine small float convs; head and tail are float in both."""
    network = lowered(name, 6, INTEGER_TAIL)
    result = check_fusion(write(network, tmp_path), network.model)
    assert (result.integer_convs, result.float_convs) == (integer, floating)
    assert result.operators["QLinearConv"] == integer


def bypass_output(model: ir.Model) -> None:
    """The readers of a conv get its float output instead of the quantized one."""
    conv = forms.integer_convs(model)[1]
    quantize = conv.outputs[0].consumers()[0]
    (dequantize,) = quantize.outputs[0].consumers()
    editing.redirect(dequantize.outputs[0], conv.outputs[0])
    editing.drop_unused(model)


def give_float_bias(model: ir.Model) -> None:
    """The bias is the sum of an integer bias and a float."""
    conv = forms.integer_convs(model)[0]
    half = editing.add_constant(model, np.full(1, 0.5, np.float32), "half")
    conv.replace_input_with(2, editing.insert(model, conv, "Add", [conv.inputs[2], half]))


@pytest.mark.parametrize("spoil", [bypass_output, give_float_bias])
def test_a_conv_that_stays_float_fails_the_export(
    spoil: Callable[[ir.Model], None], tmp_path: Path
) -> None:
    network = lowered("edsr x2", 6, INTEGER_TAIL)
    spoil(network.model)
    with pytest.raises(ExportError, match=r"runs \d of 5 integer convs as integers"):
        check_fusion(write(network, tmp_path), network.model)


def test_an_integer_conv_nobody_meant_fails_too(tmp_path: Path) -> None:
    path = write(lowered("edsr x2", 6, INTEGER_TAIL), tmp_path)
    meant = lowered("edsr x2", 6, "stream_float-tail_float").model
    with pytest.raises(ExportError, match="runs 5 of 4 integer convs"):
        check_fusion(path, meant)


def test_a_graph_that_cannot_be_loaded_is_one_sentence(tmp_path: Path) -> None:
    network = lowered("edsr x2", 6, INTEGER_TAIL)
    path = write(network, tmp_path)
    (path.parent / "weights.bin").unlink()
    with pytest.raises(ExportError, match=r"bits6\.onnx: ONNX Runtime refuses it"):
        check_fusion(path, network.model)
