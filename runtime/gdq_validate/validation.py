"""Bundle against ground truth: upscales a picture in every way and compares the results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import FLOAT
from gdq_core.fidelity import psnr, psnr_of_error, squared_error
from gdq_core.pictures.rows import ArraySink, ArraySource
from gdq_core.resampling import resize_bicubic
from gdq_runtime.bit_map import (
    compute_fab,
    compute_network_fab,
    count_bit_operations,
    count_bit_widths,
)
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.router import Router
from gdq_runtime.tile_runner import Progress, TileRunner
from gdq_runtime.tiles.tiling import TilePlan
from gdq_runtime.tiles.workers import Workers
from gdq_runtime.timings import Stopwatch
from gdq_validate.report import CEILING, Figures, ImageReport, TileReport
from gdq_validate.similarity import seam_ratio, ssim

Picture = NDArray[np.uint8]

_SEAM_RADIUS = 2
"""Low-resolution pixels on either side of a border between tiles: the reach of a cubic kernel."""


@dataclass(frozen=True, eq=False)
class Upscaled:
    """Everything that was made of one picture, RGB of the ground truth's size.

    Attributes:
        truth: the ground truth.
        routed: the bundle with the requested routing.
        all_8_bit: the bundle with all tiles at its largest width.
        bicubic: interpolated, as MATLAB does it.
        float_network: the reference in float, or None.
        torch: the reference quantized and routed, or None.
        plan: the tiles.
        bit_map: (rows, columns), bit-widths of ``routed``.
        torch_bit_map: likewise of ``torch``, or None.

    """

    truth: Picture
    routed: Picture
    all_8_bit: Picture
    bicubic: Picture
    float_network: Picture | None
    torch: Picture | None
    plan: TilePlan
    bit_map: NDArray[np.uint8]
    torch_bit_map: NDArray[np.uint8] | None


class Validator:
    """Upscales pictures in every way that is compared, all through the same tile plan."""

    def __init__(
        self,
        bundle: Bundle,
        engine: Engine,
        workers: Workers,
        request: Request,
        reference: Engine | None = None,
        costs: Costs | None = None,
    ) -> None:
        """Prepare the routers.

        Args:
            bundle: what to validate.
            engine: open on the bundle.
            workers: threads for the tiles.
            request: routing and tiling to validate.
            reference: the network itself, which runs ``FLOAT`` besides the bundle's widths.
            costs: of tiles on this device, to tell times, and to route by if time is asked for:
                else the same bundle would be routed otherwise elsewhere.

        Raises:
            BundleError: there is no subgraph of the requested bit-width.
            RequestError: the bundle's dial does not cover the request.

        """
        self._manifest = bundle.manifest
        self._bit_operations = bundle.bit_operations
        self._engine, self._workers, self._policy = engine, workers, request.policy
        self._reference = reference
        self._costs = costs
        for_routing = costs if request.asks_for_time else None
        self._router = Router.create(bundle, request, for_routing)
        # Of its own: a price that follows its target must see the same tiles in the same order.
        self._reference_router = Router.create(bundle, request, for_routing)
        self._largest = Router(bundle.bit_widths, forced=bundle.bit_widths[-1])

    def upscale(self, low: Picture, truth: Picture, progress: Progress | None = None) -> Upscaled:
        """Upscale a low-resolution picture (h, w, 3) in every way."""
        plan = TilePlan(
            low.shape[1],
            low.shape[0],
            self._manifest.tiling.size,
            self._manifest.tiling.overlap,
            self._policy,
        )
        routed, bit_map = self._run(self._engine, self._router, low, plan, progress)
        all_8_bit, _ = self._run(self._engine, self._largest, low, plan)
        float_network = torch = torch_bit_map = None
        if self._reference is not None:
            in_float = Router((FLOAT,), forced=FLOAT)
            float_network, _ = self._run(self._reference, in_float, low, plan)
            torch, torch_bit_map = self._run(self._reference, self._reference_router, low, plan)
        bicubic = resize_bicubic(low, *truth.shape[:2])
        return Upscaled(
            truth, routed, all_8_bit, bicubic, float_network, torch, plan, bit_map, torch_bit_map
        )

    def judge(self, name: str, made: Upscaled) -> ImageReport:
        """Compare what was made with the ground truth.

        Raises:
            ImageError: the picture is too small for SSIM.

        """
        scale, truth = self._manifest.network.scale, made.truth
        routed = _figures(made.routed, truth, scale)
        all_8_bit = _figures(made.all_8_bit, truth, scale)
        in_float, torch = made.float_network, made.torch
        costs, seconds = self._costs, self._tile_seconds(made.bit_map)
        return ImageReport(
            name=name,
            width=made.truth.shape[1],
            height=made.truth.shape[0],
            psnr_y=routed.psnr_y,
            ssim_y=routed.ssim_y,
            fab=compute_fab(made.bit_map),
            network_fab=compute_network_fab(made.bit_map),
            bitops=count_bit_operations(
                _tile_pixels(made.plan), made.bit_map, self._bit_operations
            ),
            seam_ratio=_seam_ratio(made.routed, made, scale),
            seam_ratio_bicubic=_seam_ratio(made.bicubic, made, scale),
            bit_widths=count_bit_widths(made.bit_map),
            loss_db=all_8_bit.psnr_y - routed.psnr_y,
            milliseconds_per_tile=None if seconds is None else 1000 * seconds,
            speed=None if costs is None or seconds is None else costs.largest_seconds / seconds,
            bicubic=_figures(made.bicubic, truth, scale),
            all_8_bit=all_8_bit,
            float_network=None if in_float is None else _figures(in_float, truth, scale),
            torch=None if torch is None else _figures(torch, truth, scale),
            same_decisions=_agreement(made),
            tiles=_judge_tiles(made, scale),
        )

    def _tile_seconds(self, bit_map: NDArray[np.uint8]) -> float | None:
        if self._costs is None:
            return None
        return self._costs.tile_seconds(bit_map, is_predicted=self._router.asks_predictor)

    def _run(
        self,
        engine: Engine,
        router: Router,
        low: Picture,
        plan: TilePlan,
        progress: Progress | None = None,
    ) -> tuple[Picture, NDArray[np.uint8]]:
        scale = self._manifest.network.scale
        sink = ArraySink(plan.height * scale, plan.width * scale, 3)
        runner = TileRunner(engine, self._workers, router, scale, Stopwatch(), progress)
        bit_map = runner.run(ArraySource(low), sink, plan)
        return sink.image, bit_map


def seam_mask(plan: TilePlan, scale: int) -> NDArray[np.bool_]:
    """Mark the pixels of the upscaled picture that lie near a border between two tiles."""
    mask = np.zeros((plan.height * scale, plan.width * scale), dtype=bool)
    for spans, axis_view in ((plan.rows, mask), (plan.columns, mask.T)):
        for span in spans[1:]:
            first = max(span.own_start - _SEAM_RADIUS, 0) * scale
            axis_view[first : (span.own_start + _SEAM_RADIUS) * scale] = True
    return mask


def _figures(image: Picture, truth: Picture, scale: int) -> Figures:
    return Figures(
        psnr_y=min(psnr(image, truth, scale), CEILING),
        ssim_y=ssim(image, truth, scale),
    )


def _seam_ratio(image: Picture, made: Upscaled, scale: int) -> float | None:
    inner = np.s_[scale:-scale, scale:-scale]
    errors = squared_error(image, made.truth)[inner]
    return seam_ratio(errors, seam_mask(made.plan, scale)[inner])


def _agreement(made: Upscaled) -> float | None:
    if made.torch_bit_map is None:
        return None
    return float((made.bit_map == made.torch_bit_map).mean())


def _tile_pixels(plan: TilePlan) -> NDArray[np.int64]:
    heights = np.array([span.stop - span.start for span in plan.rows])
    widths = np.array([span.stop - span.start for span in plan.columns])
    return np.outer(heights, widths)


def _judge_tiles(made: Upscaled, scale: int) -> list[TileReport]:
    routed = squared_error(made.routed, made.truth)
    all_8_bit = squared_error(made.all_8_bit, made.truth)
    tiles = []
    for row, down in enumerate(made.plan.rows):
        for column, across in enumerate(made.plan.columns):
            own = np.s_[
                down.own_start * scale : down.own_stop * scale,
                across.own_start * scale : across.own_stop * scale,
            ]
            psnrs = [
                min(psnr_of_error(float(errors[own].mean())), CEILING)
                for errors in (routed, all_8_bit)
            ]
            tiles.append(
                TileReport(
                    row=row,
                    column=column,
                    bit_width=int(made.bit_map[row, column]),
                    psnr_y=psnrs[0],
                    psnr_y_all_8_bit=psnrs[1],
                )
            )
    return tiles
