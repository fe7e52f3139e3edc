"""Measures a checkpoint in torch on benchmark sets by the published protocol.

    python tests/benchmark_sets.py CHECKPOINT EVAL_FOLDER [SET ...]

EVAL_FOLDER holds a folder per set, with HR_x2 and LR_x2 (or another scale) of equal file names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.fidelity import psnr
from gdq_core.sensitivity.picture_error import picture_level
from gdq_models import SuperResolutionNetwork, load_checkpoint
from gdq_runtime.tiles.tiling import TilePlan, cut_tile

Picture = NDArray[np.uint8]
Upscale = Callable[[Picture], Picture]

EVAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "eval"
TILE, OVERLAP = 96, 6


def read_pairs(folder: Path, scale: int) -> list[tuple[Picture, Picture]]:
    """Returns low resolution and ground truth, RGB; gray pictures have three equal channels."""
    pairs = []
    for path in sorted((folder / f"LR_x{scale}").iterdir()):
        low, high = _read(path), _read(folder / f"HR_x{scale}" / path.name)
        pairs.append((low, high[: low.shape[0] * scale, : low.shape[1] * scale]))
    return pairs


def at_width(network: SuperResolutionNetwork, bit_width: int | None) -> Upscale:
    """Returns the network on whole pictures, at one bit-width or (None) in float."""
    route = None if bit_width is None else network.route_for(torch.tensor([bit_width]))
    return lambda low: _run(network, low, route)


def interpolated(scale: int) -> Upscale:
    """Returns bicubic interpolation by MATLAB's kernel; ``antialias`` selects it in torch."""
    return lambda low: _picture(
        F.interpolate(_tensor(low), scale_factor=scale, mode="bicubic", antialias=True)
    )


def route(network: SuperResolutionNetwork, low: Picture) -> tuple[Picture, NDArray[np.uint8]]:
    """Returns the picture, each tile at the width that the predictor gives it, and the bit map."""
    scale = network.scale
    plan = TilePlan(low.shape[1], low.shape[0], TILE, OVERLAP)
    output = np.zeros((low.shape[0] * scale, low.shape[1] * scale, 3), np.uint8)
    tiles = [
        [cut_tile(low[row.start : row.stop], row, column) for column in plan.columns]
        for row in plan.rows
    ]
    bit_map = _choose(network, [tile for band in tiles for tile in band]).reshape(plan.shape)
    for i, row in enumerate(plan.rows):
        for j, column in enumerate(plan.columns):
            tile, width = tiles[i][j], torch.tensor([int(bit_map[i, j])])
            upscaled = _run(network, tile, network.route_for(width))
            inside = [
                slice((span.own_start - span.start) * scale, (span.own_stop - span.start) * scale)
                for span in (row, column)
            ]
            output[
                row.own_start * scale : row.own_stop * scale,
                column.own_start * scale : column.own_stop * scale,
            ] = upscaled[inside[0], inside[1]]
    return output, bit_map


def _choose(network: SuperResolutionNetwork, tiles: list[Picture]) -> NDArray[np.uint8]:
    """Returns the bit-widths of a picture's tiles; statistics know all of them."""
    rule = network.sensitivity_rule()
    if rule is None:
        with torch.inference_mode():
            widths = [int(network.predict(_tensor(tile)).bit_width) for tile in tiles]
        return np.array(widths, np.uint8)
    sensed = [rule.sense(tile) for tile in tiles]
    level = picture_level(tile.error for tile in sensed)
    return np.array([rule.choose(tile, level, rule.price) for tile in sensed], np.uint8)


def mean_psnr(pairs: list[tuple[Picture, Picture]], upscale: Upscale, scale: int) -> float:
    """Returns the mean over pictures of the luma's PSNR in dB, ``scale`` pixels shaved."""
    return float(np.mean([psnr(upscale(low), high, shave=scale) for low, high in pairs]))


def routed_psnr(
    pairs: list[tuple[Picture, Picture]], network: SuperResolutionNetwork
) -> tuple[float, float]:
    """Returns mean PSNR in dB and FAB (mean over tiles, then over pictures), routed."""
    results = [(route(network, low), high) for low, high in pairs]
    values = [psnr(output, high, shave=network.scale) for (output, _), high in results]
    return float(np.mean(values)), float(np.mean([bits.mean() for (_, bits), _ in results]))


def _read(path: Path) -> Picture:
    decoded = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert decoded is not None, path
    return np.ascontiguousarray(decoded[:, :, ::-1])


def _tensor(picture: Picture) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


def _picture(output: torch.Tensor) -> Picture:
    return output[0].clamp(0, 255).round().byte().permute(1, 2, 0).numpy()


def _run(network: SuperResolutionNetwork, low: Picture, route: torch.Tensor | None) -> Picture:
    with torch.inference_mode():
        return _picture(network(_tensor(low), route))


def _print_table(checkpoint: Path, folder: Path, sets: list[str]) -> None:
    network = load_checkpoint(checkpoint).network.to(memory_format=torch.channels_last)
    print("| set | bicubic | float | 8 bits | 6 bits | 5 bits | 4 bits | routed | FAB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in sets:
        pairs = read_pairs(folder / name, network.scale)
        ways = [interpolated(network.scale)]
        ways += [at_width(network, width) for width in (None, *reversed(BIT_WIDTHS))]
        values = [mean_psnr(pairs, way, network.scale) for way in ways]
        cells = [f"{value:.3f}" for value in (*values, *routed_psnr(pairs, network))]
        cells[-1] = cells[-1][:-1]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    _print_table(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or ["Set5", "Set14"])
