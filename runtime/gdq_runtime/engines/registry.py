"""The engines there are: name -> factory, a list to read."""

from __future__ import annotations

from gdq_core.errors import BundleError, EngineError
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine, EngineFactory

FASTEST_ENGINE = "gdq"
"""The default where it was built, for bundles with its format."""
FALLBACK_ENGINE = "onnxruntime"
"""The default elsewhere."""


def _onnxruntime() -> EngineFactory:
    from gdq_runtime.engines.ort import open_ort

    return open_ort


def _litert() -> EngineFactory:
    from gdq_runtime.engines.litert import open_litert

    return open_litert


def _tensorflow() -> EngineFactory:
    from gdq_runtime.engines.tensorflow import open_tensorflow

    return open_tensorflow


def _gdq() -> EngineFactory:
    from gdq_runtime.engines.gdq import open_gdq

    return open_gdq


# Each entry imports its library only when it is chosen: nobody needs all of them.
_FACTORIES = {
    # name: (factory, package that brings its library)
    "onnxruntime": (_onnxruntime, "onnxruntime"),
    "litert": (_litert, "ai-edge-litert"),
    "tensorflow": (_tensorflow, "tensorflow"),
    "gdq": (_gdq, "granular-dq-mobile"),
}


def open_engine(name: str, bundle: Bundle, tile_size: int | None = None) -> Engine:
    """Open an engine by name.

    Args:
        name: one of ``engine_names()``.
        bundle: what it shall run.
        tile_size: side of all tiles in pixels if it never varies, so that the engine may
            specialise; None otherwise.

    Raises:
        EngineError: unknown name, the engine's library is not installed, or it cannot run tiles
            of such sizes.
        BundleError: the bundle has no graphs in the engine's format.

    """
    if name not in _FACTORIES:
        raise EngineError(f"unknown engine {name!r}; there is {', '.join(engine_names())}")
    load, package = _FACTORIES[name]
    try:
        factory = load()
    except ImportError as error:
        raise EngineError(
            f"engine {name!r} needs the package {package}, which cannot be imported ({error}): "
            f"pip install {package}"
        ) from error
    return factory(bundle, tile_size)


def default_engine(bundle: Bundle) -> tuple[str, str | None]:
    """Choose an engine for a bundle: its name, and why it is not the fastest one, or None.

    That the fastest is there and then fails (on a damaged model, say) is no reason to take another.
    """
    from gdq_runtime.engines.native_library import load_library

    try:
        bundle.require("engine", FASTEST_ENGINE)
        load_library()
    except (BundleError, EngineError) as error:
        return FALLBACK_ENGINE, f"engine {FALLBACK_ENGINE!r} is used: {error}"
    return FASTEST_ENGINE, None


def engine_names() -> tuple[str, ...]:
    """Names of all engines, whether or not their library is installed."""
    return tuple(_FACTORIES)
