"""Open a bundle: a folder that a stranger may have written, so nothing in it is trusted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from gdq_core.bit_widths import INTERPOLATED, SMALL, BitWidth
from gdq_core.errors import BundleError
from gdq_core.sensitivity.pair import PairRule
from gdq_runtime.bit_map import bit_operations_per_pixel
from gdq_runtime.bundle.manifest import (
    MANIFEST_NAME,
    SCHEMA_VERSION,
    TWO_NETWORKS,
    Format,
    Manifest,
    SmallNetwork,
    Subgraph,
)

MANIFEST_LIMIT = 4 << 20
"""Bytes; a real manifest has some ten thousand, and parsing a huge one could fill the memory."""


class _Version(BaseModel):
    """The only key that every version of the manifest has."""

    model_config = ConfigDict(extra="ignore", strict=True)
    schema_version: int


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files are what its manifest says they are.

    Attributes:
        path: the folder.
        manifest: its validated description.
        small: the bundle of its small network, of the same scale and tiles; None of one network.

    """

    path: Path
    manifest: Manifest
    small: Bundle | None = None

    def __repr__(self) -> str:
        """Name the folder and the network in a line."""
        network = self.manifest.network
        return f"<Bundle {str(self.path)!r}: {network.name} x{network.scale}>"

    @classmethod
    def open(cls, path: str | Path) -> Bundle:
        """Read the manifest, then check path, size and SHA-256 of every file that it lists.

        Raises:
            BundleError: the folder is not a bundle or has another version, a file is damaged,
                missing or a link, or a path leaves the folder.

        """
        folder = Path(path)
        try:
            is_folder = folder.is_dir()
        except (OSError, ValueError):
            is_folder = False
        if not is_folder:
            raise BundleError(f"{folder} is not a bundle: there is no such folder")
        manifest = _read_manifest(folder / MANIFEST_NAME)
        for entry in manifest.files:
            _check_file(folder, entry.path, entry.size, entry.sha256)
        if manifest.small is None:
            return cls(folder, manifest)
        return _open_pair(folder, manifest, manifest.small)

    def file(self, relative: str) -> Path:
        """Return the path of a file that the manifest lists.

        Raises:
            BundleError: the manifest does not list it, so it was not checked.

        """
        if all(entry.path != relative for entry in self.manifest.files):
            raise BundleError(f"{self.path}: {relative!r} is not a file of this bundle")
        return self.path / relative

    def require(self, graph_format: Format, engine: str) -> None:
        """Make sure that an engine finds graphs that it can read.

        Raises:
            BundleError: the bundle was exported without them.

        """
        formats = self.manifest.formats
        if graph_format not in formats:
            raise BundleError(
                f"{self.path} has no graphs for engine {engine!r}, which reads {graph_format}: it "
                f"was exported with --formats {','.join(formats)}"
            )

    @property
    def bit_widths(self) -> tuple[BitWidth, ...]:
        """Bit-widths that have a subgraph, ascending."""
        return tuple(sorted(subgraph.bit_width for subgraph in self.manifest.subgraphs))

    @property
    def routes(self) -> tuple[int, ...]:
        """Numbers of all that networks can do with a tile: the small one's first, ascending."""
        small = () if self.small is None else self.small.bit_widths
        return (*(SMALL + width for width in small), *self.bit_widths)

    @cached_property
    def bit_operations(self) -> dict[int, float]:
        """Route -> BitOPs per low-resolution pixel; interpolation needs none."""
        small = {} if self.small is None else self.small.bit_operations
        network = self.manifest.network
        macs = network.quantized_macs_per_pixel, network.float_macs_per_pixel
        return {
            **{SMALL + width: count for width, count in small.items() if width != INTERPOLATED},
            **{width: bit_operations_per_pixel(width, *macs) for width in self.bit_widths},
            INTERPOLATED: 0.0,
        }

    def pair_rule(self) -> PairRule:
        """Return what tells losses on either of two networks.

        Raises:
            BundleError: one has no predictor of statistics, or they are of different tiles.

        """
        heads = [
            None if one is None else one.manifest.predictor.sensitivity
            for one in (self, self.small)
        ]
        large, small = heads
        if large is None or small is None:
            raise BundleError(f"{self.path} has no two predictors of statistics")
        try:
            return PairRule(large.rule(), small.rule())
        except ValueError as error:
            raise BundleError(f"{self.path} is not valid: {error}") from error

    def subgraph(self, bit_width: int) -> Subgraph:
        """Return the network at one bit-width.

        Raises:
            BundleError: the bundle has no such subgraph.

        """
        for subgraph in self.manifest.subgraphs:
            if subgraph.bit_width == bit_width:
                return subgraph
        available = ", ".join(map(str, self.bit_widths))
        raise BundleError(f"{self.path} has no subgraph of {bit_width} bits; it has {available}")


def _read_manifest(path: Path) -> Manifest:
    if path.is_symlink() or not path.is_file():
        raise BundleError(f"{path.parent} is not a bundle: it has no {MANIFEST_NAME}")
    try:
        with path.open("rb") as stream:
            text = stream.read(MANIFEST_LIMIT + 1)
    except OSError as error:
        raise BundleError(f"cannot read {path}: {error.strerror}") from error
    if len(text) > MANIFEST_LIMIT:
        raise BundleError(f"{path} is larger than {MANIFEST_LIMIT >> 20} MiB: not a manifest")
    try:
        _check_version(path, _Version.model_validate_json(text).schema_version)
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise BundleError(f"{path} is not valid: {_first_complaint(error)}") from error


def _check_version(path: Path, version: int) -> None:
    if version > TWO_NETWORKS:
        raise BundleError(
            f"{path} has schema version {version} and was made by a newer version of gdq-export; "
            f"this runtime reads up to {TWO_NETWORKS}: update it"
        )
    if version < SCHEMA_VERSION:
        raise BundleError(
            f"{path} has schema version {version}, but this runtime reads {SCHEMA_VERSION}: "
            "export the checkpoint again"
        )


def _first_complaint(error: ValidationError) -> str:
    complaints = error.errors(include_url=False, include_input=False, include_context=False)
    first = complaints[0]
    field = ".".join(map(str, first["loc"]))
    more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
    message = first["msg"].removeprefix("Value error, ")
    return f"{f'field {field}: ' if field else ''}{message}{more}"


def _open_pair(folder: Path, manifest: Manifest, described: SmallNetwork) -> Bundle:
    """Open a bundle of two networks, and make sure that they can share the tiles of a picture.

    All files were checked, those in the folder of the small network, too; what its manifest says
    was not.
    """
    place = folder / described.folder
    small = Bundle(place, _read_manifest(place / MANIFEST_NAME))
    if small.manifest.small is not None:
        raise BundleError(f"{place} holds a small network itself: one is enough")
    for name, one, other in (
        ("scale", manifest.network.scale, small.manifest.network.scale),
        ("tiling", manifest.tiling, small.manifest.tiling),
        ("formats", manifest.formats, small.manifest.formats),
    ):
        if one != other:
            raise BundleError(f"{folder} is not valid: its networks do not have the same {name}")
    listed = {entry.path: entry.sha256 for entry in manifest.files}
    for entry in small.manifest.files:
        path = f"{PurePosixPath(described.folder)}/{entry.path}"
        if listed.get(path) != entry.sha256:
            raise BundleError(f"{folder} is not valid: {path} is another file than it lists")
    bundle = Bundle(folder, manifest, small)
    bundle.pair_rule()
    if {*described.tiles[0].losses} != {INTERPOLATED, *bundle.routes}:
        raise BundleError(f"{folder} is not valid: its measured tiles have other routes than it")
    return bundle


def _check_file(folder: Path, relative: str, size: int, sha256: str) -> None:
    path = folder / relative
    try:
        # Equal only if neither the file nor a folder on the way to it is a link.
        if path.resolve(strict=True) != folder.resolve() / relative:
            raise BundleError(f"{path} is a link or leaves the bundle's folder: refused")
        # A pipe or a device could block for ever or never end.
        if not path.is_file():
            raise BundleError(f"{path} is not a regular file")
        actual_size = path.stat().st_size
        if actual_size != size:
            raise BundleError(
                f"{path} is damaged: it has {actual_size} bytes, the manifest says {size}"
            )
        with path.open("rb") as stream:
            digest = hashlib.sha256()
            while block := stream.read(1 << 20):
                digest.update(block)
    except FileNotFoundError as error:
        raise BundleError(f"{path} is missing: the bundle is incomplete") from error
    except (OSError, ValueError) as error:
        raise BundleError(f"cannot read {path}: {error}") from error
    if digest.hexdigest() != sha256:
        raise BundleError(f"{path} is damaged: its SHA-256 is not the one in the manifest")
