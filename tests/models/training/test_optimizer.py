from __future__ import annotations

import numpy as np
import torch

from factories import tiny_edsr
from gdq_models.training.optimizer import GROUPS, build_optimizer, parameter_groups

BETAS = (0.9, 0.999)


def test_every_parameter_is_in_one_group() -> None:
    network = tiny_edsr(gate="group_norm")
    groups = parameter_groups(network)
    assert tuple(groups) == GROUPS
    grouped = [id(parameter) for group in groups.values() for parameter in group]
    assert sorted(grouped) == sorted(id(parameter) for parameter in network.parameters())
    # Activation steps and a weight step for each of two layers in two blocks.
    assert len(groups["steps"]) == 8
    # Weight and bias of the linear layer and of three norms.
    assert len(groups["gate"]) == 8


def test_steps_move_by_a_factor_and_weights_by_a_difference() -> None:
    """First step of Adam: rate * sign(gradient); for a step of the group as exponent."""
    network = tiny_edsr()
    optimizer = build_optimizer(network, BETAS)
    for group in optimizer.param_groups:
        group["lr"] = 0.01
    step = dict(network.quantized_layers())["body.0.conv1"].act.steps
    weight = network.tail.weight
    before = step.detach().clone(), weight.detach().clone()
    torch.autograd.backward((step * torch.tensor([1.0, -2.0, 3.0, -4.0])).sum())
    torch.autograd.backward(weight.sum())
    optimizer.step()
    expected = before[0].numpy() * np.exp([-0.01, 0.01, -0.01, 0.01])
    np.testing.assert_allclose(step.detach().numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(weight.detach().numpy(), before[1].numpy() - 0.01, atol=1e-6)


def test_steps_stay_positive_under_any_gradient() -> None:
    network = tiny_edsr()
    optimizer = build_optimizer(network, BETAS)
    optimizer.param_groups[GROUPS.index("steps")]["lr"] = 0.5
    step = dict(network.quantized_layers())["body.0.conv1"].act.steps
    for _ in range(20):
        optimizer.zero_grad()
        torch.autograd.backward(step.sum())
        optimizer.step()
    assert (step > 0).all()
