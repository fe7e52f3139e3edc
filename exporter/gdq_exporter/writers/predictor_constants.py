"""Arrays that the predictor's graphs hold, whatever the format: algebra done once, in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_models.predictor.parameters import PredictorParameters

Array = NDArray[np.float64]


def linear_gate(parameters: PredictorParameters) -> tuple[Array, Array]:
    """Gate and head as one map of the mean patch: weight (3, k k 3) and bias (3,).

    A patch is (kernel rows, kernel columns, RGB). The three granularities have the same mean.
    """
    channels = parameters.head_weight.shape[0]
    gate = parameters.gate_weight.reshape(3, 3, channels).sum(axis=1)
    weight = np.einsum("oc,cruv->ouvr", gate, parameters.head_weight)
    return weight.reshape(3, -1), gate @ parameters.head_bias + parameters.gate_bias


def head_rows(parameters: PredictorParameters) -> Array:
    """The head's weights (C, k k 3), in the order of a patch."""
    weight = parameters.head_weight
    return weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)


def group_squares(parameters: PredictorParameters) -> Array:
    """(groups, (k k 3)^2): what makes a covariance of patches a group's mean variance."""
    assert parameters.groups is not None
    heads = head_rows(parameters)
    grouped = heads.reshape(parameters.groups, -1, heads.shape[1])
    squares: Array = np.einsum("gci,gcj->gij", grouped, grouped) / grouped.shape[1]
    return squares.reshape(parameters.groups, -1)


def group_members(parameters: PredictorParameters) -> Array:
    """(groups, C) zeros and ones: which channels belong to a group."""
    assert parameters.groups is not None
    channels = len(parameters.head_bias)
    return np.repeat(np.eye(parameters.groups), channels // parameters.groups, axis=1)
