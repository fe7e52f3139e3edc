"""One file with every large constant, each stored once, shared by all graphs of a bundle."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx_ir as ir

_INLINE_BELOW = 1024
"""Bytes; smaller constants stay in their graph, where a reference would cost as much."""
_ALIGNMENT = 64
"""Bytes; a cache line, and what mapped weights need to be used in place."""


class WeightStore:
    """Collects constants by content and replaces them by references into one file."""

    def __init__(self, path: Path) -> None:
        """Args: path: the file that ``save`` writes, in the folder of the graphs."""
        self._path = path
        self._content = bytearray()
        self._offsets: dict[bytes, int] = {}

    def externalise(self, model: ir.Model) -> None:
        """Move the model's large constants into the store, in place."""
        for value in model.graph.initializers.values():
            tensor = value.const_value
            if tensor is not None and tensor.nbytes >= _INLINE_BELOW:
                value.const_value = self._reference(tensor)

    def save(self) -> None:
        """Write the file."""
        self._path.write_bytes(self._content)

    def _reference(self, tensor: ir.TensorProtocol) -> ir.ExternalTensor:
        raw = tensor.tobytes()
        key = hashlib.sha256(raw).digest()
        if key not in self._offsets:
            self._content += b"\0" * (-len(self._content) % _ALIGNMENT)
            self._offsets[key] = len(self._content)
            self._content += raw
        return ir.ExternalTensor(
            location=self._path.name,
            offset=self._offsets[key],
            length=len(raw),
            dtype=tensor.dtype,
            shape=ir.Shape(tensor.shape.numpy()),
            name=tensor.name or "",
            base_dir=self._path.parent,
        )
