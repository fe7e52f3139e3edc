"""The written bundle against torch, same bit-widths and pictures: level 2 of docs/numerics.md."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gdq_core.fidelity import psnr
from gdq_core.resampling import make_smaller
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_exporter.errors import ExportError
from gdq_models import Prediction, SuperResolutionNetwork
from gdq_models.predictor.gbc import GATE_BIT_WIDTHS
from gdq_runtime.engines.base import Engine
from gdq_runtime.tiles.workers import Workers

LARGEST_LOSS = 0.03
"""dB that the exported graphs may lose against torch, per bit-width, on average over tiles."""
_EQUAL = 100.0
"""dB; stands for the infinite PSNR of equal pictures, which cannot be averaged."""
_LOGIT_NOISE = 1e-3
"""Relative to the largest logit: closer decisions are left to chance by float rounding."""
_ENTROPY_NOISE = 1e-4
"""Nats."""


Picture = NDArray[np.uint8]
"""(height, width, 3), RGB."""
Pair = tuple[Picture, Picture]
"""A low resolution tile and its ground truth."""


@dataclass(frozen=True)
class WidthParity:
    """One bit-width, over all pairs of low and high resolution."""

    bit_width: int
    reference_psnr: float
    """Of torch against ground truth, dB, mean over tiles."""
    exported_psnr: float
    """Of the written subgraph against ground truth, dB, mean over tiles."""
    mean_difference: float
    """Mean absolute difference of the two outputs, 0..255."""

    @property
    def loss(self) -> float:
        """Decibels lost by exporting."""
        return self.reference_psnr - self.exported_psnr


@dataclass(frozen=True)
class ParityResult:
    """Level 2 of the numerics contract."""

    tiles: int
    """Tiles on which decisions were compared."""
    undecided: tuple[int, ...]
    """Tiles whose decision differs within float noise of a threshold."""
    widths: tuple[WidthParity, ...]


def check_decisions(
    network: SuperResolutionNetwork, engine: Engine, tiles: NDArray[np.uint8]
) -> tuple[int, ...]:
    """Compare predicted bit-widths on (N, size, size, 3) tiles; return the undecided ones.

    Raises:
        ExportError: a decision differs by more than float noise, or a sensitivity at all.
    """
    rule = network.sensitivity_rule()
    if rule is not None:
        check_sensitivity(rule, engine, tiles)
        return ()
    undecided = []
    for index, tile in enumerate(tiles):
        with _one_torch_thread(), torch.inference_mode():
            expected = network.predict(_tensor(tile))
        got = engine.predict(tile)
        if int(expected.bit_width) == got.bit_width:
            continue
        if got.bit_width not in _plausible(network, expected):
            raise ExportError(
                f"the predictor on {engine.name} chooses {got.bit_width} bits where torch chooses "
                f"{int(expected.bit_width)} (tile {index}); please report this"
            )
        undecided.append(index)
    return tuple(undecided)


def check_sensitivity(rule: SensitivityRule, engine: Engine, tiles: NDArray[np.uint8]) -> None:
    """Compares sensitivity heads on (N, size, size, 3) tiles: whole numbers, so all are equal.

    Tiles of the hardest contrasts are added, where sums are largest.

    Raises:
        ExportError: one differs.
    """
    for tile in (*tiles, *_checkerboards(tiles.shape[1])):
        expected, got = rule.sense(tile), engine.sense(tile)
        if expected != got:
            raise ExportError(
                f"the sensitivity heads on {engine.name} answer {tuple(got)} instead of "
                f"{tuple(expected)}; please report this"
            )


def _checkerboards(side: int) -> list[Picture]:
    """Black and white fields of 1, 2, 4 and 8 pixels, straight and as diagonals."""
    rows, columns = np.indices((side, side))
    boards = [(rows // size + columns // size) % 2 for size in (1, 2, 4, 8)]
    stripes = [(rows + columns) // size % 2 for size in (1, 2, 4, 8)]
    return [
        np.repeat(255 * field[..., None], 3, axis=2).astype(np.uint8)
        for field in (*boards, *stripes)
    ]


class TorchReference:
    """Torch's output on tiles with ground truth; each bit-width runs once, for all engines."""

    def __init__(self, network: SuperResolutionNetwork, pairs: list[Pair]) -> None:
        """Args: network: runs them; pairs: (low resolution tile, ground truth)."""
        self.scale, self.pairs = network.scale, pairs
        self._network = network
        self._pictures: dict[int, list[Picture]] = {}

    def at(self, bit_width: int) -> list[Picture]:
        """Return the upscaled tiles at a bit-width, in the order of the pairs."""
        if bit_width not in self._pictures:
            tiles = [tile for tile, _ in self.pairs]
            with _one_torch_thread(), closing(Workers()) as workers:
                self._pictures[bit_width] = list(
                    workers.map_in_order(
                        lambda tile: _run_torch(self._network, bit_width, tile),
                        tiles,
                        ahead=workers.threads,
                    )
                )
        return self._pictures[bit_width]


def check_width(reference: TorchReference, engine: Engine, bit_width: int) -> WidthParity:
    """Compare one subgraph with torch.

    Raises:
        ExportError: the subgraph loses more than ``LARGEST_LOSS``.
    """
    expected, exported, differences = [], [], []
    tiles, truths = zip(*reference.pairs, strict=True)
    pictures = reference.at(bit_width)
    with closing(Workers()) as workers:
        answers = workers.map_in_order(
            lambda tile: engine.run(bit_width, tile), tiles, ahead=workers.threads
        )
        for picture, got, truth in zip(pictures, answers, truths, strict=True):
            expected.append(min(_EQUAL, psnr(picture, truth, reference.scale)))
            exported.append(min(_EQUAL, psnr(got, truth, reference.scale)))
            differences.append(np.abs(picture.astype(int) - got.astype(int)).mean())
    result = WidthParity(
        bit_width,
        float(np.mean(expected)),
        float(np.mean(exported)),
        float(np.mean(differences)),
    )
    if result.loss > LARGEST_LOSS:
        raise ExportError(
            f"the {bit_width}-bit subgraph on {engine.name} loses {result.loss:.3f} dB against "
            f"torch, more than {LARGEST_LOSS}; calibrate on photos like yours (--calibration DIR) "
            "or choose --profile stream_float-tail_float"
        )
    return result


def make_pairs(pictures: NDArray[np.uint8], scale: int) -> list[Pair]:
    """Pair (N, size * scale, size * scale, 3) pictures, as ground truth, with tiles.

    The tile is the picture made smaller as in training: by the one bicubic, rounded twice.
    """
    return [(make_smaller(picture, scale), picture) for picture in pictures]


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Hold torch to one thread: tiles run in parallel, and its waiting threads cost tenfold."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _run_torch(
    network: SuperResolutionNetwork, bit_width: int, tile: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    with torch.inference_mode():
        return _pixels(network(_tensor(tile), network.route_for(torch.tensor([bit_width]))))


def _plausible(network: SuperResolutionNetwork, prediction: Prediction) -> set[int]:
    """Return the bit-widths that float noise can make of a prediction."""
    logits, entropy = prediction.logits[0].numpy(), float(prediction.entropy)
    noise = _LOGIT_NOISE * max(1.0, float(np.abs(logits).max()))
    largest = GATE_BIT_WIDTHS[-1]
    widths = {GATE_BIT_WIDTHS[i] for i in np.flatnonzero(logits >= logits.max() - noise)}
    if largest in widths:
        around = torch.tensor([entropy - _ENTROPY_NOISE, entropy, entropy + _ENTROPY_NOISE])
        widths = (widths - {largest}) | set(network.gate_predictor.e2b(around).tolist())
    return widths


def _tensor(picture: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()


def _pixels(image: torch.Tensor) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = image[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    return pixels
