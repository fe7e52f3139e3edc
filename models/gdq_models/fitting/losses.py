"""What few bits or interpolation cost, in dB of the PSNR of the photo that a tile belongs to."""

from __future__ import annotations

import numpy as np

from gdq_core.sensitivity.prices import DECIBELS
from gdq_models.fitting.measurement import Array, TileMeasurements

_SMALLEST_ERROR = 1e-6
"""Squared gray levels; keeps a photo that is reproduced exactly from outweighing all others."""


def psnr_losses(tiles: TileMeasurements) -> Array:
    """Return what each bit-width of a tile costs its photo, in dB (N, 4), over ``BIT_WIDTHS``.

    ``10 / ln 10 * (e_b - e_8) / mean_photo(e_8)``: the mean over the tiles of a photo is, to first
    order, the photo's PSNR at 8 bits minus its PSNR at the tiles' bit-widths.
    """
    return _relative_losses(tiles, tiles.errors)


def interpolation_losses(tiles: TileMeasurements) -> Array:
    """Return what interpolating a tile instead costs its photo, in dB (N,)."""
    return _relative_losses(tiles, tiles.interpolated[:, None])[:, 0]


def _relative_losses(tiles: TileMeasurements, errors: Array) -> Array:
    at_most = tiles.errors[:, -1]
    reference = np.maximum(tiles.of_photo(at_most), _SMALLEST_ERROR)
    return np.asarray(DECIBELS * (errors - at_most[:, None]) / reference[:, None])
