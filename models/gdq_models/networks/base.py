"""What every super-resolution network here has: value range, predictor, quantized layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from gdq_core.sensitivity.rule import SensitivityRule
from gdq_models.networks.shapes import Shapes
from gdq_models.predictor.gate_kind import PredictorKind
from gdq_models.predictor.gbc import NORM_EPSILON
from gdq_models.predictor.kinds import Predictor, build_predictor
from gdq_models.predictor.parameters import Array, PredictorParameters
from gdq_models.predictor.predictor import BitPredictor, Prediction
from gdq_models.predictor.predictor import route_for as one_hot_route
from gdq_models.predictor.statistics import StatisticsPredictor
from gdq_models.quantizers.convolution import QuantizedConv2d

IMAGE_RANGE = 255.0
"""Largest value of an image, in and out, whatever a network uses inside."""


class SuperResolutionNetwork(nn.Module, ABC):
    """A network that upscales images at a bit-width chosen per tile.

    Images are (N, 3, H, W) RGB of 0..255, going in and coming out; the output is not clamped.

    Attributes:
        name: registry name.
        scale: upscaling factor.
        channels: features of the head convolution.
        blocks: number of residual blocks.
        predictor: decides the bit-width of a tile.
        value_range: scalar, largest image value inside the network: 1 or 255.
        mean: (3,) RGB on 0..255, taken off the input and put back on the output.
    """

    name: ClassVar[str]
    value_range: Tensor
    mean: Tensor

    def __init__(
        self,
        *,
        scale: int,
        channels: int,
        blocks: int,
        gate: PredictorKind,
        value_range: float,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.blocks = blocks
        self.predictor: Predictor = build_predictor(channels, gate)
        self.register_buffer("value_range", torch.tensor(float(value_range)))
        self.register_buffer("mean", torch.tensor(tuple(mean)))
        # What is left out of a traced graph is decided by plain values, never by tensors.
        self._divisor = IMAGE_RANGE / value_range
        self._has_mean = any(mean)
        self.register_load_state_dict_post_hook(_remember_range)  # type: ignore[no-untyped-call]

    @staticmethod
    @abstractmethod
    def detects(shapes: Shapes) -> bool:
        """Says whether a state dict with these shapes is of this network, whole or in part."""

    @classmethod
    @abstractmethod
    def from_shapes(cls, shapes: Shapes) -> SuperResolutionNetwork:
        """Builds a network of the sizes that a state dict has.

        Raises:
            CheckpointError: the sizes do not make up this network.
        """

    @abstractmethod
    def head_convolution(self) -> nn.Conv2d:
        """Returns the first convolution, whose output the gate looks at."""

    @abstractmethod
    def reconstruct(self, features: Tensor, route: Tensor | None) -> Tensor:
        """Returns the upscaled image (N, 3, H * scale, W * scale) from ``features(image)``."""

    def features(self, image: Tensor) -> Tensor:
        """Returns the head convolution's output (N, C, H, W), before its activation."""
        if self._has_mean:
            image = image - self.mean.view(1, 3, 1, 1)
        if self._divisor != 1:
            image = image / self._divisor
        features: Tensor = self.head_convolution()(image)
        return features

    def forward(self, image: Tensor, route: Tensor | None = None) -> Tensor:
        """Upscales.

        Args:
            image: (N, 3, H, W) RGB, 0..255.
            route: (N, 4) weights over ``BIT_WIDTHS``, see ``ActivationQuantizer``; None runs the
                network in float.

        Returns:
            (N, 3, H * scale, W * scale) RGB on 0..255, not clamped.
        """
        return self.reconstruct(self.features(image), route)

    def predict(self, image: Tensor) -> Prediction:
        """Predicts the bit-width of each tile (N, 3, H, W): largest logit, no noise.

        Only of a gate: statistics decide with the whole picture, see ``SensitivityRule``.
        """
        prediction: Prediction = self.gate_predictor(self.features(image), image)
        return prediction

    def route_for(self, bit_width: Tensor) -> Tensor:
        """Returns the one-hot route (N, 4) for bit-widths (N,)."""
        return one_hot_route(bit_width)

    def quantized_layers(self) -> Iterator[tuple[str, QuantizedConv2d]]:
        """Yields name and module of every layer whose width is chosen, in order of execution."""
        for name, module in self.named_modules():
            if isinstance(module, QuantizedConv2d):
                yield name, module

    def has_steps(self) -> bool:
        """Says whether every quantized layer's steps were learned or set."""
        return all(
            bool(layer.act.initialised.all()) and bool(layer.weight_quantizer.initialised)
            for _, layer in self.quantized_layers()
        )

    @property
    def gate_predictor(self) -> BitPredictor:
        """The predictor of a network that has a gate."""
        assert isinstance(self.predictor, BitPredictor), "statistics have no gate"
        return self.predictor

    def predictor_parameters(self) -> PredictorParameters:
        """Returns everything by which a gate decides a bit-width, as arrays.

        Raises:
            ValueError: the entropy rule has no table or senseless quantiles.
        """
        head, gate = self.head_convolution(), self.gate_predictor.gate
        norms = [norm for norm in gate.norms if isinstance(norm, nn.GroupNorm)]
        bias = torch.zeros(self.channels) if head.bias is None else head.bias
        return PredictorParameters(
            head_weight=_array(head.weight) / self._divisor,
            head_bias=_array(bias),
            mean=_array(self.mean),
            gate=gate.kind,
            gate_weight=_array(gate.linear.weight),
            gate_bias=_array(gate.linear.bias),
            groups=norms[0].num_groups if norms else None,
            norm_weight=np.stack([_array(norm.weight) for norm in norms]) if norms else None,
            norm_bias=np.stack([_array(norm.bias) for norm in norms]) if norms else None,
            norm_epsilon=NORM_EPSILON,
            e2b_thresholds=np.array(self.gate_predictor.e2b.thresholds()),
        )

    def sensitivity_rule(self) -> SensitivityRule | None:
        """Returns everything by which statistics decide; None of a network with a gate.

        Raises:
            ValueError: the heads were never fitted.
        """
        predictor = self.predictor
        return predictor.rule() if isinstance(predictor, StatisticsPredictor) else None

    def _restore(self, output: Tensor) -> Tensor:
        """Brings an output of the last convolution back to images of 0..255."""
        if self._divisor != 1:
            output = output * self._divisor
        if self._has_mean:
            output = output + self.mean.view(1, 3, 1, 1)
        return output


def _array(tensor: Tensor) -> Array:
    return tensor.detach().cpu().double().numpy()


def _remember_range(module: nn.Module, _incompatible: object) -> None:
    assert isinstance(module, SuperResolutionNetwork)
    if not module.value_range.is_meta:
        module._divisor = IMAGE_RANGE / float(module.value_range)
        module._has_mean = bool(module.mean.any())
