"""The list of engines, and how one of them is chosen for a bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gdq_core.errors import BundleError, EngineError
from gdq_runtime.bundle.manifest import Format
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine, EngineFactory
from gdq_runtime.engines.paired import PairedEngine


def _load_onnxruntime() -> EngineFactory:
    from gdq_runtime.engines.ort import open_ort

    return open_ort


def _load_litert() -> EngineFactory:
    from gdq_runtime.engines.litert import open_litert

    return open_litert


def _load_tensorflow() -> EngineFactory:
    from gdq_runtime.engines.tensorflow import open_tensorflow

    return open_tensorflow


def _load_gdq() -> EngineFactory:
    from gdq_runtime.engines.gdq import open_gdq
    from gdq_runtime.engines.native_library import load_library

    load_library()
    return open_gdq


@dataclass(frozen=True)
class EngineEntry:
    """What is known of an engine before its library is loaded, which few users need for all.

    Attributes:
        name: name by which the engine is chosen.
        reads: format of the graphs that it runs.
        any_size: whether tiles may have other sizes than the bundle's own.
        package: package that contains its library.
        load: imports its module and library.

    """

    name: str
    reads: Format
    any_size: bool
    package: str
    load: Callable[[], EngineFactory]


ENGINES = {
    entry.name: entry
    for entry in (
        EngineEntry("onnxruntime", "onnx", True, "onnxruntime", _load_onnxruntime),
        EngineEntry("litert", "tflite", False, "ai-edge-litert", _load_litert),
        EngineEntry("tensorflow", "tflite", False, "tensorflow", _load_tensorflow),
        EngineEntry("gdq", "engine", True, "granular-dq-mobile", _load_gdq),
    )
}

DEFAULTS = ("gdq", "onnxruntime", "litert")
"""Engines to choose from if none is named, fastest first; together they read all formats."""


def open_engine(name: str, bundle: Bundle, tile_size: int | None = None) -> Engine:
    """Open an engine by name.

    Args:
        name: one of ``engine_names()``.
        bundle: the bundle to run.
        tile_size: side of all tiles in pixels if it never varies, so that the engine may
            specialise; None otherwise.

    Raises:
        EngineError: the name is unknown, the engine's library is not installed, or the engine
            cannot run tiles of these sizes.
        BundleError: the bundle has no graphs in the engine's format.

    """
    if name not in ENGINES:
        raise EngineError(f"unknown engine {name!r}; choose one of {', '.join(engine_names())}")
    entry = ENGINES[name]
    others = _choose_other(entry, bundle, tile_size)
    try:
        bundle.require(entry.reads, name)
    except BundleError as error:
        raise BundleError(f"{error}; {others}" if others else str(error)) from error
    size = bundle.manifest.tiling.size
    if tile_size != size and not entry.any_size:
        raise EngineError(
            f"engine {name!r} runs tiles of {size}x{size} pixels only, and policy 'paper' cuts "
            f"others: choose --policy uniform{others and f', or {others}'}"
        )
    try:
        factory = _load(entry)
    except EngineError as error:
        raise EngineError(f"{error}{others and f', or {others}'}") from error
    engine = factory(bundle, tile_size)
    if bundle.small is None:
        return engine
    return PairedEngine(engine, factory(bundle.small, tile_size))


def default_engine(bundle: Bundle) -> tuple[str, str | None]:
    """Choose an engine for a bundle; return its name, and why it is not the fastest one, or None.

    The choice is the fastest engine that reads the bundle and is installed. If that engine then
    fails, for example on a damaged model, no other is tried.
    """
    reasons = []
    for name in DEFAULTS:
        try:
            bundle.require(ENGINES[name].reads, name)
            _load(ENGINES[name])
        except (BundleError, EngineError) as error:
            reasons.append(str(error))
        else:
            return name, f"engine {name!r} is used: {reasons[0]}" if reasons else None
    # None is installed: opening this one says what to install.
    return _list_readers(bundle)[0], None


def engine_names() -> tuple[str, ...]:
    """Return the names of all engines, whether or not their library is installed."""
    return tuple(ENGINES)


def _load(entry: EngineEntry) -> EngineFactory:
    try:
        return entry.load()
    except ImportError as error:
        raise EngineError(
            f"engine {entry.name!r} needs the package {entry.package}, which cannot be imported "
            f"({error}): pip install {entry.package}"
        ) from error


def _list_readers(bundle: Bundle) -> list[str]:
    return [name for name in DEFAULTS if ENGINES[name].reads in bundle.manifest.formats]


def _choose_other(entry: EngineEntry, bundle: Bundle, tile_size: int | None) -> str:
    """Suggest other engines for a bundle and tile size; empty if there are none."""
    is_usual = tile_size == bundle.manifest.tiling.size
    others = [
        f"--engine {name}"
        for name in _list_readers(bundle)
        if name != entry.name and (is_usual or ENGINES[name].any_size)
    ]
    return f"choose {' or '.join(others)}" if others else ""
