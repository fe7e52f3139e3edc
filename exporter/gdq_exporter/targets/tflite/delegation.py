"""Checks that XNNPACK takes the graphs of a TFLite file when LiteRT loads them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from gdq_exporter.errors import ExportError
from gdq_exporter.targets.tflite.model_builder import AlignedBuffer, pack

_DELEGATE = "DELEGATE"
_CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"})


@dataclass(frozen=True)
class DelegationResult:
    """What LiteRT made of one graph."""

    is_whole: bool
    """Whether XNNPACK runs all of it: one delegate node from the graph's inputs to its outputs."""
    parts: int
    """Runs of operators that XNNPACK took; between them plain kernels work."""
    operators: dict[str, int]
    """Every operator of the graph, and how often it occurs."""


def check_delegation(file: Path, signature: str) -> DelegationResult:
    """Load one graph of a written file as LiteRT does by default and see what runs it.

    A graph without convolutions, the predictor, may have operators of plain kernels, and may
    rearrange its matrices.

    Raises:
        ExportError: XNNPACK does not take all of a graph with convolutions, or the graph changes
            the layout of a tensor; or LiteRT refuses the graph.
    """
    place = f"{file.name}, {signature}"
    try:
        # The interpreter reports on the first graph of a file only.
        interpreter = Interpreter(model_content=_isolated(file, signature), num_threads=1)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ExportError(f"{place}: LiteRT refuses it: {reason}") from error
    result = _inspect(interpreter)
    if not _CONVOLUTIONS & result.operators.keys():
        return result
    if "TRANSPOSE" in result.operators:
        raise ExportError(f"{place}: a tensor changes its layout; please report this")
    if not result.is_whole:
        raise ExportError(
            f"{place}: XNNPACK takes {result.parts} parts of the graph, not all of it: some "
            "convolutions would run on slow kernels; please report this"
        )
    return result


def _isolated(file: Path, signature: str) -> bytes:
    """Return a file with one of the graphs only."""
    model = schema.ModelT.InitFromPackedBuf(file.read_bytes(), 0)
    (found,) = (entry for entry in model.signatureDefs if entry.signatureKey == signature.encode())
    model.subgraphs = [model.subgraphs[found.subgraphIndex]]
    found.subgraphIndex = 0
    model.signatureDefs = [found]
    model.buffers = [
        AlignedBuffer(None if buffer.data is None else bytes(buffer.data))
        for buffer in model.buffers
    ]
    return pack(model)


def _inspect(interpreter: Any) -> DelegationResult:
    # Operators that a delegate took stay listed beside the delegate's node.
    nodes = interpreter._get_ops_details()
    delegates = [node for node in nodes if node["op_name"] == _DELEGATE]
    inputs, outputs = (
        {tensor["index"] for tensor in details()}
        for details in (interpreter.get_input_details, interpreter.get_output_details)
    )
    is_whole = (
        len(delegates) == 1
        and inputs <= set(delegates[0]["inputs"])
        and outputs == set(delegates[0]["outputs"])
    )
    operators = Counter(node["op_name"] for node in nodes if node["op_name"] != _DELEGATE)
    return DelegationResult(is_whole, len(delegates), dict(sorted(operators.items())))
