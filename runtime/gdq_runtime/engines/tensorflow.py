"""TensorFlow's own build of the TFLite interpreter, as another engine to compare with.

This is the only module of the runtime that imports tensorflow, and only when it is opened.
"""

from __future__ import annotations

import warnings

import tensorflow as tf

from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.tflite import TfliteEngine

# The warning recommends LiteRT, which is an engine here too; this one is an independent build.
warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated", UserWarning)


class TensorflowEngine(TfliteEngine):
    """Run the bundle's TFLite graphs on TensorFlow's interpreter."""

    name = "tensorflow"
    library = "TensorFlow"
    interpreter = tf.lite.Interpreter


def open_tensorflow(bundle: Bundle, _tile_size: int | None) -> TensorflowEngine:
    """See ``EngineFactory``; the registry has checked the size."""
    return TensorflowEngine(bundle)
