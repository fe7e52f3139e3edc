"""What a phone needs: program, model, tiles, a picture with the widths of its tiles, peers."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from gdq_bench.native.inputs import write_plan, write_tiles
from gdq_bench.protocol import PictureSize
from gdq_bench.targets.phone.session import PROGRAM
from gdq_core.errors import RequestError
from gdq_runtime.bit_map import compute_fab, compute_network_fab
from gdq_runtime.bundle.manifest import Format
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.pipeline import Upscaler
from gdq_validate.ground_truth import GroundTruth

_ABI = "arm64-v8a"
_AARCH64 = (183).to_bytes(2, "little")
"""Number of 64-bit ARM in the head of an ELF file."""
_LARGEST_LIBRARY = 1 << 28
"""Bytes; an archive that unpacks to more is refused."""


@dataclass(frozen=True)
class _Library:
    """A library that ``gdq_run`` can load.

    Attributes:
        file: its name in its archive.
        reads: the bundle's format that it runs.

    """

    file: str
    reads: Format


PEERS = {
    "ort": _Library("libonnxruntime.so", "onnx"),
    "tflite": _Library("libtensorflowlite_jni.so", "tflite"),
}
"""Engines that can be measured beside ours."""


@dataclass(frozen=True)
class Peer:
    """Another engine to measure beside ours.

    Attributes:
        name: one of ``PEERS``.
        file: its library for Android, or the Maven archive (AAR) that holds it.

    """

    name: str
    file: Path


@dataclass(frozen=True, eq=False)
class PhoneInputs:
    """Everything that is pushed, and what the program is told about it.

    Attributes:
        files: path in our folder -> file.
        engines: arguments that name engines.
        bit_widths: of the bundle, ascending.
        picture: the whole picture, as large as it becomes.
        bit_map: uint8, (rows, columns): the predictor's decisions.

    """

    files: dict[str, Path]
    engines: tuple[str, ...]
    bit_widths: tuple[int, ...]
    picture: PictureSize
    bit_map: NDArray[np.uint8]

    @property
    def digest(self) -> str:
        """Return a SHA-256 of all names and contents."""
        digest = hashlib.sha256()
        for path, file in sorted(self.files.items()):
            digest.update(path.encode() + hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()

    def fab(self, bits: int | None) -> tuple[float, float]:
        """Return FAB and the network's FAB of the picture, routed (None) or at one bit-width."""
        if bits is not None:
            return float(bits), float(bits)
        return compute_fab(self.bit_map), compute_network_fab(self.bit_map)


def write_inputs(
    bundle: Bundle,
    truth: GroundTruth,
    program: Path,
    peers: Sequence[Peer],
    accelerator: str,
    folder: Path,
) -> PhoneInputs:
    """Write into a folder here what a phone needs.

    Args:
        bundle: what is measured.
        truth: the whole picture.
        program: for the phone.
        peers: measured beside ours.
        accelerator: cpu or nnapi, which peers are asked to run on.
        folder: an empty one.

    Raises:
        BundleError: the bundle lacks what an engine reads, or has no golden tiles.
        ImageError: the picture cannot be read.
        RequestError: a peer's file is not what it should be.

    """
    bundle.require("engine", "gdq")
    low, high = truth.load()
    with Upscaler(bundle, threads=1, costs=None) as upscaler:
        upscaled = upscaler(low)
    (folder / "tiles").mkdir()
    write_tiles(bundle, folder / "tiles")
    write_plan(low, upscaled.plan, upscaled.bit_map, folder)
    model = bundle.file(str(bundle.manifest.predictor.engine))
    files = {PROGRAM: program, "model.gdq": model}
    files |= {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
    engines = ["model.gdq"]
    for peer in peers:
        library = _find_library(peer, folder)
        # Of its own, since files of two peers may have one name.
        place = f"libraries/{peer.name}/{library.name}"
        files[place] = library
        engines += ["--library", place]
        for words, path in _list_models(bundle, peer):
            files[path] = bundle.file(path)
            engines += words
        engines += ["--accelerator", accelerator]
    size = PictureSize(name=truth.name, width=high.shape[1], height=high.shape[0])
    return PhoneInputs(files, tuple(engines), bundle.bit_widths, size, upscaled.bit_map)


def _list_models(bundle: Bundle, peer: Peer) -> list[tuple[list[str], str]]:
    """Return arguments and path in the bundle of all files that a peer reads."""
    reads = PEERS[peer.name].reads
    bundle.require(reads, peer.name)
    paths = {bits: bundle.subgraph(bits).files()[reads] for bits in bundle.bit_widths}
    models = [(["--model", f"{bits}={path}"], path) for bits, path in paths.items()]
    if reads != "onnx":
        return models
    # The graphs' weights lie in files beside them.
    folders = {str(PurePosixPath(path).parent) for path in paths.values()}
    weights = [
        entry.path
        for entry in bundle.manifest.files
        if str(PurePosixPath(entry.path).parent) in folders and not entry.path.endswith(".onnx")
    ]
    return [*models, *(([], path) for path in weights)]


def _find_library(peer: Peer, folder: Path) -> Path:
    """Return a peer's library; one in an archive is unpacked into the folder."""
    name = PEERS[peer.name].file
    if not zipfile.is_zipfile(peer.file):
        return peer.file
    with zipfile.ZipFile(peer.file) as archive:
        inside = f"jni/{_ABI}/{name}"
        if inside not in archive.namelist() or archive.getinfo(inside).file_size > _LARGEST_LIBRARY:
            raise RequestError(f"--peer {peer.name}: {peer.file} holds no {inside}")
        target = folder / name
        target.write_bytes(archive.read(inside))
    return target


def parse_peer(text: str) -> Peer:
    """Read NAME=FILE.

    Raises:
        RequestError: it is something else, no such engine is known, there is no such file, or it
            cannot be loaded on a phone.

    """
    name, equals, file = text.partition("=")
    if not equals or name not in PEERS:
        raise RequestError(
            f"--peer takes NAME=FILE with NAME one of {', '.join(PEERS)}, not {text!r}"
        )
    if not Path(file).is_file():
        raise RequestError(f"--peer {name}: there is no file {file}")
    if not zipfile.is_zipfile(file) and not is_for_phones(Path(file)):
        raise RequestError(
            f"--peer {name}: {file} is neither an Android archive (AAR) nor a library for {_ABI}"
        )
    return Peer(name, Path(file))


def is_for_phones(file: Path) -> bool:
    """Tell whether a file begins as programs and libraries of 64-bit ARM do."""
    with file.open("rb") as opened:
        head = opened.read(20)
    return head[:5] == b"\x7fELF\x02" and head[18:20] == _AARCH64
