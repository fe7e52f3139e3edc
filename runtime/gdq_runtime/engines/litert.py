"""LiteRT: the interpreter of ``ai-edge-litert``, or of its predecessor ``tflite-runtime``."""

from __future__ import annotations

from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.tflite import TfliteEngine

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    from tflite_runtime.interpreter import Interpreter


class LitertEngine(TfliteEngine):
    """Run the bundle's TFLite graphs on LiteRT."""

    name = "litert"
    library = "LiteRT"
    interpreter = Interpreter


def open_litert(bundle: Bundle, _tile_size: int | None) -> LitertEngine:
    """See ``EngineFactory``; the registry has checked the size."""
    return LitertEngine(bundle)
