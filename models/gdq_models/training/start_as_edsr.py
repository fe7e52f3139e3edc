"""An SRResNet that begins as an EDSR: the same function, as far as its parameters allow."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gdq_models.networks import edsr, srresnet


def begin_as_edsr(network: srresnet.SRResNet, given: edsr.EDSR) -> None:
    """Give an SRResNet the weights of an EDSR of the same scale and sizes.

    A slope of 0 makes a PReLU a ReLU, a slope of 1 makes it the identity, and a 3x3 kernel is the
    middle of a 9x9 one. Biases before a PReLU are lost, since an SRResNet has no parameter for
    them: a float stage has to make up for that.
    """
    with torch.no_grad():
        network.value_range.copy_(given.value_range)
        network.mean.copy_(given.mean)
        _put_in_middle(network.head.weight, given.head.weight)
        network.head_act.weight.fill_(1)
        for block, source in zip(network.body, given.body, strict=True):
            assert isinstance(block, srresnet.ResidualBlock)
            assert isinstance(source, edsr.ResidualBlock)
            block.conv1.weight.copy_(source.conv1.weight)
            block.act.weight.fill_(0)
            block.conv2.weight.copy_(source.conv2.weight)
            _set_bias(block.norm2, source.conv2)
        network.body_end.weight.copy_(given.body_end.weight)
        _set_bias(network.body_end_norm, given.body_end)
        for stage, convolution in zip(network.up, given.up, strict=True):
            assert isinstance(stage, srresnet.UpsamplingStage)
            assert isinstance(convolution, nn.Conv2d)
            stage.conv.weight.copy_(convolution.weight)
            stage.act.weight.fill_(1)
        _put_in_middle(network.tail.weight, given.tail.weight)
    network.load_state_dict(network.state_dict())  # the value range is remembered on loading


def _put_in_middle(large: Tensor, small: Tensor) -> None:
    border = (large.shape[-1] - small.shape[-1]) // 2
    large.zero_()
    large[..., border : large.shape[-2] - border, border : large.shape[-1] - border] = small


def _set_bias(norm: nn.BatchNorm2d, convolution: nn.Conv2d) -> None:
    assert convolution.bias is not None
    norm.bias.copy_(convolution.bias)
