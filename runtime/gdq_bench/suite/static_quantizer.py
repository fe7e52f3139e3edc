"""Our 8-bit subgraph against a plain static-int8 export by ONNX Runtime's own quantizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)

from gdq_bench.measure.clock import interleave, ratio
from gdq_bench.measure.machine import pinned
from gdq_bench.measure.sample_picture import mosaic
from gdq_bench.protocol import Facts, Result
from gdq_bench.suite.results import facts_of
from gdq_bench.suite.subjects import Subjects
from gdq_exporter.ir import editing, operators
from gdq_exporter.trace import HEIGHT, INPUT, WIDTH, trace
from gdq_models import load_checkpoint
from gdq_runtime.bundle.reader import Bundle

_TILE = 96
_VARIANTS = {
    "static, per tensor": {"per_channel": False, "activation_type": QuantType.QInt8},
    "static, per channel": {"per_channel": True, "activation_type": QuantType.QInt8},
    "static, per channel, uint8": {"per_channel": True, "activation_type": QuantType.QUInt8},
}
"""The quantizer's own defaults, and what its guide recommends for this kind of processor."""


class _Tiles(CalibrationDataReader):  # type: ignore[misc]
    """Calibration tiles in the form that the quantizer wants."""

    def __init__(self, count: int) -> None:
        strip = mosaic(_TILE * count, _TILE)
        self._tiles: Iterator[NDArray[np.uint8]] = iter(np.split(strip, count, axis=1))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next input, or None at the end."""
        tile = next(self._tiles, None)
        return None if tile is None else {INPUT: _planar(tile)}


def measure(subjects: Subjects) -> list[Result]:
    """Time one tile of each on one processor; ours counts with its uint8 ends.

    The bar is held against the fastest of the quantizer's variants, whatever its quality.
    """
    runs = {"ours": _runner(_our_subgraph(subjects), mosaic(_TILE, _TILE)[None])}
    for name, path in _quantize(subjects):
        runs[name] = _runner(path, _planar(mosaic(_TILE, _TILE)))
    with pinned(1):
        times = interleave(runs, rounds=3 if subjects.quick else 40)
    facts: Facts = {}
    for name, measured in times.items():
        facts |= facts_of(name, measured)
    slowest_case = max(ratio(times["ours"], times[name]).median for name in _VARIANTS)
    return [
        Result(
            name="8-bit subgraph against a static export",
            value=slowest_case,
            unit="ratio",
            bar=1.10,
            facts=facts,
        )
    ]


def _our_subgraph(subjects: Subjects) -> Path:
    bundle = Bundle.open(subjects.bundle)
    graph = bundle.subgraph(8).onnx
    assert graph is not None
    return bundle.file(graph)


def _quantize(subjects: Subjects) -> Iterator[tuple[str, Path]]:
    """Return the float network through ONNX Runtime's quantizer, in every variant."""
    original, prepared = subjects.folder / "float.onnx", subjects.folder / "prepared.onnx"
    _write_float_network(subjects, original)
    quant_pre_process(original, prepared)
    for number, (name, options) in enumerate(_VARIANTS.items()):
        target = subjects.folder / f"static{number}.onnx"
        tiles = _Tiles(2 if subjects.quick else 16)
        quantize_static(prepared, target, tiles, quant_format=QuantFormat.QDQ, **options)
        yield name, target


def _write_float_network(subjects: Subjects, path: Path) -> None:
    """Write the traced network without our quantizers, at one tile size."""
    model = trace(load_checkpoint(subjects.checkpoint).network, _TILE)
    for node in list(model.graph):
        if node.domain == operators.DOMAIN:
            editing.redirect(node.outputs[0], editing.input_of(node, 0))
    editing.drop_unused(model)
    model.graph.opset_imports.pop(operators.DOMAIN, None)
    image = model.graph.inputs[0]
    image.shape = ir.Shape([1, 3, _TILE, _TILE])
    ir.save(model, path)


def _runner(path: Path, tile: NDArray[np.generic]) -> Callable[[], object]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    for dimension in (HEIGHT, WIDTH):
        options.add_free_dimension_override_by_name(dimension, _TILE)
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: tile}
    return lambda: session.run(None, inputs)


def _planar(tile: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.ascontiguousarray(tile.transpose(2, 0, 1)[None], dtype=np.float32)
