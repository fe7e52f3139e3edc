"""Pictures with ground truth: pairs of a test set, or photos that are made smaller here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import ImageError
from gdq_core.pictures.folders import list_pictures
from gdq_core.pictures.whole import read_rgb
from gdq_core.resampling import crop_to_multiple, make_smaller


@dataclass(frozen=True)
class GroundTruth:
    """One picture to validate on.

    Attributes:
        name: file name without suffix.
        high: file of the ground truth.
        low: file of the low-resolution picture; None: made by antialiased bicubic interpolation.
        scale: upscaling factor between them.

    """

    name: str
    high: Path
    low: Path | None
    scale: int

    def load(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Read low resolution (h, w, 3) and ground truth (h * scale, w * scale, 3), both RGB.

        Ground truth is cropped to a multiple of the scale, as in the literature.

        Raises:
            ImageError: a picture cannot be read or is too small, or a pair's sizes do not match.

        """
        high = read_rgb(self.high)
        if self.low is None:
            if min(high.shape[:2]) < self.scale:
                raise ImageError(f"{self.high} is too small to be made {self.scale} times smaller")
            high = crop_to_multiple(high, self.scale)
            return make_smaller(high, self.scale), high
        low = read_rgb(self.low)
        height, width = low.shape[0] * self.scale, low.shape[1] * self.scale
        surplus = high.shape[0] - height, high.shape[1] - width
        if not all(0 <= rest < self.scale for rest in surplus):
            raise ImageError(
                f"{self.low} and {self.high} do not match at x{self.scale}: "
                f"{low.shape[1]}x{low.shape[0]} and {high.shape[1]}x{high.shape[0]}"
            )
        return low, high[:height, :width]


def list_ground_truth(folder: Path, scale: int) -> list[GroundTruth]:
    """List the pairs in subfolders ``HR_x<scale>`` and ``LR_x<scale>``, or a folder's photos.

    Raises:
        ImageError: there is no such folder or no picture in it, a picture has no partner, or two
            pictures share a name.

    """
    if not folder.is_dir():
        raise ImageError(f"{folder} is not a folder of pictures")
    high, low = folder / f"HR_x{scale}", folder / f"LR_x{scale}"
    if high.is_dir() and low.is_dir():
        return _list_pairs(high, low, scale)
    if not (photos := list_pictures(folder)):
        raise ImageError(
            f"{folder} has neither photos nor the subfolders {high.name} and {low.name}"
        )
    return [GroundTruth(path.stem, path, None, scale) for path in photos]


def _list_pairs(high: Path, low: Path, scale: int) -> list[GroundTruth]:
    truths, partners = _by_stem(list_pictures(high)), _by_stem(list_pictures(low))
    if not truths:
        raise ImageError(f"{high} holds no picture")
    if lonely := [path for stem, path in truths.items() if stem not in partners]:
        raise ImageError(f"{lonely[0]} has no partner in {low}")
    return [GroundTruth(stem, path, partners[stem], scale) for stem, path in truths.items()]


def _by_stem(paths: list[Path]) -> dict[str, Path]:
    """Map names without suffix to pictures.

    Raises:
        ImageError: two pictures share a name, which would be ambiguous.

    """
    found: dict[str, Path] = {}
    for path in paths:
        if (other := found.setdefault(path.stem, path)) is not path:
            raise ImageError(
                f"{other} and {path} differ only in their suffix: remove the one that is not meant"
            )
    return found
