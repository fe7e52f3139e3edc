"""Adam over weights, steps and gate, each at its own rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Adam

from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.quantizers.activation import ActivationQuantizer
from gdq_models.quantizers.weight import WeightQuantizer

GROUPS = ("weights", "steps", "gate")
"""Names of the parameter groups and of their learning rates in a recipe."""


class ScaledStepAdam(Adam):
    """Adam with a relative update of the group ``steps``: ``s <- s * exp(update)``.

    The quantization steps of one network differ by a factor of a hundred, and a step must stay
    positive. Since Adam's update does not depend on the size of a gradient, this is Adam on the
    logarithm.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take one optimizer step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        steps = [p for p in self._steps() if p.grad is not None]
        before = [p.clone() for p in steps]
        super().step()
        for parameter, old in zip(steps, before, strict=True):
            parameter.copy_(old * torch.exp(parameter - old))
        return loss

    def _steps(self) -> list[nn.Parameter]:
        return next(group["params"] for group in self.param_groups if group["name"] == "steps")


def build_optimizer(network: SuperResolutionNetwork, betas: tuple[float, float]) -> ScaledStepAdam:
    """Return the optimizer of all parameters of a network; its rates are set at every step."""
    groups = parameter_groups(network)
    return ScaledStepAdam(
        [{"name": name, "params": groups[name], "lr": 0.0} for name in GROUPS], betas=betas
    )


def parameter_groups(network: SuperResolutionNetwork) -> dict[str, list[nn.Parameter]]:
    """Return the parameters of each group of ``GROUPS``."""
    steps = [
        parameter
        for module in network.modules()
        if isinstance(module, ActivationQuantizer | WeightQuantizer)
        for parameter in module.parameters()
    ]
    gate = list(network.predictor.parameters())
    taken = {id(parameter) for parameter in steps + gate}
    weights = [parameter for parameter in network.parameters() if id(parameter) not in taken]
    return {"weights": weights, "steps": steps, "gate": gate}
