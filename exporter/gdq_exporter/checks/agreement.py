"""One engine's golden tiles, run by another: level 3 of the numerics contract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_exporter.errors import ExportError
from gdq_exporter.golden import read_picture
from gdq_runtime.bundle.manifest import GoldenTile
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine

LARGEST_SHARE: float = 1e-3
"""Of samples that may differ by more than one."""


@dataclass(frozen=True)
class Agreement:
    """How far an engine's pictures are from the golden ones, over all samples of all of them."""

    engine: str
    samples: int
    equal: float
    """Share of samples that are the same."""
    beyond_one: float
    """Share of samples that differ by more than one."""
    largest: int
    """Largest difference, 0..255."""


def check_agreement(bundle: Bundle, golden: list[GoldenTile], engine: Engine) -> Agreement:
    """Runs golden tiles of another engine.

    Args:
        bundle: whose tiles they are.
        golden: tiles and expected outputs.
        engine: open on the bundle.

    Raises:
        ExportError: more samples differ by more than one than the contract allows.
    """
    differences = np.concatenate(
        [
            _difference(bundle, tile, int(width), path, engine)
            for tile in golden
            for width, path in tile.outputs.items()
        ]
    )
    result = Agreement(
        engine.name,
        differences.size,
        float((differences == 0).mean()),
        float((differences > 1).mean()),
        int(differences.max()),
    )
    if result.beyond_one > LARGEST_SHARE:
        raise ExportError(
            f"{engine.name} differs from the golden tiles by more than one on "
            f"{100 * result.beyond_one:.2f} % of the samples ({100 * LARGEST_SHARE} % are allowed);"
            " please report this"
        )
    return result


def _difference(
    bundle: Bundle, tile: GoldenTile, bit_width: int, expected: str, engine: Engine
) -> NDArray[np.int_]:
    picture = engine.run(bit_width, read_picture(bundle.path / tile.tile)).astype(int)
    return np.abs(picture - read_picture(bundle.path / expected)).reshape(-1)
