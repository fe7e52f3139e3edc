"""Pixels at the graph's boundary: uint8 NHWC in and out."""

from __future__ import annotations

import onnx_ir as ir

from gdq_exporter.ir import editing, quantization
from gdq_exporter.passes.choose_steps import IMAGE_POINT
from gdq_exporter.trace import HEIGHT, INPUT, OUTPUT, WIDTH


def add_image_ends(model: ir.Model, scale: int) -> None:
    """Put uint8 NHWC ends on a lowered network, in place.

    In: ``tile`` (1, height, width, 3). Out: ``output`` (1, height * scale, width * scale, 3), the
    lowered network's output rounded to 0..255. Both layout changes are nearly free.
    """
    _add_input_end(model)
    _add_output_end(model, scale)


def _add_input_end(model: ir.Model) -> None:
    image = model.graph.inputs[0]
    image.name = "image"
    first = model.graph[0]
    tile = ir.val(INPUT, ir.DataType.UINT8, [1, HEIGHT, WIDTH, 3])
    model.graph.inputs[0] = tile
    planar = editing.insert(model, first, "Transpose", [tile], {"perm": [0, 3, 1, 2]})
    real = editing.insert(model, first, "Cast", [planar], {"to": int(ir.DataType.FLOAT)})
    editing.redirect(image, real)


def _add_output_end(model: ir.Model, scale: int) -> None:
    image = model.graph.outputs[0]
    if quantization.read(image) != IMAGE_POINT:
        image = quantization.insert_behind(model, image, IMAGE_POINT)
    dequantize = image.producer()
    assert dequantize is not None
    codes = editing.input_of(dequantize, 0)
    image.name = None
    pixels = editing.insert(model, None, "Transpose", [codes], {"perm": [0, 2, 3, 1]})
    pixels.name, pixels.dtype = OUTPUT, ir.DataType.UINT8
    pixels.shape = ir.Shape([1, f"{scale}*{HEIGHT}", f"{scale}*{WIDTH}", 3])
    model.graph.outputs[0] = pixels
    editing.remove(model, dequantize)
