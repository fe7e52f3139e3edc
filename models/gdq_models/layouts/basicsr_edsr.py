"""EDSR of BasicSR (XPixelGroup)."""

from __future__ import annotations

from gdq_models.layouts.base import DIV2K_MEAN, Layout, Source, State, image_values
from gdq_models.layouts.residual_scale import fold_residual_scale
from gdq_models.networks.shapes import Shapes


def _detects(shapes: Shapes) -> bool:
    # SwinIR has the first two as well, RRDBNet and MSRResNet the first and the last.
    keys = ("conv_first.weight", "conv_after_body.weight", "body.0.conv1.weight")
    return all(key in shapes for key in keys)


def _names(blocks: int, stages: int) -> dict[str, str]:
    table = {"conv_first": "head", "conv_after_body": "body_end", "conv_last": "tail"}
    for block in range(blocks):
        table |= {f"body.{block}.conv{i}": f"body.{block}.conv{i}" for i in (1, 2)}
    return table | {f"upsample.{2 * stage}": f"up.{stage}" for stage in range(stages)}


def _convert(source: Source) -> State:
    blocks = source.count("body.{}.conv1.weight")
    stages = source.count("upsample.{}.weight", apart=2)
    state = source.layers(_names(blocks, stages))
    fold_residual_scale(state, blocks)
    # Range and mean are options of the training, not in the file: these are the defaults, which
    # all of the project's own recipes keep.
    red, green, blue = (255 * value for value in DIV2K_MEAN)
    return state | image_values(255.0, (red, green, blue))


BASICSR_EDSR = Layout("EDSR of BasicSR", _detects, _convert)
