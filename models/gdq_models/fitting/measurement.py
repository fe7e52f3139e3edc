"""The error of every calibration tile at every bit-width, and the predictor's inputs for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.interpolation import interpolate
from gdq_core.luma import LUMA_WEIGHTS
from gdq_models.errors import CheckpointError
from gdq_models.fitting.photos import CalibrationTiles
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.predictor.entropy import tile_entropy

Array = NDArray[np.float64]

Progress = Callable[[int, int], None]
"""Called with the number of tiles done and the number of all tiles."""

_BATCH = 4
_RIM = 2
"""Low-resolution pixels that cubic interpolation reaches over a tile's border."""
_SMALLEST_ERROR = 1e-6
"""Squared gray levels; below any error but zero that 8-bit pictures can have."""


@dataclass(frozen=True, eq=False)
class TileMeasurements:
    """Measurements of calibration tiles, as the fit of the predictor needs them.

    Attributes:
        inputs: (N, K) the predictor's inputs: for a gate those of its linear layer, computed with
            norms without weight and bias; otherwise the tile's statistics.
        entropies: (N,) in nats.
        errors: (N, 4) mean squared error of the luma against the ground truth, over
            ``BIT_WIDTHS``.
        float_errors: (N,) the same error for the float network.
        interpolated: (N,) the same error for interpolation. A tile's rim, which in a picture has
            neighbouring tiles, is assumed to be like the rest.
        photo: (N,) number of the photo that a tile was cut from.
    """

    inputs: Array
    entropies: Array
    errors: Array
    float_errors: Array
    interpolated: Array
    photo: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.photo)

    def subset(self, chosen: NDArray[np.bool_]) -> TileMeasurements:
        """Return the measurements of the tiles for which ``chosen`` (N,) is true."""
        return TileMeasurements(
            self.inputs[chosen],
            self.entropies[chosen],
            self.errors[chosen],
            self.float_errors[chosen],
            self.interpolated[chosen],
            self.photo[chosen],
        )

    def of_photo(self, values: Array) -> Array:
        """Return, for each tile (N,), the mean of ``values`` (N,) over the tiles of its photo."""
        _, number = np.unique(self.photo, return_inverse=True)
        return np.asarray((np.bincount(number, weights=values) / np.bincount(number))[number])

    def psnr(self, errors: Array) -> float:
        """Return the PSNR in dB that tile errors (N,) amount to, averaged over photos."""
        _, first = np.unique(self.photo, return_index=True)
        means = np.maximum(self.of_photo(errors)[first], _SMALLEST_ERROR)
        return float(np.mean(10 * np.log10(255**2 / means)))


def measure(
    network: SuperResolutionNetwork, tiles: CalibrationTiles, progress: Progress
) -> TileMeasurements:
    """Run the network on all tiles, in float and at every bit-width.

    Args:
        network: a network with steps; if it has a gate, its norms must be as in a new one.
        tiles: the tiles to run it on.
        progress: called before the first and after every batch.

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
    inputs, entropies, errors, interpolated = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    return TileMeasurements(
        inputs, entropies, errors[:, 1:], errors[:, 0], interpolated, tiles.photo
    )


def _measure_batch(
    network: SuperResolutionNetwork, low: Tensor, high: Tensor
) -> tuple[Array, Array, Array, Array]:
    features = network.features(low)
    routes = [network.route_for(torch.full((len(low),), width)) for width in BIT_WIDTHS]
    outputs = [network.reconstruct(features, low, route) for route in [None, *routes]]
    if not all(bool(torch.isfinite(output).all()) for output in outputs):
        raise CheckpointError("the network's output grows beyond what float32 can hold")
    return (
        network.predictor.inputs(features, low).double().numpy(),
        tile_entropy(low).double().numpy(),
        torch.stack([luma_error(output, high) for output in outputs], dim=1).numpy(),
        _interpolation_error(low, outputs[-1], high).numpy(),
    )


def _interpolation_error(low: Tensor, output: Tensor, high: Tensor) -> Tensor:
    """Return the error of interpolation (N,): the network's, plus the difference inside the rim.

    At the rim, interpolation sees less of a tile than it would of the whole picture.
    """
    scale = high.shape[-1] // low.shape[-1]
    pixels = low.to(torch.uint8).permute(0, 2, 3, 1).numpy()
    larger = np.stack([interpolate(tile, scale) for tile in pixels])
    interpolated = torch.from_numpy(larger).permute(0, 3, 1, 2).float()
    rim = slice(_RIM * scale, -_RIM * scale)
    inside, *others = (image[..., rim, rim] for image in (high, interpolated, output))
    by_interpolation, by_network = (luma_error(image, inside) for image in others)
    return luma_error(output, high) + by_interpolation - by_network


def luma_error(output: Tensor, ground_truth: Tensor) -> Tensor:
    """Return the mean squared error of the luma (N,) float64, after rounding the output to 8 bits.

    Args:
        output: (N, 3, H, W), 0..255, not clamped.
        ground_truth: (N, 3, H, W), 0..255.
    """
    difference = (output.clamp(0, 255).round() - ground_truth).double()
    weights = torch.tensor(LUMA_WEIGHTS, dtype=torch.float64).view(1, 3, 1, 1)
    return (difference * weights).sum(dim=1).square().mean(dim=(1, 2))
