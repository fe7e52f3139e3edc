"""Golden tiles: stored inputs and outputs, against which any implementation can prove itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_exporter.errors import ExportError
from gdq_exporter.targets.base import Target
from gdq_runtime.bundle.manifest import GoldenTile
from gdq_runtime.engines.base import Engine
from gdq_validate.agreement import read_picture

FOLDER = "golden"
_TILES = 4


def write_golden_tiles(
    folder: Path,
    target: Target,
    engine: Engine,
    tiles: NDArray[np.uint8],
    *,
    has_statistics: bool = False,
) -> list[GoldenTile]:
    """Write tiles with what the first target's engine predicts for them and makes of them.

    Args:
        folder: bundle under construction.
        target: the first target.
        engine: the target's, open on the bundle; its outputs become the golden ones.
        tiles: (N, size, size, 3) to choose from.
        has_statistics: the predictor has sensitivity heads, no gate.
    """
    (folder / FOLDER).mkdir()
    chosen = list(tiles[:_TILES]) if has_statistics else _most_varied(engine, tiles)
    golden = []
    for number, tile in enumerate(chosen):
        answer = _ask(engine, tile, has_statistics=has_statistics)
        # Each tile proves its predicted width, and together the tiles prove all widths.
        widths = {BIT_WIDTHS[number % len(BIT_WIDTHS)], *_own_widths(answer)}
        golden.append(
            GoldenTile.model_validate(
                {
                    "tile": _save(folder, f"{number}.png", tile),
                    **answer,
                    "outputs": {target.name: _run(folder, target, engine, number, tile, widths)},
                }
            )
        )
    return golden


def add_outputs(
    folder: Path, golden: Sequence[GoldenTile], target: Target, engine: Engine
) -> list[GoldenTile]:
    """Add what another target's engine makes of golden tiles, where it rounds in its own way."""
    added = []
    for number, entry in enumerate(golden):
        tile = read_picture(folder / entry.tile)
        widths = {int(width) for paths in entry.outputs.values() for width in paths}
        outputs = {target.name: _run(folder, target, engine, number, tile, widths)}
        added.append(entry.model_copy(update={"outputs": entry.outputs | outputs}))
    return added


def share_outputs(golden: Sequence[GoldenTile], owner: Target, target: Target) -> list[GoldenTile]:
    """Hold a target that rounds like another to the other's outputs."""
    return [
        entry.model_copy(
            update={"outputs": entry.outputs | {target.name: entry.outputs[owner.name]}}
        )
        for entry in golden
    ]


def _run(
    folder: Path,
    target: Target,
    engine: Engine,
    number: int,
    tile: NDArray[np.uint8],
    widths: Collection[int],
) -> dict[str, str]:
    """Run a tile and save its outputs; return bit-width -> file."""
    return {
        str(width): _save(
            folder, f"{number}_bits{width}_{target.name}.png", engine.run(width, tile)
        )
        for width in sorted(widths)
    }


def _ask(engine: Engine, tile: NDArray[np.uint8], *, has_statistics: bool) -> dict[str, Any]:
    """What the predictor answers, as a golden tile keeps it."""
    if has_statistics:
        return {"sensitivity": list(engine.sense(tile))}
    prediction = engine.predict(tile)
    return {
        "logits": prediction.logits.tolist(),
        "entropy": prediction.entropy,
        "bit_width": prediction.bit_width,
    }


def _own_widths(answer: dict[str, Any]) -> list[int]:
    return [answer["bit_width"]] if "bit_width" in answer else []


def _most_varied(engine: Engine, tiles: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Choose one tile of every predicted width, then the first of the others."""
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
