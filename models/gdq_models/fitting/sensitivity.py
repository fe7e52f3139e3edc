"""Sensitivity heads and prices, fitted to measured tiles.

There are three heads on the same nine statistics. Noise is what 4 bits add to the error: fitted by
Poisson regression, since the few tiles that cause most of the loss must add up, and weighted, as
the loss is, by one over the photo's error. Error and interpolation are fitted by ridge regression
on logarithms.
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
from gdq_core.sensitivity.statistics import STRONG_STEPS, logarithm
from gdq_models.fitting.losses import interpolation_losses, psnr_losses
from gdq_models.fitting.measurement import Array, TileMeasurements
from gdq_models.fitting.regression import Line, poisson, ridge

ENOUGH_PHOTOS: Final = 60
"""With this many, heads did as well as with all 122; with 15 they did not."""

LARGEST_FLAT_LOSS: Final = 0.01
"""dB of PSNR that interpolating flat tiles may cost (too little to see)."""

LARGEST_UNLUCKY_FLAT_LOSS: Final = 0.02
"""The same for all but one in forty sets of photos: the margin for photos of another kind."""

FOLDS: Final = 6
"""Number of parts of the photos, each held out in turn."""

_NOISE_PENALTY, _ERROR_PENALTY = 0.03, 0.01
"""Penalties on slopes per standard deviation; a factor of ten changed held-out losses by 2 %."""
_SMALLEST_ERROR, _SMALLEST_ADDED, _SMALLEST_INTERPOLATED = 0.05, 0.01, 0.003
"""Squared gray levels, below which logarithms would measure nothing but rounding."""
_FAR_FROM_FLAT = 0.3
"""Share of the photo's error: no tile to which interpolation adds more is flat, so that how much
more need not be told. It raised the share of flat tiles by up to a tenth (mobile EDSR x3, x4)."""
_FOR_A_STRONG_STEP: Final = NEVER // int(logarithm(1)) << SHIFT
"""Weight of the number of strong steps in the interpolation head: with one, no tile is flat. A head
that is linear in all statistics overlooks a small sharp detail on an otherwise empty tile, which
interpolation ruins (a clean drawing: 31 dB against 48)."""
_RESAMPLES, _UNLUCKY, _SEED = 400, 97.5, 1

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scores:
    """The heads' estimates for N tiles, relative to their photos.

    Attributes:
        noise: (N,) int64, noise of 4 bits minus the photo's error; compared with the price.
        interpolation: (N,) int64, what interpolation adds, minus the photo's error.
    """

    noise: Integers
    interpolation: Integers


@dataclass(frozen=True, eq=False)
class FittedRule:
    """Heads and prices, applied to tiles."""

    rule: SensitivityRule

    def decide(self, tiles: TileMeasurements) -> Integers:
        """Return the bit-width of each tile (N,), taking a photo to consist of its tiles here."""
        scores = score(self.rule.heads, tiles).noise
        return self.rule.steps.choose_all(scores, self.rule.price)


def fit_rule(tiles: TileMeasurements, side: int, target_fab: float) -> SensitivityRule:
    """Return heads and prices for tiles of a side; the same numbers on every computer.

    The dial is set so that these tiles get at most ``target_fab`` bits on average. The flattest
    tiles count as flat as long as interpolating them all costs at most ``LARGEST_FLAT_LOSS`` on
    photos that were held out, and ``LARGEST_UNLUCKY_FLAT_LOSS`` if photos are drawn from them with
    replacement.

    Args:
        tiles: the tiles to fit to; their inputs are statistics.
        side: side of the tiles, in pixels.
        target_fab: largest mean bit-width, 4 to 8.
    """
    heads = fit_heads(tiles, side)
    steps = PriceSteps.from_losses(psnr_losses(tiles).mean(axis=0).tolist())
    price = price_for(score(heads, tiles).noise, steps, target_fab)
    unseen = score_unseen(tiles, side).interpolation
    flat = find_flat(unseen, interpolation_losses(tiles), tiles.photo)
    return SensitivityRule(heads, steps, price, flat)


def fit_heads(tiles: TileMeasurements, side: int) -> SensitivityHeads:
    """Return the fitted heads, rounded to integers."""
    at_most = tiles.errors[:, -1]
    added = np.maximum(tiles.errors[:, 0] - at_most, 0)
    farthest = _FAR_FROM_FLAT * tiles.of_photo(at_most)
    by_interpolation = np.clip(tiles.interpolated - at_most, 0, farthest)
    lines = (
        _fit_noise(tiles, added),
        ridge(tiles.inputs, np.log(at_most + _SMALLEST_ERROR), _ERROR_PENALTY),
        ridge(tiles.inputs, np.log(by_interpolation + _SMALLEST_INTERPOLATED), _ERROR_PENALTY),
    )
    unit = OCTAVE / np.log(2) * 2**SHIFT
    weights = np.stack([np.round(line.slope * unit).astype(np.int64) for line in lines])
    weights[-1, STRONG_STEPS] = _FOR_A_STRONG_STEP
    biases = np.array([round(line.offset * unit) for line in lines], np.int64)
    return SensitivityHeads(weights, biases, side)


def score(heads: SensitivityHeads, tiles: TileMeasurements) -> Scores:
    """Return the heads' scores of tiles, taking a photo to consist of its tiles here."""
    return _relative(heads.apply(tiles.inputs.astype(np.int64)), tiles)


def score_unseen(tiles: TileMeasurements, side: int) -> Scores:
    """Return scores of each sixth of the photos, from heads fitted to the other five."""
    said = np.zeros((len(tiles), 3), np.int64)
    _, number = np.unique(tiles.photo, return_inverse=True)
    for fold in range(min(FOLDS, number.max() + 1)):
        unseen = number % FOLDS == fold
        # A single photo leaves nothing else to fit to.
        seen = ~unseen if number.max() else unseen
        heads = fit_heads(tiles.subset(seen), side)
        said[unseen] = heads.apply(tiles.inputs[unseen].astype(np.int64))
    return _relative(said, tiles)


def price_for(scores: Integers, steps: PriceSteps, target_fab: float) -> int:
    """Return the lowest price at which tiles (N,) get at most this many bits on average."""
    low, high = int(scores.min()) - 2 * NEVER, int(scores.max()) + 2 * NEVER
    while low < high:  # bits fall as the price rises
        middle = (low + high) // 2
        if steps.choose_all(scores, middle).mean() <= target_fab:
            high = middle
        else:
            low = middle + 1
    return low


def find_flat(scores: Integers, losses: Array, photo: Integers) -> int:
    """Return the largest score up to which all tiles together keep to both bounds."""
    levels, level = np.unique(scores, return_inverse=True)
    _, number = np.unique(photo, return_inverse=True)
    tiles = np.bincount(number)
    lost = np.zeros((len(tiles), len(levels)))
    np.add.at(lost, (number, level), losses)
    lost = lost.cumsum(axis=1)  # of each photo, up to each score
    evenly = np.full(len(tiles), 1 / len(tiles))
    drawn = np.random.default_rng(_SEED).multinomial(len(tiles), evenly, size=_RESAMPLES)
    unlucky = np.percentile((drawn @ lost) / (drawn @ tiles)[:, None], _UNLUCKY, axis=0)
    is_too_much = lost.sum(axis=0) / len(scores) > LARGEST_FLAT_LOSS
    is_too_much |= unlucky > LARGEST_UNLUCKY_FLAT_LOSS
    # Up to where a bound is first exceeded: beyond, a lucky tile could hide a bad one.
    kept = int(np.argmax(np.append(is_too_much, True)))
    return int(levels[kept - 1]) if kept else -NEVER


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
