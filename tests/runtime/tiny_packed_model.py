"""A packed model (docs/engine.md) that computes what the subgraphs of the tiny bundle do.

A real convolution makes codes of the pixels, an integer one adds the bit-width, as its bias, and
another real one spreads each pixel over scale x scale; all steps are 1. The predictor goes by
brightness.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdq_exporter.targets.engine.packed_model import Kind, Layer, PackedModel, Value
from gdq_models.predictor.parameters import PredictorParameters
from runtime.tiny_bundle import read_manifest, seal, write_manifest, write_tiny_bundle

FILE = "graphs.gdq"
_CHANNELS = 16


def packed_model(scale: int = 2, bit_widths: Sequence[int] = (4, 5, 6, 8)) -> bytes:
    """Returns the file; the codes have eight bits at every width."""
    widths, spread = tuple(sorted(bit_widths)), 3 * scale**2
    enter = np.zeros((1, _CHANNELS, 3, 1, 1), np.float32)
    enter[0, range(3), range(3)] = 1
    keep = np.zeros((_CHANNELS, _CHANNELS, 3, 3), np.int8)
    keep[range(3), range(3), 1, 1] = 1
    leave = np.zeros((1, spread, _CHANNELS, 1, 1), np.float32)
    leave[0, range(spread), np.arange(spread) % 3] = 1
    ones, eights = (1.0,) * len(widths), (8,) * len(widths)
    values = (
        Value(Kind.PICTURE, 3, 1),
        Value(Kind.CODES, _CHANNELS, 1, steps=ones, bits=eights),
        Value(Kind.STREAM, _CHANNELS, 1, steps=(1.0,)),
        Value(Kind.PICTURE, 3, scale),
    )
    layers = (
        _layer(0, enter, np.zeros((1, _CHANNELS)), codes=1),
        _layer(1, keep, np.repeat(np.array(widths)[:, None], _CHANNELS, axis=1), stream=2),
        _layer(2, leave, np.zeros((1, spread)), stream=3, block=scale),
    )
    return PackedModel(scale, widths, values, layers, _predictor(widths)).to_bytes()


def predict(tile: NDArray[np.uint8]) -> int:
    """NumPy reference of the predictor's decision."""
    return (4, 6, 8)[np.argmax([0, tile.mean() - 85, 2 * tile.mean() - 255])]


def write_tiny_packed_bundle(folder: Path, *, scale: int = 2) -> Path:
    """Writes a tiny bundle that is there as ONNX and as a packed model."""
    write_tiny_bundle(folder, scale=scale)
    (folder / FILE).write_bytes(packed_model(scale))
    manifest = read_manifest(folder)
    manifest["formats"].append("engine")
    for graph in (manifest["predictor"], *manifest["subgraphs"]):
        graph["engine"] = FILE
    write_manifest(folder, manifest)
    seal(folder)
    return folder


def _predictor(widths: Sequence[int]) -> PredictorParameters:
    """The lowest, a middle and the highest width for dark, gray and bright tiles."""
    gate = np.zeros((3, 3))
    gate[:, 0] = 0, 1, 2
    return PredictorParameters(
        head_weight=np.full((1, 3, 1, 1), 1 / 3), head_bias=np.zeros(1), mean=np.zeros(3),
        gate="linear", gate_weight=gate, gate_bias=np.array([0.0, -85.0, -255.0]),
        groups=None, norm_weight=None, norm_bias=None, norm_epsilon=1e-6,
        e2b_thresholds=np.array([1.0, 2.0]), e2b_bit_widths=(widths[-1],) * 3,
        gate_bit_widths=(widths[0], widths[len(widths) // 2], widths[-1]),
    )  # fmt: skip


def _layer(
    source: int,
    weights: NDArray[np.int8] | NDArray[np.float32],
    bias: NDArray[Any],
    *,
    stream: int | None = None,
    codes: int | None = None,
    block: int = 1,
) -> Layer:
    """A convolution and nothing more."""
    is_integer = weights.dtype == np.int8
    return Layer(
        source=source, residual=None, stream=stream, codes=codes, block=block, factor=0.0,
        weights=weights, weight_steps=np.ones(1, np.float32) if is_integer else None,
        bias=bias.astype(np.float32), slopes=None, gains=None, shifts=None,
    )  # fmt: skip
