"""How far an implementation's pictures are from another's: level 3 of docs/numerics.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, computed_field

from gdq_core.errors import BundleError
from gdq_runtime.bundle.manifest import AgreementBound, Format, GoldenTile
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine

ACROSS_ROUNDINGS = (AgreementBound(levels=1, share=0.2), AgreementBound(levels=4, share=2e-3))
"""Bounds for two formats of one network that round differently: docs/numerics.md, "Bounds"."""


class Agreement(BaseModel):
    """An engine against a reference, over all samples of all pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: str
    accelerator: Annotated[str, Field(description="what the engine really ran on")]
    reference: Annotated[str, Field(description="golden tiles, or another engine and its pictures")]
    differences: Annotated[dict[int, int], Field(description="gray levels apart -> samples")]
    bounds: Annotated[
        tuple[AgreementBound, ...], Field(description="what the differences are held to")
    ]
    tiles: int
    same_bit_width: Annotated[
        int, Field(description="tiles that got the reference's bit-width, or its sensitivity")
    ]

    @property
    def samples(self) -> int:
        """Number of samples compared."""
        return sum(self.differences.values())

    @computed_field  # type: ignore[prop-decorator]
    @property
    def equal(self) -> float:
        """Share of samples that are the same."""
        return self.differences.get(0, 0) / self.samples

    @computed_field  # type: ignore[prop-decorator]
    @property
    def beyond_one(self) -> float:
        """Share of samples that differ by more than one."""
        return self.share_beyond(1)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def largest(self) -> int:
        """Largest difference, 0..255."""
        return max(self.differences)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def holds(self) -> bool:
        """Whether the contract is kept: equal bit-widths, and nearly all samples close enough."""
        return self.is_near and self.same_bit_width == self.tiles

    @property
    def is_near(self) -> bool:
        """Whether the pictures are within all bounds."""
        return self.broken_bound is None

    @property
    def broken_bound(self) -> AgreementBound | None:
        """The first bound that the pictures exceed, if any."""
        return next((one for one in self.bounds if self.share_beyond(one.levels) > one.share), None)

    def share_beyond(self, levels: int) -> float:
        """Return the share of samples that differ by more than so many gray levels."""
        return sum(n for apart, n in self.differences.items() if apart > levels) / self.samples


def count_differences(
    pairs: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
) -> dict[int, int]:
    """Count, over pairs of equal shape, how many samples are how many gray levels apart."""
    counts = np.zeros(256, dtype=np.int64)
    for one, other in pairs:
        apart = np.abs(one.astype(np.int16) - other)
        counts += np.bincount(apart.reshape(-1), minlength=256)
    return {int(apart): int(counts[apart]) for apart in np.flatnonzero(counts)}


def prove(bundle: Bundle, engine: Engine, graph_format: Format) -> Agreement:
    """Hold an engine to the golden outputs of the format that it reads.

    Where the format has none, because nothing could run it where the bundle was exported, another
    format's outputs and ``ACROSS_ROUNDINGS`` are used instead.

    Raises:
        BundleError: there are no golden tiles, or one cannot be read.

    """
    manifest = bundle.manifest
    if not manifest.golden:
        raise BundleError(f"{bundle.path} holds no golden tiles to compare with")
    own = manifest.agreement.get(graph_format)
    source = next(iter(manifest.agreement)) if own is None else graph_format
    bounds = ACROSS_ROUNDINGS if own is None else own
    return compare_with_golden(bundle, manifest.golden, engine, source, bounds)


def round_alike(bundle: Bundle, one: Format, other: Format) -> bool:
    """Tell whether two formats of a bundle are held to the same golden outputs."""
    outputs = [tile.outputs for tile in bundle.manifest.golden]
    return one == other or all(
        one in paths and other in paths and paths[one] == paths[other] for paths in outputs
    )


def compare_with_golden(
    bundle: Bundle,
    golden: Sequence[GoldenTile],
    engine: Engine,
    source: Format,
    bounds: Sequence[AgreementBound],
) -> Agreement:
    """Run golden tiles and compare the outputs.

    Args:
        bundle: holds the tiles.
        golden: tiles and expected outputs, at least one.
        engine: open on the bundle.
        source: the format whose outputs are expected.
        bounds: what the differences are held to.

    Raises:
        BundleError: a golden tile cannot be read.

    """
    inputs = [read_picture(bundle.path / tile.tile) for tile in golden]
    pairs = (
        (engine.run(int(width), tile), read_picture(bundle.path / expected))
        for entry, tile in zip(golden, inputs, strict=True)
        for width, expected in entry.outputs[source].items()
    )
    decisions = zip(golden, inputs, strict=True)
    return Agreement(
        engine=engine.name,
        accelerator=engine.accelerator_used,
        reference="golden tiles",
        differences=count_differences(pairs),
        bounds=tuple(bounds),
        tiles=len(golden),
        same_bit_width=sum(_decides_alike(engine, entry, tile) for entry, tile in decisions),
    )


def _decides_alike(engine: Engine, golden: GoldenTile, tile: NDArray[np.uint8]) -> bool:
    if golden.sensitivity is not None:
        return list(engine.sense(tile)) == golden.sensitivity
    return engine.predict(tile).bit_width == golden.bit_width


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a golden tile or an output: (height, width, 3), RGB.

    Raises:
        BundleError: it is missing, or not a picture.

    """
    picture = cv2.imread(str(path))
    if picture is None:
        raise BundleError(f"cannot read the golden tile {path}")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
