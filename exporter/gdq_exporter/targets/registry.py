"""All targets: format -> target, as a list to read."""

from __future__ import annotations

from collections.abc import Callable

from gdq_exporter.targets.base import Target
from gdq_runtime.bundle.manifest import Format


def _onnx() -> Target:
    from gdq_exporter.targets.onnx.target import OnnxTarget

    return OnnxTarget()


def _tflite() -> Target:
    from gdq_exporter.targets.tflite.target import TfliteTarget

    return TfliteTarget()


def _engine() -> Target:
    from gdq_exporter.targets.engine.target import EngineTarget

    return EngineTarget()


# In the order of the formats of a bundle. A target imports its optional library only when it uses
# it, so that all targets can be listed without it.
_TARGETS: dict[Format, Callable[[], Target]] = {
    "onnx": _onnx,
    "tflite": _tflite,
    "engine": _engine,
}


def get_target(name: Format) -> Target:
    """Return the target that writes a format."""
    return _TARGETS[name]()


def all_targets() -> list[Target]:
    """Return every target, in order."""
    return [create() for create in _TARGETS.values()]
