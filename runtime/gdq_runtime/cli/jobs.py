"""From what was typed to a list of pictures: what to read, what to write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gdq_core.errors import OutputError
from gdq_core.files.outputs import FilledFolder, Output, check_apart, check_place, reason
from gdq_core.files.recognition import is_picture
from gdq_core.pictures.folders import find_pictures


@dataclass(frozen=True)
class Job:
    """One picture to upscale.

    Attributes:
        source: picture to read.
        target: picture to write.
        bit_map: where to draw the bit map, or None.

    """

    source: Path
    target: Path
    bit_map: Path | None


def plan_jobs(
    images: Sequence[Path], bundle: Path, output: Path, bit_map: Path | None
) -> list[Job]:
    """List the pictures and where their results go; nothing is created yet.

    One image goes to ``output`` itself, or into it if that is a folder; several images, or those
    of a folder, go into the folder ``output``, as PNG under their own names.

    Raises:
        ImageError: a folder without pictures.
        OutputError: several images and ``output`` cannot be a folder, two images have one name, or
            a result touches something that is read.

    """
    sources = [source for image in images for source in _expand(image)]
    is_single = len(images) == 1 and not _is_folder(images[0])
    targets = _place(sources, output, is_single)
    drawings = [] if bit_map is None else _place(sources, bit_map, is_single)
    results = [Output(path, "a picture", is_picture) for path in (*targets, *drawings)]
    check_apart(results, [*images, *sources, bundle])
    if bit_map is None:
        return [Job(*pair, None) for pair in zip(sources, targets, strict=True)]
    return [Job(*triple) for triple in zip(sources, targets, drawings, strict=True)]


def make_folders(jobs: Sequence[Job], images: Sequence[Path]) -> None:
    """Create the folders for the results of several images.

    Raises:
        OutputError: one cannot be created.

    """
    if len(images) == 1 and not _is_folder(images[0]):
        return
    for folder in {path.parent for job in jobs for path in (job.target, job.bit_map) if path}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder} cannot be created: {reason(error)}") from error


def _expand(image: Path) -> list[Path]:
    """Turn a folder into its pictures, sorted; hidden files and deeper folders are left alone."""
    return find_pictures(image) if _is_folder(image) else [image]


def _place(sources: list[Path], output: Path, is_single: bool) -> list[Path]:
    if is_single and not _is_folder(output):
        return [output]
    check_place(FilledFolder(output), overwrite=False)
    stems = Counter(source.stem for source in sources)
    # a.png and a.jpg must not end in the same file.
    names = [source.stem if stems[source.stem] == 1 else source.name for source in sources]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise OutputError(
            f"{output / twice[0]}.png would be written twice: two of the images are called "
            f"{twice[0]}; upscale them into different folders"
        )
    return [output / f"{name}.png" for name in names]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
