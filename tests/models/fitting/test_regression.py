from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from gdq_models.fitting.regression import poisson, ridge


def draw(count: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(count, 4)) * [1, 10, 0.1, 3] + [0, 5, -2, 100]
    hidden = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0) @ [1.0, -0.5, 0.2, 0.0]
    return inputs, hidden + 0.1 * random.normal(size=count)


def test_ridge_minimises_its_objective() -> None:
    inputs, targets = draw()
    line = ridge(inputs, targets, 0.3)
    deviation = inputs.std(axis=0)

    def objective(found: np.ndarray) -> float:
        residual = inputs @ found[:-1] + found[-1] - targets
        return float(np.mean(residual**2) + 0.3 * np.sum((found[:-1] * deviation) ** 2))

    found = np.append(line.slope, line.offset)
    for step in np.eye(5) * 1e-4:
        assert objective(found) <= min(objective(found + step), objective(found - step))


def test_poisson_equals_a_general_optimizer() -> None:
    inputs, hidden = draw()
    targets = 7 * np.exp(2 * hidden)
    weights = np.random.default_rng(1).uniform(0.1, 4, len(targets))
    line = poisson(inputs, targets, weights, 0.03)
    mean, deviation, shares = inputs.mean(axis=0), inputs.std(axis=0), weights / weights.sum()
    standard, relative = (inputs - mean) / deviation, targets / (shares @ targets)

    def objective(found: np.ndarray) -> float:
        logs = standard @ found[:-1] + found[-1]
        return float(shares @ (np.exp(logs) - relative * logs) + 0.015 * found[:-1] @ found[:-1])

    best = minimize(objective, np.zeros(5), method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(line.slope * deviation, best.x[:-1], atol=1e-4)


def test_what_poisson_predicts_adds_up() -> None:
    inputs, hidden = draw(seed=2)
    targets = np.exp(3 * hidden)
    weights = np.linspace(0.5, 2, len(targets))
    predicted = np.exp(poisson(inputs, targets, weights, 0.03).at(inputs))
    assert weights @ predicted == pytest.approx(weights @ targets, rel=1e-6)


def test_inputs_that_never_change_do_not_matter() -> None:
    inputs, targets = draw()
    inputs[:, 1] = 41
    for line in (
        ridge(inputs, targets, 0.01),
        poisson(inputs, np.exp(targets), np.ones(len(targets)), 0.03),
    ):
        assert line.slope[1] == 0
        assert np.isfinite(line.slope).all()
        assert np.isfinite(line.offset)


def test_a_few_huge_targets_do_not_run_away() -> None:
    inputs, hidden = draw()
    line = poisson(inputs, np.exp(12 * hidden), np.ones(len(hidden)), 0.03)
    assert np.isfinite(line.at(inputs)).all()
