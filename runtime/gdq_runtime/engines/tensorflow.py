"""TensorFlow's own build of the TFLite interpreter: one more to compare with.

The one module of the runtime that imports tensorflow, and only when this engine is opened.
"""

from __future__ import annotations

import warnings

import tensorflow as tf

from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.tflite import TfliteEngine

# It recommends LiteRT, which is here too; as an independent build this one is of use.
warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated", UserWarning)


class TensorflowEngine(TfliteEngine):
    """Runs the bundle's TFLite graphs on TensorFlow's interpreter."""

    name = "tensorflow"
    library = "TensorFlow"
    interpreter = tf.lite.Interpreter


def open_tensorflow(bundle: Bundle, _tile_size: int | None) -> TensorflowEngine:
    """See ``EngineFactory``; the registry has seen to the size."""
    return TensorflowEngine(bundle)
