"""The whole way once: export a checkpoint as a bundle, and upscale a photo with it.

`make demo` runs this and leaves everything in demo/. It uses only the public API for its work, and
so is also the shortest example of it. For another checkpoint or folder:
python examples/demo.py CHECKPOINT FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from gdq_core.cli.native_output import silence_native_libraries
from gdq_exporter import ExportConfig, export
from gdq_runtime import GdqError, OutputError, Upscaler, UpscaleResult, draw_bit_map

ROOT = Path(__file__).resolve().parent.parent
CHECKPOINT = ROOT / "models/zoo/edsr_baseline_x2/edsr_baseline_x2.safetensors"
FOLDER = Path("demo")

DETAIL = (100, 150)
"""Height and width of the compared detail, in pixels of the photo."""
ENLARGED = 4
"""Pixels of the comparison for each pixel of the photo, along one axis."""

Image = NDArray[np.uint8]


def main(checkpoint: Path = CHECKPOINT, folder: Path = FOLDER) -> None:
    """Export, upscale, compare, and say what to try next."""
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / "bundle"
    exported = export(checkpoint, bundle, ExportConfig(overwrite=True), progress=_say)
    _say(f"exported in {exported.seconds:.1f} s; upscaling")
    photo = load(Path(data.data_dir) / "rocket.jpg")
    with Upscaler.open(bundle) as upscaler:
        result = upscaler(photo)
        threads = upscaler.threads
    save(photo, folder / "photo.png")
    save(result.image, folder / "upscaled.png")
    save(draw_bit_map(photo, result.plan, result.bit_map), folder / "bit_map.png")
    save(compare(photo, result.image), folder / "comparison.png")
    print(summary(result, folder, threads))


def compare(photo: Image, upscaled: Image) -> Image:
    """Return the busiest detail of the photo side by side: its pixels, cubic, this network."""
    height, width = photo.shape[:2]
    scale = upscaled.shape[0] // height
    cubic = cv2.resize(photo, (width * scale, height * scale), interpolation=cv2.INTER_CUBIC)
    top, left = _busiest(photo)
    panels = []
    for title, image, factor in (
        ("photo", photo, 1),
        ("cubic", np.asarray(cubic, np.uint8), scale),
        ("Granular-DQ", upscaled, scale),
    ):
        rows = slice(top * factor, (top + DETAIL[0]) * factor)
        columns = slice(left * factor, (left + DETAIL[1]) * factor)
        panels.append(_panel(title, image[rows, columns]))
    return np.concatenate(panels, axis=1)


def _busiest(photo: Image) -> tuple[int, int]:
    """Return top and left of the detail with the most edges, where a network matters most."""
    gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    edges = np.abs(cv2.Laplacian(gray, cv2.CV_32F))
    means = cv2.boxFilter(edges, -1, DETAIL[::-1], anchor=(0, 0))
    inside = means[: photo.shape[0] - DETAIL[0] + 1, : photo.shape[1] - DETAIL[1] + 1]
    top, left = np.unravel_index(np.argmax(inside), inside.shape)
    return int(top), int(left)


def _panel(title: str, detail: Image) -> Image:
    """Enlarge a detail without smoothing and write its title above it."""
    size = (DETAIL[1] * ENLARGED, DETAIL[0] * ENLARGED)
    panel = np.full((size[1] + 32, size[0] + 8, 3), 255, np.uint8)
    panel[32:, 4:-4] = cv2.resize(detail, size, interpolation=cv2.INTER_NEAREST)
    cv2.putText(panel, title, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    return panel


def summary(result: UpscaleResult, folder: Path, threads: int) -> str:
    """Return what was made, how long it took, and the next commands."""
    height, width = result.image.shape[:2]
    shares = ", ".join(
        f"{100 * np.mean(result.bit_map == bit_width):.0f} % of the tiles at {bit_width} bits"
        for bit_width in np.unique(result.bit_map)
    )
    bundle, commands = folder / "bundle", _short(Path(sys.executable).parent)
    return f"""
{bundle}/         what a device needs; its report.html tells how it was checked
{folder}/photo.png       the photo, {result.plan.width}x{result.plan.height}
{folder}/upscaled.png    the result, {width}x{height}
{folder}/bit_map.png     the bit-width of every tile
{folder}/comparison.png  a detail beside cubic interpolation

FAB {result.fab:.2f} bits: {shares}
{result.timings.elapsed:.2f} s with {threads} thread{"s" if threads > 1 else ""}

next, for example:
  {commands}/gdq-upscale YOUR_PHOTO.jpg -b {bundle} -o larger.png --bit-map bits.png
  {commands}/gdq-upscale {folder}/photo.png -b {bundle} -o four_bits.png --bits 4
  {commands}/gdq-export --help"""


def _short(path: Path) -> Path:
    """Return a path as short as it can be typed here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def load(path: Path) -> Image:
    """Read a picture as (height, width, 3) RGB."""
    image = cv2.imread(str(path))
    assert image is not None, f"{path} is missing or not a picture"
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def save(image: Image, path: Path) -> None:
    """Write a (height, width, 3) RGB picture."""
    if not cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
        raise OutputError(f"{path} cannot be written")


def _say(text: str) -> None:
    print(f"{text} ...", file=sys.stderr)


if __name__ == "__main__":
    try:
        with silence_native_libraries():  # LiteRT reports its delegate
            main(*map(Path, sys.argv[1:3]))
    except GdqError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
