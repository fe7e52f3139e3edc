"""The factor of EDSR's residuals, which no checkpoint holds."""

from __future__ import annotations

from gdq_models.layouts.base import State

_LARGE_CHANNELS = 256
_LARGE_SCALE = 0.1


def fold_residual_scale(state: State, blocks: int) -> None:
    """Multiply the last convolution of each block by what multiplies its residual.

    Both projects train networks of 256 channels with a factor of 0.1 (EDSR, section 3.3) and all
    smaller ones without a factor; the number of channels is all that tells them apart.
    """
    if len(state["head.bias"]) < _LARGE_CHANNELS:
        return
    for block in range(blocks):
        for part in ("weight", "bias"):
            key = f"body.{block}.conv2.{part}"
            state[key] = state[key] * _LARGE_SCALE
