"""Super-resolution networks whose activations have 4, 5, 6 or 8 bits, chosen per tile.

Depends on torch and the ground floor only; knows nothing of the exporter or the runtime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdq_core.late_import import import_late

if TYPE_CHECKING:
    from gdq_core.bit_widths import BIT_WIDTHS
    from gdq_models.checkpoint import (
        LoadedCheckpoint,
        load_checkpoint,
        load_float_checkpoint,
        save_checkpoint,
    )
    from gdq_models.errors import CheckpointError
    from gdq_models.networks.base import SuperResolutionNetwork
    from gdq_models.networks.compact import Compact
    from gdq_models.networks.edsr import EDSR
    from gdq_models.networks.registry import all_networks
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
    "ActivationQuantizer",
    "BitPredictor",
    "CheckpointError",
    "Compact",
    "EntropyTable",
    "LoadedCheckpoint",
    "Prediction",
    "PredictorParameters",
    "QuantizedConv2d",
    "SRResNet",
    "SuperResolutionNetwork",
    "WeightQuantizer",
    "all_networks",
    "integer_range",
    "load_checkpoint",
    "load_entropy_table",
    "load_float_checkpoint",
    "save_checkpoint",
    "save_entropy_table",
    "tile_entropy",
]

__getattr__ = import_late(
    __name__,
    {
        "BIT_WIDTHS": "gdq_core.bit_widths",
        "Compact": "gdq_models.networks.compact",
        "EDSR": "gdq_models.networks.edsr",
        "ActivationQuantizer": "gdq_models.quantizers.activation",
        "BitPredictor": "gdq_models.predictor.predictor",
        "CheckpointError": "gdq_models.errors",
        "EntropyTable": "gdq_models.predictor.e2b",
        "LoadedCheckpoint": "gdq_models.checkpoint",
        "Prediction": "gdq_models.predictor.predictor",
        "PredictorParameters": "gdq_models.predictor.parameters",
        "QuantizedConv2d": "gdq_models.quantizers.convolution",
        "SRResNet": "gdq_models.networks.srresnet",
        "SuperResolutionNetwork": "gdq_models.networks.base",
        "WeightQuantizer": "gdq_models.quantizers.weight",
        "all_networks": "gdq_models.networks.registry",
        "integer_range": "gdq_models.quantizers.activation",
        "load_checkpoint": "gdq_models.checkpoint",
        "load_entropy_table": "gdq_models.predictor.e2b",
        "load_float_checkpoint": "gdq_models.checkpoint",
        "save_checkpoint": "gdq_models.checkpoint",
        "save_entropy_table": "gdq_models.predictor.e2b",
        "tile_entropy": "gdq_models.predictor.entropy",
    },
)
