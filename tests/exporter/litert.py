"""Runs TFLite files: as LiteRT does by default, with XNNPACK, or on its plain reference kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from gdq_exporter.targets.tflite.model_builder import GraphBuilder, ModelBuilder, Tensor

Array = NDArray[Any]
KERNELS = {"xnnpack": OpResolverType.AUTO, "reference": OpResolverType.BUILTIN_REF}


def runner(content: bytes, signature: str, kernels: str = "xnnpack") -> Callable[..., Any]:
    """A function from named inputs to named outputs."""
    interpreter = Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=KERNELS[kernels],
    )
    run: Callable[..., Any] = interpreter.get_signature_runner(signature)
    return run


def execute(
    build: Callable[[GraphBuilder, Tensor], Tensor], x: Array, kernels: str = "xnnpack"
) -> Array:
    """What a graph of one input and one output, built by ``build``, makes of ``x``."""
    model = ModelBuilder()
    graph = model.graph("graph")
    graph.finish({"y": build(graph, graph.input("x", x.shape, x.dtype))})
    output: Array = runner(model.to_bytes(), "graph", kernels)(x=x)["y"]
    return output


def random(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    """Standard normal values."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
