"""TFLite graphs on the CPU: XNNPACK's kernels, one thread and one interpreter for each worker.

Only one thread may use an interpreter at a time, so every worker has its own. They map the same
file. A graph takes memory (25 MiB at 96x96 for EDSR-baseline) only when a thread first calls it, so
bit-widths that are not used cost nothing.

Several libraries contain this interpreter, and each is an engine of its own: ``litert.py``,
``tensorflow.py``.
"""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import EngineError
from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.bundle.manifest import GraphSpec, TfliteGraph
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.answers import one_line, read_picture, read_prediction, read_sensitivity
from gdq_runtime.engines.base import Prediction

_REFUSALS = (RuntimeError, ValueError, TypeError)
"""What the interpreter raises for a file, a graph or an input that it refuses."""


class TfliteEngine:
    """Run the bundle's TFLite graphs with the interpreter of some library."""

    name: str
    library: ClassVar[str]
    interpreter: ClassVar[Any]
    """The library's class."""
    accelerator_asked = "XNNPACK"

    def __init__(self, bundle: Bundle) -> None:
        """Prepare the engine; interpreters are created when a thread first needs one.

        Args:
            bundle: the bundle to run, in tiles of its own size: its TFLite graphs take no other.

        """
        self._bundle = bundle
        self._own = threading.local()

    @cached_property
    def accelerator_used(self) -> str:
        """What runs the first graph of the file, read back from the interpreter.

        The other graphs have the same operators, and the export has checked them.

        Raises:
            EngineError: the interpreter refuses the file or the graph.

        """
        graph = _graph(self._bundle.manifest.subgraphs[0])
        # A temporary interpreter, since no worker may ever need this graph.
        interpreter = self._load(self._bundle.file(graph.file))
        try:
            interpreter.allocate_tensors()
        except _REFUSALS as error:
            raise EngineError(f"{self._place(graph)} failed: {one_line(error)}") from error
        return _accelerator(interpreter)

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """See ``Engine.predict``."""
        predictor = self._bundle.manifest.predictor
        place = self._place(_graph(predictor))
        return read_prediction(place, *self._call(predictor, tile, outputs=3))

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """See ``Engine.sense``."""
        predictor = self._bundle.manifest.predictor
        place = self._place(_graph(predictor))
        return read_sensitivity(place, *self._call(predictor, tile, outputs=1))

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See ``Engine.run``."""
        subgraph = self._bundle.subgraph(bit_width)
        (output,) = self._call(subgraph, tile, outputs=1)
        place, scale = self._place(_graph(subgraph)), self._bundle.manifest.network.scale
        return read_picture(place, output, tile, scale)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._own = threading.local()

    def _call(self, spec: GraphSpec, tile: NDArray[np.uint8], outputs: int) -> list[NDArray[Any]]:
        graph = _graph(spec)
        runner = self._runner(graph, spec.inputs[0].name)
        if len(spec.outputs) != outputs:
            raise EngineError(
                f"{self._place(graph)}: the manifest lists {len(spec.outputs)} outputs, "
                f"expected {outputs}"
            )
        size = self._bundle.manifest.tiling.size
        if tile.shape != (size, size, 3):
            raise EngineError(
                f"{self._place(graph)} takes tiles of {size}x{size} pixels, not "
                f"{tile.shape[1]}x{tile.shape[0]}"
            )
        try:
            answers = runner(**{spec.inputs[0].name: tile[np.newaxis]})
            return [np.asarray(answers[tensor.name]) for tensor in spec.outputs]
        except _REFUSALS as error:
            raise EngineError(f"{self._place(graph)} failed: {one_line(error)}") from error
        except KeyError as error:
            raise EngineError(f"{self._place(graph)} has no output {error}") from error

    def _load(self, path: Path) -> Any:
        try:
            return self.interpreter(model_path=str(path), num_threads=1)
        except _REFUSALS as error:
            raise EngineError(f"{self.library} refuses {path}: {one_line(error)}") from error

    def _runner(self, graph: TfliteGraph, input_name: str) -> Any:
        """Return the calling thread's own runner of a graph."""
        runners: dict[TfliteGraph, Any] = self._own.__dict__.setdefault("runners", {})
        if graph not in runners:
            interpreters: dict[str, Any] = self._own.__dict__.setdefault("interpreters", {})
            if graph.file not in interpreters:
                interpreters[graph.file] = self._load(self._bundle.file(graph.file))
            runners[graph] = self._open(interpreters[graph.file], graph, input_name)
        return runners[graph]

    def _open(self, interpreter: Any, graph: TfliteGraph, input_name: str) -> Any:
        signatures = interpreter.get_signature_list()
        if graph.signature not in signatures:
            raise EngineError(
                f"{self._bundle.path / graph.file} has no signature {graph.signature!r}, which the "
                f"manifest lists; it has {', '.join(signatures) or 'none'}"
            )
        runner = interpreter.get_signature_runner(graph.signature)
        size = self._bundle.manifest.tiling.size
        actual = {
            name: (detail["dtype"], list(detail["shape"]))
            for name, detail in runner.get_input_details().items()
        }
        if actual != {input_name: (np.uint8, [1, size, size, 3])}:
            raise EngineError(
                f"{self._place(graph)} has inputs {sorted(actual)}, but the manifest says one "
                f"uint8 tile of {size}x{size} pixels, {input_name!r}"
            )
        return runner

    def _place(self, graph: TfliteGraph) -> str:
        return f"{self._bundle.path / graph.file} ({graph.signature})"


def _graph(spec: GraphSpec) -> TfliteGraph:
    assert spec.tflite is not None, "the bundle was asked for its formats"
    return spec.tflite


def _accelerator(interpreter: Any) -> str:
    """Tell what runs the operators; those that a delegate took stay listed beside its node."""
    nodes = interpreter._get_ops_details()
    delegates = [node for node in nodes if node["op_name"] == "DELEGATE"]
    outputs = {tensor["index"] for tensor in interpreter.get_output_details()}
    if len(delegates) == 1 and outputs == set(delegates[0]["outputs"]):
        return "XNNPACK"
    if delegates:
        return "XNNPACK in part, and slower kernels for the rest (usually integer convolutions)"
    return "plain kernels, without XNNPACK"
