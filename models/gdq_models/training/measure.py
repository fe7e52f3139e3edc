"""What training has reached, on tiles of photos that it never saw."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.fitting.measurement import luma_error
from gdq_models.networks.base import SuperResolutionNetwork


@dataclass(frozen=True)
class Measurement:
    """Results on the held-out tiles; every PSNR is in dB, of the luma, over all pixels together.

    Attributes:
        tiles: number of tiles.
        teacher: PSNR of the float network.
        by_bit_width: PSNR with all tiles at one bit-width.
        routed: PSNR with each tile at the bit-width that the predictor gives it.
        fab: mean bit-width of ``routed``.
        shares: share of each bit-width in ``routed``.
        random_gate: PSNR to expect if the same bit-widths were assigned to tiles at random.
    """

    tiles: int
    teacher: float
    by_bit_width: dict[int, float]
    routed: float
    fab: float
    shares: dict[int, float]
    random_gate: float


def measure(
    network: SuperResolutionNetwork,
    teacher: SuperResolutionNetwork,
    pairs: Iterable[tuple[Tensor, Tensor]],
) -> Measurement:
    """Measure a network at every bit-width, and routed by its predictor.

    Args:
        network: a network in evaluation mode.
        teacher: the float network.
        pairs: tiles (N, 3, H, W) and their ground truth (N, 3, H * scale, W * scale), 0..255.
    """
    with torch.no_grad():
        parts = [_measure_tiles(network, teacher, low, high) for low, high in pairs]
    float_errors, errors, choice = (torch.cat(values) for values in zip(*parts, strict=True))
    shares = torch.bincount(choice, minlength=len(BIT_WIDTHS)) / len(choice)
    widths = torch.tensor(BIT_WIDTHS)[choice]
    return Measurement(
        tiles=len(choice),
        teacher=_decibel(float_errors),
        by_bit_width={width: _decibel(errors[:, i]) for i, width in enumerate(BIT_WIDTHS)},
        routed=_decibel(errors.gather(1, choice[:, None])),
        fab=float(widths.float().mean()),
        shares=dict(zip(BIT_WIDTHS, shares.tolist(), strict=True)),
        random_gate=_decibel((errors.mean(dim=0) * shares).sum()),
    )


def _measure_tiles(
    network: SuperResolutionNetwork, teacher: SuperResolutionNetwork, low: Tensor, high: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return errors in float (N,), at each bit-width (N, 4), and the chosen columns (N,)."""
    count = len(low)
    errors = [
        luma_error(network(low, network.route_for(torch.full((count,), width))), high)
        for width in BIT_WIDTHS
    ]
    choice = network.route_for(network.predict(low).bit_width).argmax(dim=1)
    return luma_error(teacher(low, None), high), torch.stack(errors, dim=1), choice


def _decibel(errors: Tensor) -> float:
    error = float(errors.mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
