"""One bundle on several engines, to see whether they all compute the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import BundleError, EngineError
from gdq_runtime import Upscaler
from gdq_runtime.bundle.manifest import AgreementBound, Format
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.registry import ENGINES, engine_names, open_engine
from gdq_validate.agreement import (
    ACROSS_ROUNDINGS,
    Agreement,
    count_differences,
    prove,
    round_alike,
)
from gdq_validate.ground_truth import GroundTruth

ALL = "all"
REFERENCE = "numpy"
"""Computes in exact integers and takes seconds per tile, so it runs golden tiles only."""

Skipped = Callable[[str], None]
"""Called with a sentence about an engine that is left out."""

_Made = list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]
"""Picture and bit map, of each low-resolution picture."""


def present_engines(bundle: Bundle, wanted: str, skipped: Skipped) -> list[str]:
    """List the engines to compare.

    Args:
        bundle: what they are to run.
        wanted: "all", which leaves out engines that cannot run here, or comma-separated names.
        skipped: called for each engine that is left out.

    Raises:
        EngineError: a named engine is unknown or not installed, or no engine is left.
        BundleError: the bundle has no graphs for a named engine.
    """
    names = [*engine_names(), REFERENCE] if wanted == ALL else wanted.split(",")
    present = []
    for name in dict.fromkeys(names):
        try:
            _open(name, bundle).close()
        except (EngineError, BundleError) as error:
            if wanted != ALL:
                raise
            skipped(f"{name} is left out: {error}")
        else:
            present.append(name)
    if not present:
        raise EngineError(f"no engine here runs {bundle.path}")
    return present


def compare_golden_tiles(bundle: Bundle, engines: Sequence[str]) -> Iterator[Agreement]:
    """Run the bundle's golden tiles through each engine, and its small network's likewise."""
    for name in engines:
        with closing(_open(name, bundle)) as engine:
            yield prove(bundle, engine, _format_of(name))
    if bundle.small is not None:
        for proof in compare_golden_tiles(bundle.small, engines):
            yield proof.model_copy(update={"reference": f"{proof.reference}, small"})


def compare_pictures(
    bundle: Bundle, engines: Sequence[str], truths: Sequence[GroundTruth], threads: int | None
) -> Iterator[Agreement]:
    """Upscale pictures with each engine, routed by its own predictor.

    Each is compared with the first engine that rounds alike, by the bounds of its format; without
    such a predecessor, with the first of all, by ``ACROSS_ROUNDINGS``.
    """
    names = [name for name in engines if name != REFERENCE]
    if len(names) < 2:
        return
    lows = [truth.load()[0] for truth in truths]
    pictures = f"{len(lows)} picture{'s' if len(lows) > 1 else ''}"
    expected: dict[str, _Made] = {}
    for name in names:
        made, accelerator = _upscale(bundle, name, lows, threads)
        alike = next((one for one in expected if _round_alike(bundle, one, name)), None)
        if expected:
            other = alike or next(iter(expected))
            pairs = list(zip(made, expected[other], strict=True))
            yield Agreement(
                engine=name,
                accelerator=accelerator,
                reference=f"{other}, {pictures}",
                differences=count_differences((one[0], two[0]) for one, two in pairs),
                bounds=_bounds(bundle, name) if alike else ACROSS_ROUNDINGS,
                tiles=sum(bit_map.size for _, bit_map in expected[other]),
                same_bit_width=sum(int((one[1] == two[1]).sum()) for one, two in pairs),
            )
        if alike is None:
            expected[name] = made


def _round_alike(bundle: Bundle, one: str, other: str) -> bool:
    return round_alike(bundle, _format_of(one), _format_of(other))


def _bounds(bundle: Bundle, engine: str) -> tuple[AgreementBound, ...]:
    return tuple(bundle.manifest.agreement.get(_format_of(engine), ACROSS_ROUNDINGS))


def _format_of(engine: str) -> Format:
    return "onnx" if engine == REFERENCE else ENGINES[engine].reads


def _upscale(
    bundle: Bundle, engine: str, lows: Sequence[NDArray[np.uint8]], threads: int | None
) -> tuple[_Made, str]:
    # By bits alone: what a tile costs differs from engine to engine.
    with Upscaler(bundle, engine, threads, costs=None) as upscaler:
        results = [upscaler(low, flat_tiles="network") for low in lows]
        made = [(result.image, result.bit_map) for result in results]
        return made, upscaler.engine_report().accelerator_used


def _open(name: str, bundle: Bundle) -> Engine:
    if name == REFERENCE:
        try:
            from gdq_validate.engines.numpy_engine import NumpyEngine
        except ImportError as error:
            raise EngineError(
                f"engine {name!r} needs the package onnx, which cannot be imported ({error}): "
                "pip install onnx"
            ) from error
        return NumpyEngine(bundle)
    return open_engine(name, bundle, bundle.manifest.tiling.size)
