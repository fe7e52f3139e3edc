"""Entropy of a tile, as the released implementation estimates it."""

from __future__ import annotations

import torch
from torch import Tensor

LUMA_WEIGHTS = (0.2989, 0.5870, 0.1140)
"""Weights of red, green and blue in the luma."""

BINS = 32
"""Number of bins, equally spaced over [0, 1], both ends included."""

KERNEL_SIGMA = 0.0255
"""Width of the Gaussian kernel, in luma of 0..1."""

_FLOOR = 1e-38
# The released code has 1e-40, a denormal number in float32; some processors flush it to zero,
# whose logarithm would spoil the sum. Either constant adds less than 1e-35 nats.


def tile_entropy(image: Tensor) -> Tensor:
    """Return the entropy (N,), in nats, of each tile's luma, by kernel density over 32 bins.

    ``H = -sum p log p`` with p proportional to the mean over pixels of
    ``exp(-0.5 ((luma - bin) / 0.0255)^2)`` (paper, section 3.3; constants as released): from 0.73
    for a black tile to ln 32 = 3.466. Only the top-left square of the shorter side counts.

    Args:
        image: (N, 3, H, W) RGB, 0..255.
    """
    side = min(image.shape[-2:])
    square = image[:, :, :side, :side]
    red, green, blue = square.unbind(dim=1)
    weighted = LUMA_WEIGHTS[0] * red + LUMA_WEIGHTS[1] * green + LUMA_WEIGHTS[2] * blue
    luma = (weighted / 255).flatten(start_dim=1)
    # Bin by bin, since all at once would take 32 times the memory of the picture.
    density = torch.stack(
        [
            torch.exp(-0.5 * ((luma - centre) / KERNEL_SIGMA) ** 2).clamp_min(_FLOOR).mean(dim=1)
            for centre in torch.linspace(0, 1, BINS).tolist()
        ],
        dim=1,
    )
    probability = density / density.sum(dim=1, keepdim=True) + _FLOOR
    return -(probability * probability.log()).sum(dim=1)
