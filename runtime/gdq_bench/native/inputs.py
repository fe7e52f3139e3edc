"""Writes what ``gdq_run`` reads: golden tiles, and how a picture is cut and routed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import BundleError, RequestError
from gdq_runtime.bundle.manifest import AgreementBound, Format, Manifest
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.tiles.tiling import TilePlan
from gdq_validate.agreement import ACROSS_ROUNDINGS, read_picture

PICTURE, PLAN = "picture.ppm", "picture.plan"
"""Names of the files that ``write_plan`` writes."""


def write_tiles(bundle: Bundle, folder: Path) -> None:
    """Write a bundle's golden tiles, in all its formats, into an empty folder.

    A format without golden outputs of its own is held to another's, as ``gdq_validate`` does.

    Raises:
        BundleError: there are no golden tiles, or one cannot be read.
        OSError: the folder cannot be written.

    """
    manifest = bundle.manifest
    if not manifest.golden:
        raise BundleError(f"{bundle.path} holds no golden tiles to measure with: export it again")
    held = {one: _held_to(manifest, one) for one in manifest.formats}
    for number, golden in enumerate(manifest.golden):
        _write_ppm(folder / f"{number}.ppm", read_picture(bundle.file(golden.tile)))
        for own, (source, _) in held.items():
            for bits, path in golden.outputs[source].items():
                name = f"{number}_bits{bits}_{own}.ppm"
                _write_ppm(folder / name, read_picture(bundle.file(path)))
    lines = [f"{own} {one.levels} {one.share}\n" for own, (_, all_) in held.items() for one in all_]
    (folder / "bounds.txt").write_text("".join(lines), encoding="utf-8", newline="\n")


def write_plan(
    picture: NDArray[np.uint8], tile_plan: TilePlan, bit_map: NDArray[np.uint8], folder: Path
) -> None:
    """Write a picture and how it is upscaled into a folder.

    Args:
        picture: (height, width, 3) RGB, at least as large as a tile.
        tile_plan: how it is cut, with policy ``uniform``.
        bit_map: (rows, columns): the width of each tile; 0 if it is interpolated.
        folder: gets ``PICTURE`` and ``PLAN``.

    Raises:
        RequestError: the picture is smaller than a tile, or tiles differ in size.
        OSError: the folder cannot be written.

    """
    side = tile_plan.tile
    if min(picture.shape[:2]) < side or tile_plan.policy != "uniform":
        raise RequestError(
            f"gdq_run takes pictures of at least a tile of {side}x{side} pixels, cut into tiles of "
            f"one size, not {picture.shape[1]}x{picture.shape[0]} with policy {tile_plan.policy}"
        )
    _write_ppm(folder / PICTURE, picture)
    lines = [
        f"{column.start} {row.start} {column.own_start} {row.own_start} {column.own_stop} "
        f"{row.own_stop} {bits}\n"
        for row, widths in zip(tile_plan.rows, bit_map.tolist(), strict=True)
        for column, bits in zip(tile_plan.columns, widths, strict=True)
    ]
    text = f"gdq-plan 1 {side}\n" + "".join(lines)
    (folder / PLAN).write_text(text, encoding="utf-8", newline="\n")


def _held_to(manifest: Manifest, own: Format) -> tuple[Format, tuple[AgreementBound, ...]]:
    """Return the format whose golden outputs one is held to, and how closely."""
    bounds = manifest.agreement.get(own)
    if bounds is None:
        return next(iter(manifest.agreement)), ACROSS_ROUNDINGS
    return own, tuple(bounds)


def _write_ppm(path: Path, picture: NDArray[np.uint8]) -> None:
    height, width, _ = picture.shape
    path.write_bytes(b"P6\n%d %d\n255\n" % (width, height) + picture.tobytes())
