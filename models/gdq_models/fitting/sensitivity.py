"""Sensitivity heads and prices, fitted to measured tiles.

Three heads on the same nine statistics. Noise: what 4 bits add, by Poisson regression, since the
few tiles that most of the loss comes from must add up; weighed by one over their photo's error, as
their loss is. Error and interpolation: by ridge regression on logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.heads import OCTAVE, SHIFT, SensitivityHeads
from gdq_core.sensitivity.picture_error import picture_level
from gdq_core.sensitivity.prices import NEVER, PriceSteps
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_models.fitting.losses import interpolation_losses, psnr_losses
from gdq_models.fitting.measurement import Array, TileMeasurements
from gdq_models.fitting.regression import Line, poisson, ridge

ENOUGH_PHOTOS: Final = 60
"""Of them, heads did as well as with all 122; with 15 they did not."""

LARGEST_FLAT_LOSS: Final = 0.01
"""dB of PSNR that interpolating flat tiles may cost (nobody can see it)."""

FOLDS: Final = 6
"""Parts of the photos that are held out in turn."""

_NOISE_PENALTY, _ERROR_PENALTY = 0.03, 0.01
"""Of slopes per standard deviation. Ten times more or less moved held-out losses by 2 %."""
_SMALLEST_ERROR, _SMALLEST_ADDED = 0.05, 0.01
"""Squared gray levels, below which logarithms would look at nothing but rounding."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scores:
    """What heads say of N tiles, relative to their photos.

    Attributes:
        noise: (N,) int64, of 4 bits less the photo's error: what the price is compared with.
        interpolation: (N,) int64, what interpolation adds, likewise.
    """

    noise: Integers
    interpolation: Integers


@dataclass(frozen=True, eq=False)
class FittedRule:
    """Heads and prices, and what they make of tiles."""

    rule: SensitivityRule

    def decide(self, tiles: TileMeasurements) -> Integers:
        """Returns the bit-width of each tile (N,), their photos consisting of these tiles."""
        scores = score(self.rule.heads, tiles).noise
        return self.rule.steps.choose_all(scores, self.rule.price)


def fit_rule(tiles: TileMeasurements, side: int, target_fab: float) -> SensitivityRule:
    """Returns heads and prices for tiles of a side; the same numbers on every computer.

    The dial stands where these tiles get at most ``target_fab`` bits on average. Tiles are flat as
    long as interpolating the flattest costs ``LARGEST_FLAT_LOSS`` on photos that were held out.

    Args:
        tiles: what to fit to; their inputs are statistics.
        side: of the tiles, in pixels.
        target_fab: largest mean bit-width, 4 to 8.
    """
    heads = fit_heads(tiles, side)
    steps = PriceSteps.from_losses(psnr_losses(tiles).mean(axis=0).tolist())
    price = price_for(score(heads, tiles).noise, steps, target_fab)
    flat = _find_flat(score_unseen(tiles, side).interpolation, interpolation_losses(tiles))
    return SensitivityRule(heads, steps, price, flat)


def fit_heads(tiles: TileMeasurements, side: int) -> SensitivityHeads:
    """Returns the heads of least loss, in integers."""
    at_most = tiles.errors[:, -1]
    added = np.maximum(tiles.errors[:, 0] - at_most, 0)
    by_interpolation = np.maximum(tiles.interpolated - at_most, 0)
    lines = (
        _fit_noise(tiles, added),
        ridge(tiles.inputs, np.log(at_most + _SMALLEST_ERROR), _ERROR_PENALTY),
        ridge(tiles.inputs, np.log(by_interpolation + _SMALLEST_ADDED), _ERROR_PENALTY),
    )
    unit = OCTAVE / np.log(2) * 2**SHIFT
    weights = np.stack([np.round(line.slope * unit).astype(np.int64) for line in lines])
    biases = np.array([round(line.offset * unit) for line in lines], np.int64)
    return SensitivityHeads(weights, biases, side)


def score(heads: SensitivityHeads, tiles: TileMeasurements) -> Scores:
    """Returns what heads say of tiles whose photos consist of these tiles."""
    return _relative(heads.apply(tiles.inputs.astype(np.int64)), tiles)


def score_unseen(tiles: TileMeasurements, side: int) -> Scores:
    """Returns what heads say that were fitted without a sixth of the photos, of that sixth."""
    said = np.zeros((len(tiles), 3), np.int64)
    _, number = np.unique(tiles.photo, return_inverse=True)
    for fold in range(min(FOLDS, number.max() + 1)):
        unseen = number % FOLDS == fold
        # Of a single photo nothing is left to fit to but itself.
        seen = ~unseen if number.max() else unseen
        heads = fit_heads(tiles.subset(seen), side)
        said[unseen] = heads.apply(tiles.inputs[unseen].astype(np.int64))
    return _relative(said, tiles)


def price_for(scores: Integers, steps: PriceSteps, target_fab: float) -> int:
    """Returns the lowest price at which tiles (N,) get at most this many bits on average."""
    low, high = int(scores.min()) - 2 * NEVER, int(scores.max()) + 2 * NEVER
    while low < high:  # bits fall as the price rises
        middle = (low + high) // 2
        if steps.choose_all(scores, middle).mean() <= target_fab:
            high = middle
        else:
            low = middle + 1
    return low


def _fit_noise(tiles: TileMeasurements, added: Array) -> Line:
    if not added.any():  # 4 bits cost nothing: no tile needs more
        smallest = float(np.log(_SMALLEST_ADDED))
        return Line(np.zeros(tiles.inputs.shape[1]), smallest)
    weights = 1 / np.maximum(tiles.of_photo(tiles.errors[:, -1]), 1e-3)
    return poisson(tiles.inputs, added, weights, _NOISE_PENALTY)


def _relative(said: Integers, tiles: TileMeasurements) -> Scores:
    _, number = np.unique(tiles.photo, return_inverse=True)
    levels = np.array(
        [picture_level(said[number == photo, 1].tolist()) for photo in range(number.max() + 1)]
    )[number]
    return Scores(said[:, 0] - levels, said[:, 2] - levels)


def _find_flat(scores: Integers, losses: Array) -> int:
    """Returns up to which score all tiles together lose no more than the bound."""
    order = np.argsort(scores, kind="stable")
    total = np.cumsum(losses[order]) / len(order)
    # Up to where the bound is first exceeded: behind it, a lucky tile could hide a bad one.
    share = int(np.argmax(np.append(total, np.inf) > LARGEST_FLAT_LOSS))
    # Tiles of one score cannot be parted: none of the score at which it breaks.
    below = scores[order[:share]]
    inside = below[below < scores[order[share]]] if share < len(order) else below
    return int(inside.max()) if len(inside) else -NEVER
