"""What every bit-width costs on every calibration tile, and what the predictor sees of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.luma import LUMA_WEIGHTS
from gdq_models.errors import CheckpointError
from gdq_models.fitting.photos import CalibrationTiles
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.predictor.entropy import tile_entropy

Array = NDArray[np.float64]

Progress = Callable[[int, int], None]
"""Told how many tiles are done, of how many."""

_BATCH = 4
_SMALLEST_ERROR = 1e-6
"""Below any that 8-bit pictures of a few pixels can have, zero apart."""


@dataclass(frozen=True, eq=False)
class TileMeasurements:
    """Calibration tiles as the fit of the predictor needs them.

    Attributes:
        gate_inputs: (N, 3C) what the gate's linear layer is given, norms without weight and bias.
        entropies: (N,) in nats.
        errors: (N, 4) mean squared error of the luma to the ground truth, over ``BIT_WIDTHS``.
        float_errors: (N,) the same of the float network.
        photo: (N,) number of the photo that a tile is cut from.
    """

    gate_inputs: Array
    entropies: Array
    errors: Array
    float_errors: Array
    photo: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.photo)

    def subset(self, chosen: NDArray[np.bool_]) -> TileMeasurements:
        """Returns the tiles where ``chosen`` (N,) is true."""
        return TileMeasurements(
            self.gate_inputs[chosen],
            self.entropies[chosen],
            self.errors[chosen],
            self.float_errors[chosen],
            self.photo[chosen],
        )

    def of_photo(self, values: Array) -> Array:
        """Returns for each tile (N,) the mean of ``values`` (N,) over the tiles of its photo."""
        _, number = np.unique(self.photo, return_inverse=True)
        return np.asarray((np.bincount(number, weights=values) / np.bincount(number))[number])

    def psnr(self, errors: Array) -> float:
        """Returns the mean over photos of the PSNR in dB that tile errors (N,) amount to."""
        _, first = np.unique(self.photo, return_index=True)
        means = np.maximum(self.of_photo(errors)[first], _SMALLEST_ERROR)
        return float(np.mean(10 * np.log10(255**2 / means)))


def measure(
    network: SuperResolutionNetwork, tiles: CalibrationTiles, progress: Progress
) -> TileMeasurements:
    """Runs the network on all tiles, in float and at every bit-width.

    Args:
        network: with steps; its gate's norms must be as in a new gate.
        tiles: what to run it on.
        progress: told before and after every batch.

    Raises:
        CheckpointError: the network's output is not finite.
    """
    parts = []
    progress(0, len(tiles.low))
    with torch.inference_mode():
        for start in range(0, len(tiles.low), _BATCH):
            batch = slice(start, start + _BATCH)
            low, high = tiles.low[batch].float(), tiles.high[batch].float()
            parts.append(_measure_batch(network, low, high))
            progress(min(start + _BATCH, len(tiles.low)), len(tiles.low))
    gate_inputs, entropies, errors = (np.concatenate(part) for part in zip(*parts, strict=True))
    return TileMeasurements(gate_inputs, entropies, errors[:, 1:], errors[:, 0], tiles.photo)


def _measure_batch(
    network: SuperResolutionNetwork, low: Tensor, high: Tensor
) -> tuple[Array, Array, Array]:
    features = network.features(low)
    gate_inputs = network.predictor.gate.squeeze(features)
    routes = [network.route_for(torch.full((len(low),), width)) for width in BIT_WIDTHS]
    outputs = [network.reconstruct(features, route) for route in [None, *routes]]
    if not all(bool(torch.isfinite(output).all()) for output in outputs):
        raise CheckpointError("the network's output grows beyond what float32 can hold")
    return (
        gate_inputs.double().numpy(),
        tile_entropy(low).double().numpy(),
        torch.stack([luma_error(output, high) for output in outputs], dim=1).numpy(),
    )


def luma_error(output: Tensor, ground_truth: Tensor) -> Tensor:
    """Returns the mean squared error of the luma (N,) float64, of the output as an 8-bit picture.

    Args:
        output: (N, 3, H, W), 0..255, not clamped.
        ground_truth: (N, 3, H, W), 0..255.
    """
    difference = (output.clamp(0, 255).round() - ground_truth).double()
    weights = torch.tensor(LUMA_WEIGHTS, dtype=torch.float64).view(1, 3, 1, 1)
    return (difference * weights).sum(dim=1).square().mean(dim=(1, 2))
