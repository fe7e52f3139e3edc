"""The whole calibration: steps, then entropy table, then measurement, then predictor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.checkpoint import round_weights
from gdq_models.errors import CheckpointError
from gdq_models.fitting.gate import FittedPredictor, Widths, fit_predictor
from gdq_models.fitting.held_out import RoutingLosses, judge_scores
from gdq_models.fitting.losses import psnr_losses
from gdq_models.fitting.measurement import TileMeasurements, measure
from gdq_models.fitting.photos import CalibrationTiles
from gdq_models.fitting.sensitivity import FittedRule, fit_rule, score_unseen
from gdq_models.fitting.steps import calibrate_steps
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.predictor.e2b import EntropyTable
from gdq_models.predictor.gate_kind import PredictorKind
from gdq_models.predictor.kinds import build_predictor
from gdq_models.predictor.statistics import StatisticsPredictor

Progress = Callable[[str, int, int], None]
"""Called with the name of the current stage, how much of it is done, and how much there is."""

_STEP_PIXELS = 24 * 96 * 96
"""Low-resolution pixels that steps are fitted to: one batch, whose activations fit in memory."""
_FOLDS = 4


@dataclass(frozen=True)
class RoutedQuality:
    """The result of routing tiles by a predictor.

    Attributes:
        shares: share of the tiles at each bit-width.
        fab: mean bit-width of the tiles.
        psnr: PSNR of the luma in dB, averaged over photos.
        psnr_by_chance: the same if the bit-widths were assigned to the tiles at random.
    """

    shares: dict[int, float]
    fab: float
    psnr: float
    psnr_by_chance: float


@dataclass(frozen=True)
class CalibrationResult:
    """What the calibration measured, on its own tiles.

    Attributes:
        source: where the photos come from.
        photos: number of photos.
        tiles: number of tiles.
        float_psnr: PSNR of the float network: of the luma, in dB, averaged over photos.
        psnr: the same for each bit-width.
        fitted: routed by the predictor, on the tiles that it was fitted to.
        unseen: routed by predictors that were fitted to other photos; None for a single photo.
        losses: at the target, compared with chance and an oracle, on photos that were held out;
            None for a gate, as the next two are for statistics.
        quantiles: of the entropy rule.
        thresholds: entropies at the quantiles, in nats.
    """

    source: str
    photos: int
    tiles: int
    float_psnr: float
    psnr: dict[int, float]
    fitted: RoutedQuality
    unseen: RoutedQuality | None
    losses: RoutingLosses | None
    quantiles: tuple[float, float] | None
    thresholds: tuple[float, float] | None


def calibrate(
    network: SuperResolutionNetwork,
    tiles: CalibrationTiles,
    *,
    gate: PredictorKind,
    target_fab: float,
    keep_steps: bool = False,
    progress: Progress,
) -> CalibrationResult:
    """Give a network steps and a predictor, deterministically.

    Args:
        network: a network in evaluation mode. Its weights are rounded to half precision, which
            costs less than 0.001 dB and halves the file; steps and predictor are replaced.
        tiles: tiles of the deployed size.
        gate: kind of predictor.
        target_fab: largest mean bit-width on the tiles, 4 to 8.
        keep_steps: keep the steps that training learned, and replace only the predictor.
        progress: called as the calibration proceeds.

    Raises:
        CheckpointError: the network's values are not finite, or it has no steps to keep.
    """
    if keep_steps and not network.has_steps():
        raise CheckpointError(
            "there are no steps to keep: train the network, or let gdq-calibrate fit them"
        )
    network.predictor = build_predictor(network.channels, gate).eval()
    network.to(memory_format=torch.channels_last)
    round_weights(network)
    side = tiles.low.shape[-1]
    if not keep_steps:
        progress("steps", 0, 1)
        chosen = np.linspace(0, len(tiles.low) - 1, max(1, _STEP_PIXELS // side**2))
        calibrate_steps(network, tiles.low[np.unique(chosen.round()).astype(int)].float())
    measured = measure(network, tiles, lambda done, of: progress("tiles", done, of))
    progress("gate", 0, 1)
    fitted = _fit(gate, measured, side, target_fab)
    unseen = _decide_unseen(gate, measured, side, target_fab)
    losses = None if unseen is None else _judge(measured, fitted, target_fab)
    if isinstance(network.predictor, StatisticsPredictor):
        assert isinstance(fitted, FittedRule)
        network.predictor.install(fitted.rule, None if losses is None else losses.to_keep())
    else:
        assert isinstance(fitted, FittedPredictor)
        fitted.install(network.predictor, _table(measured, side, network.scale))
    progress("gate", 1, 1)
    return _result(tiles, measured, fitted, unseen, losses)


def _fit(
    kind: PredictorKind, tiles: TileMeasurements, side: int, target_fab: float
) -> FittedPredictor | FittedRule:
    if kind == "statistics":
        return FittedRule(fit_rule(tiles, side, target_fab))
    # The scale in the table is a label; thresholds do not depend on it.
    return fit_predictor(tiles, _table(tiles, side, 0), target_fab)


def _table(tiles: TileMeasurements, side: int, scale: int) -> EntropyTable:
    return EntropyTable.build(tiles.entropies.tolist(), tile=side, scale=scale)


def _decide_unseen(
    kind: PredictorKind, tiles: TileMeasurements, side: int, target_fab: float
) -> Widths | None:
    """Return bit-widths (N,) from predictors fitted without the quarter of photos they judge."""
    _, number = np.unique(tiles.photo, return_inverse=True)
    if number.max() == 0:
        return None
    widths = np.zeros(len(tiles), dtype=np.int64)
    for fold in range(min(_FOLDS, number.max() + 1)):
        unseen = number % _FOLDS == fold
        fitted = _fit(kind, tiles.subset(~unseen), side, target_fab)
        widths[unseen] = fitted.decide(tiles.subset(unseen))
    return widths


def _result(
    tiles: CalibrationTiles,
    measured: TileMeasurements,
    predictor: FittedPredictor | FittedRule,
    unseen: Widths | None,
    losses: RoutingLosses | None,
) -> CalibrationResult:
    return CalibrationResult(
        source=tiles.source,
        photos=tiles.photos,
        tiles=len(measured),
        float_psnr=measured.psnr(measured.float_errors),
        psnr={
            width: measured.psnr(measured.errors[:, column])
            for column, width in enumerate(BIT_WIDTHS)
        },
        fitted=_quality(measured, predictor.decide(measured)),
        unseen=None if unseen is None else _quality(measured, unseen),
        losses=losses,
        quantiles=predictor.quantiles if isinstance(predictor, FittedPredictor) else None,
        thresholds=predictor.thresholds if isinstance(predictor, FittedPredictor) else None,
    )


def _judge(
    tiles: TileMeasurements, fitted: FittedPredictor | FittedRule, target_fab: float
) -> RoutingLosses | None:
    if isinstance(fitted, FittedPredictor):
        return None
    scores = score_unseen(tiles, fitted.rule.heads.side).noise
    return judge_scores(psnr_losses(tiles), scores, fitted.rule.steps, tiles.photo, target_fab)


def _quality(tiles: TileMeasurements, widths: Widths) -> RoutedQuality:
    columns = np.searchsorted(BIT_WIDTHS, widths)
    shares = np.bincount(columns, minlength=len(BIT_WIDTHS)) / len(tiles)
    return RoutedQuality(
        shares={width: float(share) for width, share in zip(BIT_WIDTHS, shares, strict=True)},
        fab=float(widths.mean()),
        psnr=tiles.psnr(tiles.errors[np.arange(len(tiles)), columns]),
        # The expected error of a tile whose bit-width is drawn with these shares.
        psnr_by_chance=tiles.psnr(tiles.errors @ shares),
    )
