"""Lowered networks -> the packed model, one file for all bit-widths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.rule import SensitivityRule
from gdq_exporter.calibration import observe
from gdq_exporter.lowering import LoweredNetwork
from gdq_exporter.targets.engine.packed_model import PackedModel
from gdq_exporter.targets.engine.translation import Translated, translate
from gdq_exporter.targets.engine.widths import join_widths
from gdq_models.predictor.parameters import PredictorParameters

FILE = "engine/model.gdq"
_RESERVE = 1.5
"""How much larger than on any calibration tile a stream may get before it saturates."""
_LARGEST_INT16 = 32767
_TINY = float(np.finfo(np.float32).tiny)


def check_expressible(networks: Sequence[LoweredNetwork]) -> None:
    """Make sure that the packed model can express a network.

    Raises:
        ExportError: it cannot.
    """
    join_widths([translate(network).model for network in networks])


def pack(
    networks: Sequence[LoweredNetwork],
    tiles: NDArray[np.uint8],
    predictor: PredictorParameters | SensitivityRule | None = None,
) -> PackedModel:
    """Translate a network at all its bit-widths; the lowered networks are not changed.

    Args:
        networks: one per bit-width.
        tiles: (N, size, size, 3), on which the streams are measured.
        predictor: what chooses among them.

    Raises:
        ExportError: the packed model cannot express it.
    """
    networks = sorted(networks, key=lambda network: network.bit_width)
    translated = [translate(network) for network in networks]
    model = join_widths([one.model for one in translated])
    values = list(model.values)
    for number, step in _stream_steps(networks, translated, tiles).items():
        values[number] = replace(values[number], steps=(step,))
    return replace(model, values=tuple(values), predictor=predictor)


def write_engine(
    bundle: Path,
    networks: Sequence[LoweredNetwork],
    tiles: NDArray[np.uint8],
    predictor: PredictorParameters | SensitivityRule,
) -> str:
    """Write the file into a bundle under construction and return its path; see ``pack``."""
    content = pack(networks, tiles, predictor).to_bytes()
    path = bundle / FILE
    path.parent.mkdir()
    path.write_bytes(content)
    return FILE


def _stream_steps(
    networks: Sequence[LoweredNetwork],
    translated: Sequence[Translated],
    tiles: NDArray[np.uint8],
) -> dict[int, float]:
    """Return for each stream, by number, a step that is wide enough for every bit-width."""
    largest = dict.fromkeys(translated[0].streams, 0.0)
    for network, one in zip(networks, translated, strict=True):
        seen = observe(network.model, list(one.streams.values()), tiles)
        for number, name in one.streams.items():
            largest[number] = max(largest[number], seen[name].magnitude)
    steps = {number: _RESERVE * one / _LARGEST_INT16 for number, one in largest.items()}
    # A stream of (practically) zeros: any step will do.
    return {number: step if step >= _TINY else 1.0 for number, step in steps.items()}
