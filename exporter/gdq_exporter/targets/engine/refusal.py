"""How a network is refused that the packed model cannot express."""

from __future__ import annotations

from gdq_exporter.errors import ExportError


def refusal(reason: str) -> ExportError:
    """Return the error to raise; ``reason`` is a clause about the network."""
    return ExportError(f"our engine cannot run it: {reason}; choose --formats onnx,tflite")
