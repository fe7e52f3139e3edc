"""Run networks trained with Granular-DQ: a bundle and an image in, a larger image out.

>>> from gdq_runtime import Upscaler
>>> with Upscaler.open("bundle") as upscaler:
...     result = upscaler(image)  # uint8 (height, width, 3)
>>> result.image, result.bit_map, result.fab, result.timings
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdq_core.late_import import import_late

if TYPE_CHECKING:
    from gdq_core.errors import (
        BundleError,
        EngineError,
        GdqError,
        ImageError,
        OutputError,
        RequestError,
    )
    from gdq_core.version import __version__ as __version__
    from gdq_runtime.bit_map_drawing import draw_bit_map
    from gdq_runtime.bundle.reader import Bundle
    from gdq_runtime.pipeline import FileResult, Upscaler, UpscaleResult
    from gdq_runtime.routing.request import Request

__all__ = [
    "Bundle",
    "BundleError",
    "EngineError",
    "FileResult",
    "GdqError",
    "ImageError",
    "OutputError",
    "Request",
    "RequestError",
    "UpscaleResult",
    "Upscaler",
    "draw_bit_map",
]

_HOMES = {
    "__version__": "gdq_core.version",
    "Bundle": "gdq_runtime.bundle.reader",
    "BundleError": "gdq_core.errors",
    "EngineError": "gdq_core.errors",
    "FileResult": "gdq_runtime.pipeline",
    "GdqError": "gdq_core.errors",
    "ImageError": "gdq_core.errors",
    "OutputError": "gdq_core.errors",
    "Request": "gdq_runtime.routing.request",
    "RequestError": "gdq_core.errors",
    "UpscaleResult": "gdq_runtime.pipeline",
    "Upscaler": "gdq_runtime.pipeline",
    "draw_bit_map": "gdq_runtime.bit_map_drawing",
}

__getattr__ = import_late(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
