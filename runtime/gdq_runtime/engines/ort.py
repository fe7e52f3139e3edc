"""ONNX Runtime on the CPU, one session per graph, one thread per call.

Tiles run in parallel: measurements showed ONNX Runtime's own pool to be slower than pinned workers
that each run a whole tile. Many threads may call ``InferenceSession.run``, which releases the
interpreter lock, so all workers share the sessions.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from gdq_core.errors import EngineError
from gdq_core.processor import processor_fact
from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.bundle.manifest import GraphSpec, TensorSpec
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.answers import one_line, read_picture, read_prediction, read_sensitivity
from gdq_runtime.engines.base import Prediction

_FLAGS = processor_fact("flags").split()  # x86 on Linux; none elsewhere
_LACKS_VNNI = "avx2" in _FLAGS and not {"avx512_vnni", "avx_vnni"} & set(_FLAGS)
EXACT_SUMS = ("session.x64quantprecision", "1" if _LACKS_VNNI else "0")
"""Of a session: x86 without VNNI adds products of bytes in pairs, which saturates int16 unless both
are unsigned; with VNNI, the exact kernels would only be slower."""
_LOG_ERRORS_ONLY = 3

_arena_lock = threading.Lock()
_arena_registered = False


class OrtEngine:
    """Run the bundle's ONNX graphs on ONNX Runtime's CPU provider."""

    name = "onnxruntime"
    accelerator_asked = "CPU"

    def __init__(self, bundle: Bundle, tile_size: int | None) -> None:
        """Prepare the engine; sessions are created when a graph is first needed.

        Args:
            bundle: the bundle to run.
            tile_size: side of all tiles in pixels, for which the graphs are specialised; None if
                tiles may have any size.

        """
        _register_shared_arena()
        self._bundle = bundle
        self._tile_size = tile_size
        self._sessions: dict[str, ort.InferenceSession] = {}
        self._lock = threading.Lock()

    @property
    def accelerator_used(self) -> str:
        """The provider that ONNX Runtime reports, without its suffix."""
        # Any session will do, but opening one more for this would be a waste.
        opened = next(iter(self._sessions.values()), None)
        session = opened or self._session(self._bundle.manifest.predictor)
        return str(session.get_providers()[0]).removesuffix("ExecutionProvider")

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """See ``Engine.predict``."""
        predictor = self._bundle.manifest.predictor
        return read_prediction(self._place(predictor), *self._call(predictor, tile, outputs=3))

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """See ``Engine.sense``."""
        predictor = self._bundle.manifest.predictor
        return read_sensitivity(self._place(predictor), *self._call(predictor, tile, outputs=1))

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See ``Engine.run``."""
        subgraph = self._bundle.subgraph(bit_width)
        (output,) = self._call(subgraph, tile, outputs=1)
        scale = self._bundle.manifest.network.scale
        return read_picture(self._place(subgraph), output, tile, scale)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._sessions.clear()

    def _call(self, graph: GraphSpec, tile: NDArray[np.uint8], outputs: int) -> list[NDArray[Any]]:
        session = self._session(graph)
        if len(graph.outputs) != outputs:
            raise EngineError(
                f"{self._place(graph)}: the manifest lists {len(graph.outputs)} outputs, "
                f"expected {outputs}"
            )
        names = [tensor.name for tensor in graph.outputs]
        try:
            answers = session.run(names, {graph.inputs[0].name: tile[np.newaxis]})
        except Exception as error:  # ONNX Runtime's exceptions share no narrower base
            raise EngineError(f"{self._place(graph)} failed: {one_line(error)}") from error
        return [np.asarray(answer) for answer in answers]

    def _session(self, graph: GraphSpec) -> ort.InferenceSession:
        file = _file(graph)
        session = self._sessions.get(file)
        if session is None:
            with self._lock:
                session = self._sessions.get(file)
                if session is None:
                    path = self._bundle.file(file)
                    session = open_session(path, graph.inputs[0], self._tile_size)
                    self._sessions[file] = session
        return session

    def _place(self, graph: GraphSpec) -> str:
        return str(self._bundle.path / _file(graph))


def open_ort(bundle: Bundle, tile_size: int | None) -> OrtEngine:
    """See ``EngineFactory``."""
    return OrtEngine(bundle, tile_size)


def open_session(path: Path, tile: TensorSpec, tile_size: int | None) -> ort.InferenceSession:
    """Open a graph as this engine does; needs an ``OrtEngine``, which registers the shared arena.

    Args:
        path: the ONNX file.
        tile: the only input that the graph may have.
        tile_size: see ``OrtEngine``.

    Raises:
        EngineError: ONNX Runtime refuses the file, or the graph has other inputs.

    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _LOG_ERRORS_ONLY
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry(*EXACT_SUMS)
    if tile_size is not None:
        for dimension in _free_dimensions(tile):
            options.add_free_dimension_override_by_name(dimension, tile_size)
    try:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise EngineError(f"ONNX Runtime refuses {path}: {one_line(error)}") from error
    actual = [(tensor.name, tensor.type) for tensor in session.get_inputs()]
    if actual != [(tile.name, "tensor(uint8)")]:
        raise EngineError(f"{path} has inputs {actual}, but the manifest says one uint8 tile")
    return session


def _register_shared_arena() -> None:
    """Let all sessions share one arena, so that idle memory is not kept by each of them."""
    global _arena_registered
    with _arena_lock:
        if not _arena_registered:
            memory = ort.OrtMemoryInfo(
                "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
            )
            ort.create_and_register_allocator(memory, None)
            _arena_registered = True


def _file(graph: GraphSpec) -> str:
    assert graph.onnx is not None, "the bundle was asked for its formats"
    return graph.onnx


def _free_dimensions(tensor: TensorSpec) -> list[str]:
    return [dimension for dimension in tensor.shape[1:3] if isinstance(dimension, str)]
