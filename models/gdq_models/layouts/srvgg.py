"""SRVGGNetCompact of Real-ESRGAN and BasicSR (xinntao), with slopes per channel."""

from __future__ import annotations

from gdq_models.errors import CheckpointError
from gdq_models.layouts.base import Layout, Source, State, image_values
from gdq_models.networks.shapes import Shapes


def _detects(shapes: Shapes) -> bool:
    # All of its layers lie in one list, convolutions and slopes by turns.
    is_chain = len(shapes.get("body.0.weight", ())) == 4 and "body.2.weight" in shapes
    return is_chain and len(shapes.get("body.1.weight", (0,))) == 1


def _convert(source: Source) -> State:
    if "body.1.weight" not in source:
        raise CheckpointError("it has no slopes (act_type is not 'prelu'), which is not supported")
    slopes = source.count("body.{}.weight", start=1, apart=2)
    blocks = slopes - 1
    convolutions = {"body.0": "head", f"body.{2 * slopes}": "tail"}
    convolutions |= {f"body.{2 * i + 2}": f"body.{i}.conv" for i in range(blocks)}
    bends = {"body.1": "head_act"}
    bends |= {f"body.{2 * i + 3}": f"body.{i}.act" for i in range(blocks)}
    return source.layers(convolutions) | source.layers(bends, bias=False) | image_values(1.0)


SRVGG = Layout("SRVGGNetCompact of Real-ESRGAN", _detects, _convert)
