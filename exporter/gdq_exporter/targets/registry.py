"""The targets there are: format -> target, a list to read."""

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


# In the order of the formats of a bundle. Targets import libraries that not all need when they use
# them, so that all can be listed.
_TARGETS: dict[Format, Callable[[], Target]] = {
    "onnx": _onnx,
    "tflite": _tflite,
    "engine": _engine,
}


def get_target(name: Format) -> Target:
    """The target that writes a format."""
    return _TARGETS[name]()


def all_targets() -> list[Target]:
    """Every target, in order."""
    return [create() for create in _TARGETS.values()]
