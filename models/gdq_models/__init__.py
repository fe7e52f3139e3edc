"""Super-resolution networks whose activations have 4, 5, 6 or 8 bits, chosen per tile.

torch and the ground floor only; knows nothing of exporter and runtime.
"""

from __future__ import annotations

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.checkpoint import (
    LoadedCheckpoint,
    load_checkpoint,
    load_float_checkpoint,
    save_checkpoint,
)
from gdq_models.errors import CheckpointError
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.networks.edsr import EDSR
from gdq_models.networks.registry import NETWORKS
from gdq_models.networks.srresnet import SRResNet
from gdq_models.predictor.e2b import EntropyTable, load_entropy_table, save_entropy_table
from gdq_models.predictor.entropy import tile_entropy
from gdq_models.predictor.parameters import PredictorParameters
from gdq_models.predictor.predictor import BitPredictor, Prediction
from gdq_models.quantizers.activation import ActivationQuantizer, integer_range
from gdq_models.quantizers.convolution import QuantizedConv2d
from gdq_models.quantizers.weight import WeightQuantizer

__all__ = [
    "BIT_WIDTHS",
    "EDSR",
    "NETWORKS",
    "ActivationQuantizer",
    "BitPredictor",
    "CheckpointError",
    "EntropyTable",
    "LoadedCheckpoint",
    "Prediction",
    "PredictorParameters",
    "QuantizedConv2d",
    "SRResNet",
    "SuperResolutionNetwork",
    "WeightQuantizer",
    "integer_range",
    "load_checkpoint",
    "load_entropy_table",
    "load_float_checkpoint",
    "save_checkpoint",
    "save_entropy_table",
    "tile_entropy",
]
