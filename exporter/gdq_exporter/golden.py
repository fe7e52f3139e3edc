"""Golden tiles: stored truth, so that any other implementation can prove itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import BitWidth
from gdq_exporter.errors import ExportError
from gdq_runtime.bundle.manifest import GoldenTile
from gdq_runtime.engines.base import Engine

FOLDER = "golden"
_TILES = 4


def write_golden(
    folder: Path, engine: Engine, bit_widths: Sequence[BitWidth], tiles: NDArray[np.uint8]
) -> list[GoldenTile]:
    """Writes tiles with the engine's answers; every bit-width has at least one output.

    Args:
        folder: bundle under construction.
        engine: open on the bundle's graphs; its answers become the truth.
        bit_widths: of the bundle's subgraphs.
        tiles: (N, size, size, 3) to choose from.
    """
    (folder / FOLDER).mkdir()
    chosen = _most_varied(engine, tiles)
    golden = []
    for number, tile in enumerate(chosen):
        prediction = engine.predict(tile)
        # Each tile proves its own width, and the tiles in turn prove all of them.
        widths = {prediction.bit_width, bit_widths[number % len(bit_widths)]}
        golden.append(
            GoldenTile.model_validate(
                {
                    "tile": _save(folder, f"{number}.png", tile),
                    "logits": prediction.logits.tolist(),
                    "entropy": prediction.entropy,
                    "bit_width": prediction.bit_width,
                    "outputs": {
                        str(width): _save(
                            folder, f"{number}_bits{width}.png", engine.run(width, tile)
                        )
                        for width in sorted(widths)
                    },
                }
            )
        )
    return golden


def _most_varied(engine: Engine, tiles: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """First a tile of every predicted width, then whatever comes first."""
    first_of: dict[int, int] = {}
    for index, tile in enumerate(tiles):
        first_of.setdefault(engine.predict(tile).bit_width, index)
    order = dict.fromkeys([*first_of.values(), *range(len(tiles))])
    return [tiles[index] for index in list(order)[:_TILES]]


def _save(folder: Path, name: str, picture: NDArray[np.uint8]) -> str:
    encoded, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not encoded:
        raise ExportError(f"cannot encode the golden tile {name}")
    (folder / FOLDER / name).write_bytes(data.tobytes())
    return f"{FOLDER}/{name}"
