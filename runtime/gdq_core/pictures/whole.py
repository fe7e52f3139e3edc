"""Pictures read whole, for whoever needs their colours alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_core.pictures.decode import PictureReader
from gdq_core.pictures.rows import split_alpha
from gdq_core.pictures.transparency import spread_colours


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read the colours of a picture as every command sees them: (height, width, 3), RGB.

    Alpha is left out; under transparent pixels are the colours that the network would see.

    Raises:
        ImageError: no picture, damaged, or of a refused kind.

    """
    with PictureReader(path) as reader:
        colour, _ = split_alpha(spread_colours(reader).read_rows(reader.height))
    return colour
