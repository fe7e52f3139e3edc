"""The two regressions behind the sensitivity heads; both standardise, neither is random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NEWTON_STEPS = 100
_SMALLEST_STEP = 1e-10
_LARGEST_EXPONENT = 30.0


@dataclass(frozen=True, eq=False)
class Line:
    """A linear function of K inputs.

    Attributes:
        slope: (K,).
        offset: value where all inputs are zero.
    """

    slope: Array
    offset: float

    def at(self, inputs: Array) -> Array:
        """Return the values (N,) at inputs (N, K)."""
        return np.asarray(inputs @ self.slope + self.offset)


def ridge(inputs: Array, targets: Array, penalty: float) -> Line:
    """Fit a line that minimises ``mean((line - target)^2) + penalty * |slope|^2``.

    Slopes are per standard deviation of their input.

    Args:
        inputs: (N, K).
        targets: (N,).
        penalty: above 0.
    """
    standard, mean, deviation = _standardised(inputs)
    normal = standard.T @ standard / len(targets) + penalty * np.eye(standard.shape[1])
    moment = standard.T @ (targets - targets.mean()) / len(targets)
    slope = np.linalg.solve(normal, moment) / deviation
    return Line(slope, float(targets.mean() - mean @ slope))


def poisson(inputs: Array, targets: Array, weights: Array, penalty: float) -> Line:
    """Fit ``log E[target | inputs]`` by quasi-likelihood (McCullagh and Nelder, 1989, chapter 9).

    Its predictions add up to what was measured, weighted, even if most of that comes from few
    tiles; a fit of logarithms would not. It minimises the weighted mean of
    ``exp(line) - target * line``, with targets relative to their mean, plus
    ``penalty / 2 * |slope|^2``, with slopes per standard deviation of their input.

    Args:
        inputs: (N, K).
        targets: (N,), none negative, not all zero.
        weights: (N,), positive.
        penalty: above 0.
    """
    standard, mean, deviation = _standardised(inputs)
    shares = weights / weights.sum()
    unit = float(shares @ targets)
    relative = targets / unit
    design = np.column_stack([standard, np.ones(len(targets))])
    penalties = np.append(np.full(standard.shape[1], penalty), 0.0)

    def objective(found: Array) -> float:
        line = np.minimum(design @ found, _LARGEST_EXPONENT)
        return float(shares @ (np.exp(line) - relative * line) + penalties @ found**2 / 2)

    found = np.zeros(design.shape[1])
    for _ in range(_NEWTON_STEPS):
        expected = np.exp(np.minimum(design @ found, _LARGEST_EXPONENT))
        gradient = design.T @ (shares * (expected - relative)) + penalties * found
        curvature = (design.T * (shares * expected)) @ design + np.diag(penalties)
        step = np.linalg.solve(curvature + 1e-12 * np.eye(len(found)), gradient)
        # A full step may overshoot where the exponential is steep.
        length = 1.0
        while objective(found - length * step) > objective(found) and length > _SMALLEST_STEP:
            length /= 2
        found = found - length * step
        if np.abs(length * step).max() < _SMALLEST_STEP:
            break
    slope = found[:-1] / deviation
    return Line(slope, float(found[-1] + np.log(unit) - mean @ slope))


def _standardised(inputs: Array) -> tuple[Array, Array, Array]:
    """Return inputs with mean 0 and deviation 1, then the original mean and deviation.

    Inputs that never change become zero.
    """
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0)
    varies = deviation > 1e-9 * np.maximum(1, np.abs(mean))
    deviation = np.where(varies, deviation, np.inf)
    return (inputs - mean) / deviation, mean, deviation
