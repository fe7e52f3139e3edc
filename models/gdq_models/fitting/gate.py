"""A gate and entropy thresholds that keep to a FAB at little cost, fitted to measured tiles.

Ridge regression on the gate's inputs learns one score per tile: how sensitive the tile is to
quantization. A few hundred tiles do not support more: a cost-sensitive softmax regression over all
three logits was tried too, and was no better than chance on photos that it had not seen. Two cuts
of the score then divide the tiles among the gate's three choices; all pairs of cuts are tried. The
choice of "8 bits" is priced at the bit-widths that the entropy rule turns it into.

Weight and bias of the gate's norms are left alone: the linear layer that follows can express
whatever they could.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.fitting.losses import psnr_losses
from gdq_models.fitting.measurement import Array, TileMeasurements
from gdq_models.predictor.e2b import E2B_BIT_WIDTHS, EntropyTable
from gdq_models.predictor.gbc import GATE_BIT_WIDTHS
from gdq_models.predictor.predictor import BitPredictor

Widths = NDArray[np.int64]

QUANTILE_PAIRS = ((0.5, 0.9), (0.3, 0.7), (0.05, 0.5), (0.1, 0.9), (0.05, 0.95), (0.005, 0.005))
"""Quantiles tried for the entropy rule: the paper's, and others up to nearly always 5 or 8 bits."""

_RIDGE = 100.0
"""Penalty on the slopes of standardized inputs. From 0.01 to 1000 the gain in PSNR on unseen photos
was the same, but on photos of another kind FAB rose by half a bit with 1 or less, and by a quarter
of a bit with 100."""

_SMALLEST_GAP = 1e-4
"""Smallest gap between scores, whose deviation is 1, in which a cut survives float32."""


@dataclass(frozen=True, eq=False)
class FittedPredictor:
    """Gate and entropy rule.

    Attributes:
        weight: (3, 3C) of the gate's linear layer.
        bias: (3,) of the same layer.
        quantiles: of the entropy rule, inside (0, 1).
        thresholds: entropies at the quantiles, in nats.
    """

    weight: Array
    bias: Array
    quantiles: tuple[float, float]
    thresholds: tuple[float, float]

    def decide(self, tiles: TileMeasurements) -> Widths:
        """Return the bit-width of each tile (N,)."""
        gate = np.array(GATE_BIT_WIDTHS)[(tiles.inputs @ self.weight.T + self.bias).argmax(1)]
        by_entropy = widths_by_entropy(tiles.entropies, self.thresholds)
        return np.where(gate == GATE_BIT_WIDTHS[-1], by_entropy, gate)

    def install(self, predictor: BitPredictor, table: EntropyTable) -> None:
        """Make a predictor decide the same way.

        Args:
            predictor: one whose norms have their initial weight and bias.
            table: the table that ``thresholds`` were read from.
        """
        linear = predictor.gate.linear
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(self.weight))
            linear.bias.copy_(torch.from_numpy(self.bias))
            predictor.e2b.quantiles.copy_(torch.tensor(self.quantiles, dtype=torch.float64))
        predictor.e2b.set_table(table)


def fit_predictor(
    tiles: TileMeasurements, table: EntropyTable, target_fab: float
) -> FittedPredictor:
    """Return the predictor that costs the least PSNR on the tiles within a FAB.

    Args:
        tiles: the tiles to fit to.
        table: entropies by quantile.
        target_fab: largest mean bit-width, 4 to 8.
    """
    slope, offset = _fit_score(tiles)
    scores = tiles.inputs @ slope + offset
    rules = [(pair, (table.at(pair[0]), table.at(pair[1]))) for pair in QUANTILE_PAIRS]
    divisions = [_divide(tiles, scores, thresholds, target_fab) for _, thresholds in rules]
    best = min(range(len(rules)), key=lambda i: divisions[i].loss)
    quantiles, thresholds = rules[best]
    low, high = divisions[best].cuts
    # Of three lines with slopes -1, 0 and 1, the topmost one changes at the two cuts.
    lines = np.array([-1.0, 0.0, 1.0])
    weight, bias = np.outer(lines, slope), lines * offset + [low, 0.0, -high]
    place = np.argsort(divisions[best].order)
    return FittedPredictor(weight[place], bias[place], quantiles, thresholds)


def widths_by_entropy(entropies: Array, thresholds: tuple[float, float]) -> Widths:
    """Return the bit-width that the entropy rule gives each tile (N,)."""
    return np.array(E2B_BIT_WIDTHS)[np.searchsorted(thresholds, entropies, side="left")]


def _fit_score(tiles: TileMeasurements) -> tuple[Array, float]:
    """Return slope (3C,) and offset of a score that rises with the loss at few bits.

    Its target is ``log(1 + loss / mean loss)``, averaged over 4, 5 and 6 bits. A few tiles lose
    twenty times the mean: the logarithm keeps them from deciding alone.
    """
    losses = np.maximum(psnr_losses(tiles)[:, :-1], 0)
    target = np.log1p(losses / np.maximum(losses.mean(axis=0), 1e-12)).mean(axis=1)
    mean, deviation = tiles.inputs.mean(axis=0), tiles.inputs.std(axis=0)
    # An input that never changes says nothing; its slope must not be fitted to rounding noise.
    deviation = np.where(deviation > 1e-6 * np.abs(mean).max(), deviation, np.inf)
    inputs = (tiles.inputs - mean) / deviation
    normal = inputs.T @ inputs + _RIDGE * len(tiles) * np.eye(inputs.shape[1])
    slope = np.linalg.solve(normal, inputs.T @ (target - target.mean())) / deviation
    spread = float((tiles.inputs @ slope).std()) or 1.0
    return slope / spread, -float(mean @ slope) / spread


@dataclass(frozen=True)
class _Division:
    """The tiles, ordered by score and cut in three.

    Attributes:
        loss: mean loss in dB.
        cuts: scores at which the choice changes, not decreasing.
        order: the gate's choices (indices of its outputs), from the lowest scores to the highest.
    """

    loss: float
    cuts: tuple[float, float]
    order: tuple[int, ...]


def _divide(
    tiles: TileMeasurements, scores: Array, thresholds: tuple[float, float], target_fab: float
) -> _Division:
    """Return the cuts of least loss whose mean bit-width is at most ``target_fab``."""
    by_entropy = widths_by_entropy(tiles.entropies, thresholds)
    chosen = [np.full(len(tiles), width) for width in GATE_BIT_WIDTHS[:-1]] + [by_entropy]
    order = tuple(sorted(range(len(chosen)), key=lambda choice: float(chosen[choice].mean())))
    ranks = np.argsort(scores, kind="stable")
    widths = np.stack([chosen[choice][ranks] for choice in order])
    losses = psnr_losses(tiles)[ranks, np.searchsorted(BIT_WIDTHS, widths)]
    loss, fab = _sum_by_cuts(losses), _sum_by_cuts(widths.astype(np.float64))
    # Tiles of equal score cannot be divided. A target of 4 must admit 4 bits for all, rounded.
    apart = np.r_[True, np.diff(scores[ranks]) > _SMALLEST_GAP, True]
    allowed = np.triu(np.outer(apart, apart)) & (fab <= target_fab + 1e-9)
    flat = int(np.where(allowed, loss, np.inf).argmin())
    low, high = divmod(flat, loss.shape[1])
    ordered = np.concatenate([[scores.min() - 1], scores[ranks], [scores.max() + 1]])
    between = (ordered[1:] + ordered[:-1]) / 2
    return _Division(float(loss[low, high]), (float(between[low]), float(between[high])), order)


def _sum_by_cuts(values: Array) -> Array:
    """Return the means of ``values`` (3, N) at all pairs of cuts (N + 1, N + 1).

    At cuts i and j, row 0 counts before i, row 1 from i to j, and row 2 from j on.
    """
    sums = np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
    first, second, third = sums
    total = (first - second)[:, None] + (second - third)[None, :] + third[-1]
    return np.asarray(total / values.shape[1])
