"""Checks that convs meant to be integer really run as integers in ONNX Runtime."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir
import onnxruntime as ort

from gdq_exporter.errors import ExportError
from gdq_exporter.ir import forms
from gdq_exporter.targets.onnx.optimized_graph import save_optimized

_INTEGER_CONVS = ("QLinearConv", "ConvInteger")


@dataclass(frozen=True)
class FusionResult:
    """What ONNX Runtime's optimizer made of one graph."""

    integer_convs: int
    """Convs that run on uint8 and int8 with 32-bit accumulators."""
    float_convs: int
    operators: dict[str, int]
    """Every operator of the optimized graph, and how often it occurs."""


def check_fusion(graph: Path, lowered: ir.Model) -> FusionResult:
    """Load a written graph with all optimizations and count its convs.

    Args:
        graph: the ONNX file, with its weights beside it.
        lowered: the network it was written from; tells how many integer convs were meant.

    Raises:
        ExportError: a conv meant to be integer is not, or the graph cannot be loaded.
    """
    operators = _optimized_operators(graph)
    integer = sum(operators[name] for name in _INTEGER_CONVS)
    meant = len(forms.integer_convs(lowered))
    total = sum(1 for node in lowered.graph if node.op_type == "Conv")
    floats = sum(n for name, n in operators.items() if name in ("Conv", "FusedConv"))
    if integer != meant or floats != total - meant:
        raise ExportError(
            f"{graph.name}: ONNX Runtime {ort.__version__} runs {integer} of {meant} integer convs"
            f" as integers and {floats} in float ({total - meant} expected); please report this"
        )
    return FusionResult(integer, floats, dict(sorted(operators.items())))


def _optimized_operators(graph: Path) -> Counter[str]:
    with tempfile.TemporaryDirectory() as folder:
        optimized = Path(folder) / "optimized.onnx"
        save_optimized(graph, optimized)
        return Counter(node.op_type for node in ir.load(optimized).graph)
