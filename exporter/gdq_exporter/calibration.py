"""Calibration photos -> the steps that training did not learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from numpy.typing import NDArray

from gdq_core.errors import ImageError
from gdq_core.pictures.folders import find_pictures
from gdq_core.pictures.whole import read_rgb
from gdq_exporter.errors import ExportError
from gdq_exporter.ir.quantization import QuantizationPoint
from gdq_runtime.tiles.workers import Workers

_SAMPLES_PER_TILE = 8192
"""Values kept of each tensor and tile: enough for a stable error curve, small enough for RAM."""
_CANDIDATES = np.linspace(0.3, 1.0, 57)
"""Clipping points tried, relative to the largest magnitude seen."""


@dataclass(frozen=True, eq=False)
class CalibrationSet:
    """Tiles cut from photos, at the deployed tile size."""

    source: str
    """Name of the folder, or of the package the photos come from."""
    images: int
    tiles: NDArray[np.uint8]
    """(N, size, size, 3), RGB."""

    @property
    def picture_of(self) -> NDArray[np.intp]:
        """(N,), number of the picture that each tile was cut from."""
        return np.arange(len(self.tiles)) % self.images


def load_calibration(folder: Path | None, tile: int, count: int) -> CalibrationSet:
    """Cut ``count`` tiles, spread evenly, from a folder's photos or scikit-image's samples.

    Raises:
        ImageError: there is no such folder, or no picture in it.
        ExportError: a picture cannot be read.
    """
    readers = _sample_pictures() if folder is None else _folder_pictures(folder)
    images = min(len(readers), count)
    cut = []
    for index in range(images):  # one picture in memory at a time
        # Spread over the folder: neighbours by name often show the same subject.
        picture = _at_least(readers[index * len(readers) // images](), tile)
        turns = -(-(count - index) // images)
        cut.append([_tile(picture, tile, turn).copy() for turn in range(turns)])
    source = "scikit-image samples" if folder is None else folder.name
    return CalibrationSet(
        source, images, np.stack([cut[i % images][i // images] for i in range(count)])
    )


_Reader = Callable[[], NDArray[np.uint8]]


def _sample_pictures() -> list[_Reader]:
    from skimage import data

    names = ("astronaut", "coffee", "chelsea", "rocket")  # those that come without a download
    return [getattr(data, name) for name in names]


def _folder_pictures(folder: Path) -> list[_Reader]:
    return [partial(_read, path) for path in find_pictures(folder)]


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        return read_rgb(path)
    except ImageError as error:
        raise ExportError(f"calibration: {error}") from error


def _at_least(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Enlarge a picture that is smaller than one tile; its statistics stay those of a photo."""
    height, width = picture.shape[:2]
    factor = side / min(height, width)
    if factor <= 1:
        return picture
    size = (max(side, round(width * factor)), max(side, round(height * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _tile(picture: NDArray[np.uint8], size: int, index: int) -> NDArray[np.uint8]:
    """Cut the tile at a position of a low-discrepancy sequence (fractions 1/phi2, 1/phi2^2)."""
    top = int((0.5 + index * 0.7548776662) % 1 * (picture.shape[0] - size + 1))
    left = int((0.5 + index * 0.5698402910) % 1 * (picture.shape[1] - size + 1))
    return picture[top : top + size, left : left + size]


@dataclass(eq=False)
class Observation:
    """What calibration saw of one tensor: its extremes and a sample of its values."""

    largest: float = 0.0
    smallest: float = 0.0
    samples: list[NDArray[np.float32]] = field(default_factory=list)

    @property
    def magnitude(self) -> float:
        """Magnitude of the extreme that is further from zero."""
        return max(self.largest, -self.smallest)

    def add(self, values: NDArray[np.float32]) -> None:
        """Take in the tensor of one more tile.

        Raises:
            ExportError: a value is not finite.
        """
        if not np.isfinite(values).all():
            raise ExportError("the network computes values that are not finite; is it trained?")
        self.largest = max(self.largest, float(values.max()))
        self.smallest = min(self.smallest, float(values.min()))
        flat = values.reshape(-1)
        # An odd stride visits all columns of a tile, whose side is a multiple of four.
        self.samples.append(flat[:: max(1, flat.size // _SAMPLES_PER_TILE) | 1].copy())


def calibrate(
    model: ir.Model, values: Sequence[ir.Value], tiles: NDArray[np.uint8]
) -> dict[str, QuantizationPoint]:
    """Run the network on every tile and choose an 8-bit point for each of ``values``.

    Args:
        model: a specialised network, input (1, 3, H, W) float32 0..255; not changed.
        values: float values of ``model`` to choose steps for.
        tiles: (N, size, size, 3) uint8.
    """
    names = [value.name for value in values if value.name is not None]
    return {name: choose_point(seen) for name, seen in observe(model, names, tiles).items()}


def observe(
    model: ir.Model, names: Sequence[str], tiles: NDArray[np.uint8]
) -> dict[str, Observation]:
    """Run the network on every tile, (N, size, size, 3); observe its float values by name."""
    session = _observing_session(model, names)
    observations = {name: Observation() for name in names}
    input_name = session.get_inputs()[0].name

    def run(tile: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        image = tile.transpose(2, 0, 1)[None].astype(np.float32)
        outputs: list[NDArray[np.float32]] = session.run(names, {input_name: image})
        return outputs

    with closing(Workers()) as workers:
        for outputs in workers.map_in_order(run, tiles, ahead=workers.threads):
            for name, array in zip(names, outputs, strict=True):
                observations[name].add(array)
    return observations


def _observing_session(model: ir.Model, names: Sequence[str]) -> ort.InferenceSession:
    observed = model.clone()
    by_name = {value.name: value for node in observed.graph for value in node.outputs}
    for name in names:
        if not by_name[name].is_graph_output():
            observed.graph.outputs.append(by_name[name])
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1  # tiles run in parallel instead; idle threads would spin
    return ort.InferenceSession(
        ir.to_proto(observed).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def choose_point(seen: Observation) -> QuantizationPoint:
    """Return the 8-bit step with the least squared error, rounding and clipping together."""
    samples = np.concatenate(seen.samples).astype(np.float32)
    signed = seen.smallest < 0
    zero_point, half = (128, 127) if signed else (0, 255)
    magnitude = seen.magnitude
    if magnitude == 0:
        return QuantizationPoint(np.float32(1), zero_point)
    errors = []
    for candidate in _CANDIDATES:
        step = np.float32(candidate * magnitude / half)
        codes = np.clip(np.rint(samples / step), -zero_point, 255 - zero_point)
        errors.append(float(np.square(codes * step - samples).mean()))
    best = _CANDIDATES[int(np.argmin(errors))]
    return QuantizationPoint(np.float32(best * magnitude / half), zero_point)
