"""What the samples of a picture mean, in the terms of the format that says most: PNG."""

from __future__ import annotations

from dataclasses import dataclass

SRGB_GAMMA = 45455
"""The gAMA by which a PNG says approximately what sRGB is (PNG, third edition, 11.3.2.5)."""
SRGB_CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
"""White, red, green, blue, x and y of each, of sRGB and BT.709, in 1/100000."""


@dataclass(frozen=True)
class ColourMeaning:
    """Everything that a file says about its colours; all None if it says nothing.

    The first that is there counts: ``cicp``, ``icc_profile``, ``srgb_intent``, then ``gamma`` and
    ``chromaticities`` (PNG, third edition, 4.3).

    Attributes:
        icc_profile: an ICC profile as stored.
        cicp: code points of ITU-T H.273: primaries, transfer function, matrix, full range.
        srgb_intent: the samples are sRGB; its value is the rendering intent, 0..3.
        gamma: exponent by which the samples were encoded from light, in 1/100000.
        chromaticities: x and y of white, red, green and blue, in 1/100000.

    """

    icc_profile: bytes | None = None
    cicp: tuple[int, int, int, int] | None = None
    srgb_intent: int | None = None
    gamma: int | None = None
    chromaticities: tuple[int, ...] | None = None

    @property
    def is_said_without_profile(self) -> bool:
        """Whether the samples differ from sRGB in a way that no ICC profile of the file says."""
        if self.cicp is not None:
            return True
        if self.icc_profile is not None or self.srgb_intent is not None:
            return False
        return self.gamma not in (None, SRGB_GAMMA) or self.chromaticities not in (
            None,
            SRGB_CHROMATICITIES,
        )


UNSAID = ColourMeaning()
"""Of a file that says nothing; everybody takes its samples for sRGB."""
