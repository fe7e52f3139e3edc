"""Pieces shared by at least two networks."""

from __future__ import annotations

SCALES = (2, 3, 4)
"""Upscaling factors that the upsamplers can reach."""


def upsampling_factors(scale: int) -> tuple[int, ...]:
    """Return the factors of the consecutive pixel shuffles that make up a scale.

    Raises:
        ValueError: the scale is not one of ``SCALES``.
    """
    try:
        return {2: (2,), 3: (3,), 4: (2, 2)}[scale]
    except KeyError:
        raise ValueError(f"scale must be one of {SCALES}, got {scale}") from None
