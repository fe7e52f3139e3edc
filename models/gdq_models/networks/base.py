"""What all super-resolution networks share: value range, predictor, quantized layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
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
"""Largest value of input and output images, whatever range a network uses inside."""


class SuperResolutionNetwork(nn.Module, ABC):
    """A network that upscales images at a bit-width chosen per tile.

    Input and output images are (N, 3, H, W), RGB, 0..255; the output is not clamped.

    Attributes:
        name: registry name.
        scale: upscaling factor.
        channels: number of output channels of the head convolution.
        blocks: number of residual blocks.
        predictor: decides the bit-width of a tile.
        value_range: scalar, largest image value inside the network: 1 or 255.
        mean: (3,) RGB, 0..255, subtracted from the input and added to the output.
        form: keyword arguments of the class, beside sizes, that this network was built with.
    """

    name: ClassVar[str]
    form: Mapping[str, bool] = MappingProxyType({})
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
        # Plain values, not tensors, decide what a traced graph leaves out.
        self._divisor = IMAGE_RANGE / value_range
        self._has_mean = any(mean)
        self.register_load_state_dict_post_hook(_remember_range)  # type: ignore[no-untyped-call]

    @staticmethod
    @abstractmethod
    def detects(shapes: Shapes) -> bool:
        """Tell whether a state dict with these shapes belongs to this network, whole or partial."""

    @classmethod
    @abstractmethod
    def from_shapes(cls, shapes: Shapes) -> SuperResolutionNetwork:
        """Build a network with the sizes of a state dict.

        Raises:
            CheckpointError: the sizes do not fit this network.
        """

    @abstractmethod
    def head_convolution(self) -> nn.Conv2d:
        """Return the first convolution, whose output is the gate's input."""

    @abstractmethod
    def reconstruct(self, features: Tensor, image: Tensor, route: Tensor | None) -> Tensor:
        """Return the upscaled image (N, 3, H * scale, W * scale) from ``features(image)``."""

    def features(self, image: Tensor) -> Tensor:
        """Return the head convolution's output (N, C, H, W), before its activation."""
        if self._has_mean:
            image = image - self.mean.view(1, 3, 1, 1)
        if self._divisor != 1:
            image = image / self._divisor
        features: Tensor = self.head_convolution()(image)
        return features

    def forward(self, image: Tensor, route: Tensor | None = None) -> Tensor:
        """Upscale a batch of images.

        Args:
            image: (N, 3, H, W) RGB, 0..255.
            route: (N, 4) weights over ``BIT_WIDTHS``, see ``ActivationQuantizer``; None runs the
                network in float.

        Returns:
            (N, 3, H * scale, W * scale) RGB, 0..255, not clamped.
        """
        return self.reconstruct(self.features(image), image, route)

    def predict(self, image: Tensor) -> Prediction:
        """Predict the bit-width of each tile (N, 3, H, W): that of the largest logit, no noise.

        For gates only: statistics decide with the whole picture, see ``SensitivityRule``.
        """
        prediction: Prediction = self.gate_predictor(self.features(image), image)
        return prediction

    def route_for(self, bit_width: Tensor) -> Tensor:
        """Return the one-hot route (N, 4) for bit-widths (N,)."""
        return one_hot_route(bit_width)

    def quantized_layers(self) -> Iterator[tuple[str, QuantizedConv2d]]:
        """Yield name and module of every layer whose bit-width is chosen, in execution order."""
        for name, module in self.named_modules():
            if isinstance(module, QuantizedConv2d):
                yield name, module

    def has_steps(self) -> bool:
        """Tell whether every quantized layer's steps were learned or set."""
        return all(
            bool(layer.act.initialised.all()) and bool(layer.weight_quantizer.initialised)
            for _, layer in self.quantized_layers()
        )

    @property
    def gate_predictor(self) -> BitPredictor:
        """The network's predictor, which must be one with a gate."""
        assert isinstance(self.predictor, BitPredictor), "statistics have no gate"
        return self.predictor

    def predictor_parameters(self) -> PredictorParameters:
        """Return everything with which a gate decides a bit-width, as arrays.

        Raises:
            ValueError: the entropy rule has no table, or its quantiles are invalid.
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
        """Return everything by which statistics decide; None of a network with a gate.

        Raises:
            ValueError: the heads were never fitted.
        """
        predictor = self.predictor
        return predictor.rule() if isinstance(predictor, StatisticsPredictor) else None

    def decision(self) -> PredictorParameters | SensitivityRule:
        """Return everything that decides a bit-width, whichever predictor the network has.

        Raises:
            ValueError: it cannot decide.
        """
        return self.sensitivity_rule() or self.predictor_parameters()

    def _restore(self, output: Tensor) -> Tensor:
        """Convert the last convolution's output back to images of 0..255."""
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
