"""torch network -> network description (ONNX IR), quantizers kept as operators of ``gdq``."""

from __future__ import annotations

import logging
import warnings

import onnx_ir as ir
import torch

from gdq_exporter.interruption import interruption_deferred
from gdq_models import SuperResolutionNetwork

INPUT, OUTPUT = "tile", "output"
HEIGHT, WIDTH = "height", "width"
"""Names of the dimensions that vary; a runtime may fix them to the tile size."""


class _AllWidths(torch.nn.Module):
    """The network without its predictor; while exporting, quantizers ignore the route."""

    def __init__(self, network: SuperResolutionNetwork) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("route", network.route_for(torch.tensor([8])), persistent=False)

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.network(tile, self.route)
        return output


def trace(network: SuperResolutionNetwork, tile: int) -> ir.Model:
    """Trace a network once for all bit-widths.

    Args:
        network: in evaluation mode.
        tile: height and width of the example input; the traced dimensions may vary.

    Returns:
        Input ``tile`` (1, 3, height, width) float32 RGB 0..255, output ``output``
        (1, 3, height * scale, width * scale) float32, not clamped.
    """
    example = torch.rand(1, 3, tile, tile) * 255
    dimensions = {
        2: torch.export.Dim(HEIGHT, min=4, max=4096),
        3: torch.export.Dim(WIDTH, min=4, max=4096),
    }
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with interruption_deferred(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch warns about its own internals
        program = torch.onnx.export(
            _AllWidths(network).eval(),
            (example,),
            dynamo=True,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=(dimensions,),
            verbose=False,
        )
    assert program is not None
    return program.model
