"""Builds a .tflite file: several graphs, a signature each, over buffers that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import ArrayLike, NDArray

_FILE_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
_ALIGNMENT = 16
"""Bytes; what kernels need to read constants in place. flatbuffers itself does not align bytes."""
_LAST_SHORT_CODE = 127
"""Operator codes above it do not fit the field of older files, which then holds this number."""


@dataclass(frozen=True, eq=False)
class Quantization:
    """How a tensor's integers stand for reals: ``step * (code - zero_point)``."""

    step: NDArray[np.float32] | np.float32
    """A scalar, or (O,) for weights with a step per output channel (axis 0)."""
    zero_point: int = 0


PIXELS = Quantization(np.float32(1))
"""Of an image: its codes are its pixels."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of one graph."""

    index: int
    shape: tuple[int, ...]
    """NHWC where it is an image."""
    dtype: np.dtype[Any]
    quantization: Quantization | None = None

    @property
    def is_float(self) -> bool:
        """Whether its elements are reals and not codes."""
        return self.dtype == np.float32


class AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """A buffer whose bytes begin at a multiple of the alignment."""

    def __init__(self, content: bytes | None) -> None:
        super().__init__()
        self.data = content

    def Pack(self, builder: Any) -> Any:  # noqa: N802 - the schema's name
        """Write it; the generated method aligns to one byte."""
        data = None
        if self.data is not None:
            builder.StartVector(1, len(self.data), _ALIGNMENT)
            builder.head -= len(self.data)
            builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
            data = builder.EndVector()
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


class ModelBuilder:
    """A file under construction."""

    def __init__(self) -> None:
        self._model = schema.ModelT()
        self._model.version = _SCHEMA_VERSION
        self._model.description = b"gdq-export"
        self._model.subgraphs, self._model.signatureDefs = [], []
        self._model.operatorCodes, self._model.buffers = [], [AlignedBuffer(None)]
        self._buffers: dict[bytes, int] = {}
        self._operators: dict[tuple[str, int], int] = {}

    def graph(self, name: str) -> GraphBuilder:
        """Add an empty graph, which is also the signature ``name``."""
        graph = GraphBuilder(self, name)
        self._model.subgraphs.append(graph.subgraph)
        return graph

    def to_bytes(self) -> bytes:
        """Return the file."""
        return pack(self._model)

    def buffer_of(self, content: bytes) -> int:
        """Return the number of the buffer with this content, added if it is new."""
        if content not in self._buffers:
            self._buffers[content] = len(self._model.buffers)
            self._model.buffers.append(AlignedBuffer(content))
        return self._buffers[content]

    def operator(self, name: str, version: int) -> int:
        """Return the number of a builtin operator, added if it is new."""
        key = (name, version)
        if key not in self._operators:
            self._operators[key] = len(self._model.operatorCodes)
            code = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, name)
            code.deprecatedBuiltinCode = min(code.builtinCode, _LAST_SHORT_CODE)
            code.version = version
            self._model.operatorCodes.append(code)
        return self._operators[key]

    def add_signature(self, graph: GraphBuilder) -> None:
        """Make a graph callable by its name; called by ``GraphBuilder.finish``."""
        signature = schema.SignatureDefT()
        signature.signatureKey = graph.subgraph.name
        signature.subgraphIndex = self._model.subgraphs.index(graph.subgraph)
        signature.inputs = _tensor_maps(graph.inputs)
        signature.outputs = _tensor_maps(graph.outputs)
        self._model.signatureDefs.append(signature)


class GraphBuilder:
    """One graph of a file, built operator by operator.

    Attributes:
        name: key of its signature.
        inputs: by name.
        outputs: by name, once it is finished.
        subgraph: the schema's object.
    """

    def __init__(self, model: ModelBuilder, name: str) -> None:
        self._model = model
        self.name = name
        self.inputs: dict[str, Tensor] = {}
        self.outputs: dict[str, Tensor] = {}
        self.subgraph = schema.SubGraphT()
        self.subgraph.name = name.encode()
        self.subgraph.tensors, self.subgraph.operators = [], []

    def input(
        self, name: str, shape: Sequence[int], dtype: Any, quantization: Quantization | None = None
    ) -> Tensor:
        """Add an input of the graph."""
        self.inputs[name] = self._tensor(shape, dtype, quantization)
        return self.inputs[name]

    def constant(
        self, values: ArrayLike, dtype: Any = np.float32, quantization: Quantization | None = None
    ) -> Tensor:
        """Add a constant."""
        array = np.asarray(values, dtype)
        return self._tensor(array.shape, dtype, quantization, np.ascontiguousarray(array).tobytes())

    def op(
        self,
        operator: str,
        inputs: Sequence[Tensor | None],
        shape: Sequence[int],
        dtype: Any = np.float32,
        *,
        options: Any = None,
        version: int = 1,
        quantization: Quantization | None = None,
    ) -> Tensor:
        """Add a builtin operator with one output.

        Args:
            operator: name in the schema, e.g. "CONV_2D".
            inputs: an optional one may be None.
            shape: of the output.
            dtype: of the output.
            options: the schema's object for this operator.
            version: of the operator: the lowest that has what is used, which old runtimes know.
            quantization: of the output.
        """
        output = self._tensor(shape, dtype, quantization)
        node = schema.OperatorT()
        node.opcodeIndex = self._model.operator(operator, version)
        node.inputs = np.array([-1 if x is None else x.index for x in inputs], np.int32)
        node.outputs = np.array([output.index], np.int32)
        if options is not None:
            node.builtinOptions = options
            kind = type(options).__name__.removesuffix("T")
            node.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        self.subgraph.operators.append(node)
        return output

    def finish(self, outputs: Mapping[str, Tensor]) -> None:
        """Name the outputs; the graph can then be called by its signature."""
        self.outputs = dict(outputs)
        self.subgraph.inputs = [tensor.index for tensor in self.inputs.values()]
        self.subgraph.outputs = [tensor.index for tensor in outputs.values()]
        for name, tensor in {**self.inputs, **outputs}.items():
            self.subgraph.tensors[tensor.index].name = name.encode()
        self._model.add_signature(self)

    def _tensor(
        self,
        shape: Sequence[int],
        dtype: Any,
        quantization: Quantization | None,
        content: bytes | None = None,
    ) -> Tensor:
        tensor = schema.TensorT()
        index = len(self.subgraph.tensors)
        tensor.name, tensor.hasRank = b"%x" % index, True
        tensor.shape = np.array(shape, np.int32)
        tensor.type = getattr(schema.TensorType, np.dtype(dtype).name.upper())
        tensor.buffer = 0 if content is None else self._model.buffer_of(content)
        tensor.quantization = None if quantization is None else _parameters(quantization)
        self.subgraph.tensors.append(tensor)
        return Tensor(index, tuple(shape), np.dtype(dtype), quantization)


def pack(model: Any) -> bytes:
    """Return a schema's model as a file."""
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), _FILE_IDENTIFIER)
    return bytes(builder.Output())


def _parameters(quantization: Quantization) -> Any:
    parameters = schema.QuantizationParametersT()
    parameters.scale = np.atleast_1d(quantization.step).astype(np.float32)
    parameters.zeroPoint = np.full(parameters.scale.shape, quantization.zero_point, np.int64)
    parameters.quantizedDimension = 0
    return parameters


def _tensor_maps(tensors: Mapping[str, Tensor]) -> list[Any]:
    maps = []
    for name, tensor in tensors.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name.encode(), tensor.index
        maps.append(entry)
    return maps
