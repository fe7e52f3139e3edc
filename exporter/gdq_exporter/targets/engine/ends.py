"""What goes into the packed model's graphs and comes out, as the manifest describes it."""

from __future__ import annotations

from gdq_exporter.trace import HEIGHT, INPUT, OUTPUT, WIDTH
from gdq_runtime.bundle.manifest import GraphSpec, TensorSpec


def describe_predictor(file: str) -> GraphSpec:
    """Describe tile -> logits, entropy, bit-width; ``file`` is the model's path in the bundle."""
    return GraphSpec(
        engine=file,
        inputs=[TensorSpec(name=INPUT, dtype="uint8", shape=[1, HEIGHT, WIDTH, 3])],
        outputs=[
            TensorSpec(name="logits", dtype="float32", shape=[1, 3]),
            TensorSpec(name="entropy", dtype="float32", shape=[1]),
            TensorSpec(name="bit_width", dtype="int64", shape=[1]),
        ],
    )


def describe_sensitivity(file: str) -> GraphSpec:
    """Tile -> sensitivity heads."""
    return GraphSpec(
        engine=file,
        inputs=[TensorSpec(name=INPUT, dtype="uint8", shape=[1, HEIGHT, WIDTH, 3])],
        outputs=[TensorSpec(name="sensitivity", dtype="int32", shape=[1, 3])],
    )


def describe_subgraph(file: str, scale: int) -> GraphSpec:
    """Describe tile -> upscaled tile, at any bit-width."""
    upscaled: list[int | str] = [1, f"{scale}*{HEIGHT}", f"{scale}*{WIDTH}", 3]
    return GraphSpec(
        engine=file,
        inputs=[_pixels(INPUT, [1, HEIGHT, WIDTH, 3])],
        outputs=[_pixels(OUTPUT, upscaled)],
    )


def _pixels(name: str, shape: list[int | str]) -> TensorSpec:
    return TensorSpec(name=name, dtype="uint8", shape=shape, step=1.0, zero_point=0)
