"""OpenVINO on the CPU: it reads the bundle's ONNX graphs as they are.

A compiled graph has one stream, whose thread keeps the affinity of the thread that compiled it.
So every worker compiles its own, just as it has its own LiteRT interpreter.
"""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openvino import Core

from gdq_core.bit_widths import FLOAT
from gdq_core.errors import EngineError
from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.bundle.manifest import GraphSpec
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.answers import one_line, read_picture, read_prediction, read_sensitivity
from gdq_runtime.engines.base import Prediction

_SETTINGS = {
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "INFERENCE_PRECISION_HINT": "f32",  # else what is float may run in bfloat16
    "ENABLE_CPU_PINNING": False,  # it would undo ours
}


class OpenvinoEngine:
    """Runs the bundle's ONNX graphs, and its network in float, on OpenVINO's CPU plugin."""

    name = "openvino"
    accelerator_asked = "CPU"

    def __init__(self, bundle: Bundle, tile_size: int, float_network: Path | None) -> None:
        """Prepare the engine; graphs are compiled when a thread first needs them.

        Args:
            bundle: what to run.
            tile_size: side of all tiles, to which the graphs are specialised.
            float_network: ONNX file that ``FLOAT`` runs, if any.

        Raises:
            BundleError: the bundle has no ONNX graphs.

        """
        bundle.require("onnx", self.name)
        self._bundle, self._tile_size, self._float_network = bundle, tile_size, float_network
        self._core = Core()
        self._own = threading.local()

    @cached_property
    def accelerator_used(self) -> str:
        """The devices that OpenVINO reports for the predictor."""
        compiled = self._compile(self._file(self._bundle.manifest.predictor))
        return ", ".join(compiled.get_property("EXECUTION_DEVICES"))

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """See ``Engine.predict``."""
        predictor = self._bundle.manifest.predictor
        path = self._file(predictor)
        request = self._run(path, tile)
        answers = [request.get_tensor(tensor.name).data for tensor in predictor.outputs]
        if len(answers) != 3:
            raise EngineError(f"{path}: needs 3 outputs in the manifest")
        return read_prediction(str(path), *answers)

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """See ``Engine.sense``."""
        path = self._file(self._bundle.manifest.predictor)
        return read_sensitivity(str(path), self._run(path, tile).get_output_tensor().data)

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See ``Engine.run``; ``FLOAT`` is the network in float."""
        if bit_width == FLOAT and self._float_network is not None:
            path = self._float_network
        else:
            path = self._file(self._bundle.subgraph(bit_width))
        # The tensor belongs to the request, and the next tile's picture overwrites it.
        output = self._run(path, tile).get_output_tensor().data.copy()
        return read_picture(str(path), output, tile, self._bundle.manifest.network.scale)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._own = threading.local()

    def _run(self, path: Path, tile: NDArray[np.uint8]) -> Any:
        """Infer with the calling thread's own request, which then has the answers."""
        requests: dict[Path, Any] = self._own.__dict__.setdefault("requests", {})
        if path not in requests:
            requests[path] = self._compile(path).create_infer_request()
        try:
            requests[path].infer({0: tile[np.newaxis]}, share_inputs=True)
        except RuntimeError as error:
            raise EngineError(f"{path} failed on OpenVINO: {one_line(error)}") from error
        return requests[path]

    def _compile(self, path: Path) -> Any:
        try:
            model = self._core.read_model(path)
            model.reshape([1, self._tile_size, self._tile_size, 3])
            return self._core.compile_model(model, "CPU", _SETTINGS)
        except RuntimeError as error:
            raise EngineError(f"OpenVINO refuses {path}: {one_line(error)}") from error

    def _file(self, graph: GraphSpec) -> Path:
        assert graph.onnx is not None, "the bundle was asked for its formats"
        return self._bundle.file(graph.onnx)
