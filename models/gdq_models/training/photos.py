"""A folder of photos, decoded and reduced once; training reads patches directly from two files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_core.files.drafts import draft_folder
from gdq_core.files.outputs import Output
from gdq_core.files.text import write_text
from gdq_core.pictures.whole import read_rgb
from gdq_core.resampling import crop_to_multiple, make_smaller
from gdq_models.training.errors import TrainingError
from gdq_models.training.photo_index import (
    CACHE,
    HIGH_FILE,
    INDEX_FILE,
    LOW_FILE,
    Photo,
    PhotoIndex,
    Request,
    find_photos,
    is_photo_cache,
    read_index,
)

_FORMAT = 2  # 1 was decoded with other libraries

Image = NDArray[np.uint8]

Progress = Callable[[int, int], None]
"""Called with the number of photos done and the number of all photos."""


class PhotoCache:
    """Photos and their reduced copies, as arrays that are read from disk on access.

    Attributes:
        photos: the photos in the cache, sorted by name.
        scale: factor by which they are reduced.
    """

    def __init__(self, folder: Path, photos: Sequence[Photo], scale: int) -> None:
        self.photos = tuple(photos)
        self.scale = scale
        self._low = np.memmap(folder / LOW_FILE, dtype=np.uint8, mode="r")
        self._high = np.memmap(folder / HIGH_FILE, dtype=np.uint8, mode="r")

    def low(self, photo: Photo) -> Image:
        """Return the low-resolution image (height, width, 3), RGB."""
        return _slice(self._low, photo, 1)

    def high(self, photo: Photo) -> Image:
        """Return the photo (height * scale, width * scale, 3), RGB."""
        return _slice(self._high, photo, self.scale)


def open_cache(
    source: Path, folder: Path, *, scale: int, smallest: int, progress: Progress
) -> PhotoCache:
    """Open the cache of a folder of photos; build it if there is none or the photos changed.

    Args:
        source: folder of photos, searched with its sub-folders.
        folder: folder of the cache; created, or replaced.
        scale: factor by which photos are reduced.
        smallest: shortest low-resolution side, in pixels, of a photo that is used.
        progress: called after every photo decoded.

    Raises:
        ImageError: there is no photo, or one cannot be read.
        OutputError: the folder holds something other than a cache, or cannot be written.
        TrainingError: no photo is large enough.
    """
    files = find_photos(source)
    request = Request(
        format=_FORMAT,
        scale=scale,
        smallest=smallest,
        files=tuple(_fingerprint(source, file) for file in files),
    )
    index = read_index(folder)
    if index is not None and index.request == request:
        return PhotoCache(folder, index.photos, scale)
    return PhotoCache(folder, _build(source, folder, request, progress), scale)


def _slice(pixels: Image, photo: Photo, factor: int) -> Image:
    shape = (photo.height * factor, photo.width * factor, 3)
    start = photo.offset * factor**2 * 3
    return pixels[start : start + shape[0] * shape[1] * 3].reshape(shape)


def _fingerprint(source: Path, file: Path) -> tuple[str, int, int]:
    status = file.stat()
    return str(file.relative_to(source)), status.st_size, status.st_mtime_ns


def _build(source: Path, folder: Path, request: Request, progress: Progress) -> tuple[Photo, ...]:
    """Decode into a draft that takes the place of the cache when it is complete."""
    output = Output(folder, CACHE, is_photo_cache, is_folder=True)
    with draft_folder(output, overwrite=True) as draft:
        photos = _decode_all(source, draft, request, progress)
        write_text(draft / INDEX_FILE, PhotoIndex(request=request, photos=photos).model_dump_json())
    return photos


def _decode_all(
    source: Path, folder: Path, request: Request, progress: Progress
) -> tuple[Photo, ...]:
    photos: list[Photo] = []
    offset = 0
    with (folder / LOW_FILE).open("wb") as low_file, (folder / HIGH_FILE).open("wb") as high_file:
        for number, (name, *_) in enumerate(request.files, start=1):
            high = crop_to_multiple(read_rgb(source / name), request.scale)
            if min(high.shape[:2]) >= request.smallest * request.scale:
                low = make_smaller(high, request.scale)
                low_file.write(low.tobytes())
                high_file.write(high.tobytes())
                height, width = low.shape[:2]
                photos.append(Photo(name, height, width, offset))
                offset += height * width
            progress(number, len(request.files))
    if not photos:
        side = request.smallest * request.scale
        raise TrainingError(f"no photo in {source} is at least {side} pixels high and wide")
    return tuple(photos)
