"""The Upscaler: decode, cut, predict, route, run, stitch, encode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import RequestError
from gdq_core.files.outputs import Output, check_apart, check_place
from gdq_core.files.recognition import is_picture
from gdq_core.pictures.decode import PictureReader
from gdq_core.pictures.encode import PictureWriter, check_target, save_picture
from gdq_core.pictures.rows import ArraySink, ArraySource, RowSink, RowSource
from gdq_core.pictures.transparency import spread_colours
from gdq_runtime.bit_map import compute_fab, compute_network_fab
from gdq_runtime.bit_map_drawing import Thumbnail, draw_bit_map
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.timed import EngineReport, open_timed_engine
from gdq_runtime.routing.dial import Crew
from gdq_runtime.routing.pair_dial import PairPosition
from gdq_runtime.routing.price_control import PriceControl
from gdq_runtime.routing.price_dial import PricePosition
from gdq_runtime.routing.request import Choices, Request
from gdq_runtime.routing.router import Router
from gdq_runtime.routing.spending import Spending, add_up
from gdq_runtime.tile_runner import Progress, TileRunner
from gdq_runtime.tiles.tiling import Policy, TilePlan
from gdq_runtime.tiles.workers import Workers
from gdq_runtime.timings import Stopwatch, Timings

if TYPE_CHECKING:
    from typing_extensions import Unpack  # in typing from Python 3.11 on


@dataclass(frozen=True, eq=False)
class UpscaleResult:
    """An upscaled array.

    Attributes:
        image: uint8, (height * scale, width * scale) with the input's channels.
        bit_map: uint8, (rows, columns), the bit-width of each tile; 0 if it was interpolated.
        fab: feature average bit-width, the mean of the bit map.
        network_fab: the same without interpolated tiles; 0 if all are.
        expected_loss: dB of PSNR below all tiles at the largest width, on average over the
            bundle's calibration tiles; None if the bundle does not say.
        dial: where it stood at the end: the price, or bit-widths of the bins of a gate's dial; None
            if nothing was chosen by it.
        spending: what the tiles cost on this device; None if that is not known.
        plan: the tiles.
        timings: seconds per stage.

    """

    image: NDArray[np.uint8]
    bit_map: NDArray[np.uint8]
    fab: float
    network_fab: float
    expected_loss: float | None
    dial: tuple[int, ...] | PricePosition | PairPosition | None
    spending: Spending | None
    plan: TilePlan
    timings: Timings

    def __repr__(self) -> str:
        """Say in a line what there is, not every pixel of it."""
        height, width = self.image.shape[:2]
        tiles = self.bit_map.size
        return f"<UpscaleResult: {width}x{height} pixels, {tiles} tiles, FAB {self.fab:.2f}>"


@dataclass(frozen=True, eq=False)
class FileResult:
    """An upscaled file.

    Attributes:
        source: the picture that was read.
        target: the picture that was written.
        size: width and height that were read, in pixels, upright.
        output_size: width and height that were written.
        bit_map: uint8, (rows, columns), the bit-width of each tile; 0 if it was interpolated.
        fab: feature average bit-width, the mean of the bit map.
        network_fab: the same without interpolated tiles; 0 if all are.
        expected_loss: dB of PSNR below all tiles at the largest width, on average over the
            bundle's calibration tiles; None if the bundle does not say.
        dial: where it stood at the end: the price, or bit-widths of the bins of a gate's dial; None
            if nothing was chosen by it.
        spending: what the tiles cost on this device; None if that is not known.
        plan: the tiles.
        timings: seconds per stage.
        notes: sentences on what was changed or left out, e.g. 16 bits rounded to 8.

    """

    source: Path
    target: Path
    size: tuple[int, int]
    output_size: tuple[int, int]
    bit_map: NDArray[np.uint8]
    fab: float
    network_fab: float
    expected_loss: float | None
    dial: tuple[int, ...] | PricePosition | PairPosition | None
    spending: Spending | None
    plan: TilePlan
    timings: Timings
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Name the file and what it took in a line."""
        width, height = self.output_size
        return f"<FileResult: {str(self.target)!r}, {width}x{height} pixels, FAB {self.fab:.2f}>"


class Upscaler:
    """Upscale images with one bundle, keeping engine and threads between images.

    An Upscaler takes one image at a time; use one Upscaler for each thread of yours.
    """

    def __init__(
        self,
        bundle: Bundle,
        engine: str | None = None,
        threads: int | None = None,
        policy: Policy = "uniform",
        costs: Costs | Literal["measured"] | None = "measured",
    ) -> None:
        """Prepare engine and threads.

        Args:
            bundle: the bundle to run.
            engine: name of the engine; None for the default, see ``engines.registry``.
            threads: number of tiles that run in parallel, at least 1; None for one per processor.
            policy: how pictures are cut, see ``gdq_runtime.tiles.tiling``.
            costs: what tiles cost, to choose bit-widths by: "measured" once on this device, and
                kept (docs/accuracy.md); or None to go by bits alone, which gives the same
                bit-widths on all devices, as policy "paper" always does.

        Raises:
            EngineError: unknown engine, its library is not installed, or its graphs do not take
                the policy's tiles.
            BundleError: the bundle has no graphs in the engine's format.
            RequestError: no such policy or number of threads.

        """
        self.bundle = bundle
        self._policy: Policy = Request(policy=policy).policy  # checked
        tile_size = bundle.manifest.tiling.size if policy == "uniform" else None
        self._engine = open_timed_engine(engine, bundle, tile_size)
        self._workers = Workers(threads)
        self._costs = costs
        self._controls: dict[Request, PriceControl] = {}

    @classmethod
    def open(
        cls,
        bundle: str | Path,
        engine: str | None = None,
        threads: int | None = None,
        policy: Policy = "uniform",
    ) -> Upscaler:
        """Open and check a bundle's folder, and prepare to run it; arguments as for the class.

        Raises:
            BundleError: no bundle, a damaged one, or one without graphs for the engine.
            RequestError: no such policy or number of threads.
            EngineError: unknown engine, its library is not installed, or its graphs do not take
                the policy's tiles.

        """
        return cls(Bundle.open(bundle), engine, threads, policy)

    def __repr__(self) -> str:
        """Name bundle and engine in a line."""
        return f"<Upscaler of {self.bundle!r} on {self._engine.name}>"

    @property
    def scale(self) -> int:
        """Upscaling factor."""
        return self.bundle.manifest.network.scale

    @property
    def policy(self) -> Policy:
        """How pictures are cut."""
        return self._policy

    @property
    def threads(self) -> int:
        """Number of tiles that run in parallel."""
        return self._workers.threads

    def __call__(
        self,
        image: NDArray[np.uint8],
        request: Request | None = None,
        *,
        progress: Progress | None = None,
        **choices: Unpack[Choices],
    ) -> UpscaleResult:
        """Upscale an array.

        Args:
            image: uint8, (height, width) gray, (height, width, 3) RGB or (height, width, 4) RGB
                with straight alpha.
            request: what is asked for; None for the choices, or the predictor's decisions.
            progress: told after each tile.
            choices: fields of a request, all but the policy, instead of one.

        Raises:
            ImageError: an array of another kind.
            BundleError: no subgraph of the bit-width asked for.
            RequestError: choices contradict each other, the bundle's dial does not reach them, or
                the request has another policy than this Upscaler.
            EngineError: the engine refuses a graph.

        """
        request = self._complete(request, choices)
        source = ArraySource(image)
        plan = self._plan(source)
        router = self._router(request, plan)
        sink = ArraySink(source.height * self.scale, source.width * self.scale, source.channels)
        stopwatch = Stopwatch()
        bit_map = self._run(source, sink, plan, router, stopwatch, progress)
        return UpscaleResult(
            image=sink.image,
            bit_map=bit_map,
            fab=compute_fab(bit_map),
            network_fab=compute_network_fab(bit_map),
            expected_loss=router.expected_loss,
            dial=router.position,
            spending=self._add_up(request, router, bit_map, plan),
            plan=plan,
            timings=stopwatch.read(),
        )

    def upscale_file(
        self,
        source: str | Path,
        target: str | Path,
        request: Request | None = None,
        *,
        bit_map: str | Path | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
        **choices: Unpack[Choices],
    ) -> FileResult:
        """Upscale a picture file row by row: memory does not depend on its height.

        Args:
            source: PNG, JPEG, TIFF, BMP or WebP.
            target: .png, .jpg or .tif; appears whole or not at all. The meaning of colours is
                carried over, other metadata is not.
            request: what is asked for; None for the choices, or the predictor's decisions.
            bit_map: where to draw the bit-widths over the picture, .png, .jpg or .tif.
            overwrite: replace existing files.
            progress: told after each tile.
            choices: fields of a request, all but the policy, instead of one.

        Raises:
            ImageError: the source is not a picture, is damaged, or is of a kind that is refused.
            OutputError: a target exists, cannot be written, or overlaps an input.
            BundleError: no subgraph of the bit-width asked for.
            RequestError: choices contradict each other, the bundle's dial does not reach them, or
                the request has another policy than this Upscaler.
            EngineError: the engine refuses a graph.

        """
        request = self._complete(request, choices)
        source, target = _as_path("source", source), _as_path("target", target)
        drawing = None if bit_map is None else _as_path("bit_map", bit_map)
        self._check_targets(source, target, drawing, overwrite)
        stopwatch = Stopwatch()
        with PictureReader(source) as reader:
            plan = self._plan(reader)
            router = self._router(request, plan)
            with self._writer(target, reader, overwrite) as writer:
                thumbnail = Thumbnail(reader)
                seen = reader if drawing is None else thumbnail
                widths = self._run(seen, writer, plan, router, stopwatch, progress)
                with stopwatch.stage("encode"):
                    writer.close()
        spending = self._add_up(request, router, widths, plan)
        if drawing is not None:
            caption = _caption(spending, router.expected_loss)
            drawn = draw_bit_map(thumbnail.image, plan, widths, caption)
            save_picture(drawn, drawing, overwrite=overwrite)
        return FileResult(
            source=source,
            target=target,
            size=(plan.width, plan.height),
            output_size=(plan.width * self.scale, plan.height * self.scale),
            bit_map=widths,
            fab=compute_fab(widths),
            network_fab=compute_network_fab(widths),
            expected_loss=router.expected_loss,
            dial=router.position,
            spending=spending,
            plan=plan,
            timings=stopwatch.read(),
            notes=(*reader.notes, *writer.notes),
        )

    def check(self, request: Request) -> None:
        """Make sure that the bundle can do what is asked, of a picture of one tile at least.

        Raises:
            BundleError: no subgraph of the bit-width asked for.
            RequestError: the bundle's dial does not reach the request, or it has another policy
                than this Upscaler.
            EngineError: the engine refuses a graph.

        """
        size = self.bundle.manifest.tiling.size
        plan = TilePlan(size, size, size, 0)
        self._router(self._complete(request, {}), plan)

    def engine_report(self) -> EngineReport:
        """Tell what the engine runs on and what its tiles cost.

        Raises:
            EngineError: the engine cannot be asked what it runs on.

        """
        return self._engine.report()

    def close(self) -> None:
        """Stop the threads and free the engine."""
        self._workers.close()
        self._engine.close()

    def __enter__(self) -> Upscaler:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_targets(
        self, source: Path, target: Path, drawing: Path | None, overwrite: bool
    ) -> None:
        """Refuse an output that cannot be written before hours of work, not after them."""
        paths = [target] if drawing is None else [target, drawing]
        results = [Output(path, "a picture", is_picture) for path in paths]
        check_apart(results, [source, self.bundle.path])
        for result in results:
            check_target(result.path, overwrite=overwrite)
            check_place(result, overwrite=overwrite)

    def _writer(self, target: Path, reader: PictureReader, overwrite: bool) -> PictureWriter:
        return PictureWriter(
            target,
            reader.width * self.scale,
            reader.height * self.scale,
            reader.channels,
            meaning=reader.meaning,
            overwrite=overwrite,
        )

    def _complete(self, request: Request | None, choices: Choices) -> Request:
        if request is None:
            return Request(policy=self._policy, **choices)
        if choices:
            raise RequestError(f"give a request or {', '.join(choices)}, not both")
        if request.policy != self._policy:
            raise RequestError(
                f"the request has policy {request.policy!r}, but this Upscaler was opened for "
                f"{self._policy!r}"
            )
        return request

    def _plan(self, source: RowSource) -> TilePlan:
        tiling = self.bundle.manifest.tiling
        return TilePlan(source.width, source.height, tiling.size, tiling.overlap, self._policy)

    def _router(self, request: Request, plan: TilePlan) -> Router:
        router = Router.create(self.bundle, request, self._find_costs(request), self._crew(plan))
        if router.sensed is None:
            return router
        # The price of a bundle with statistics goes on from where the last picture left it.
        control = self._controls.setdefault(request, router.sensed.control)
        return replace(router, sensed=router.sensed.with_control(control))

    def _find_costs(self, request: Request) -> Costs | None:
        """Know what tiles cost, if they have one size: the paper's protocol knows bits alone."""
        if request.policy != "uniform":
            return None
        if self._costs != "measured":
            return self._costs
        return self._engine.find_costs(self.bundle, is_needed=request.asks_for_time)

    def _add_up(
        self, request: Request, router: Router, bit_map: NDArray[np.uint8], plan: TilePlan
    ) -> Spending | None:
        return add_up(self._find_costs(request), router, bit_map, self._crew(plan))

    def _crew(self, plan: TilePlan) -> Crew:
        return Crew(plan.count, self._workers.threads)

    def _run(
        self,
        source: RowSource,
        sink: RowSink,
        plan: TilePlan,
        router: Router,
        stopwatch: Stopwatch,
        progress: Progress | None,
    ) -> NDArray[np.uint8]:
        runner = TileRunner(self._engine, self._workers, router, self.scale, stopwatch, progress)
        return runner.run(spread_colours(source), sink, plan)


def _caption(spending: Spending | None, expected_loss: float | None) -> str:
    """Say under a bit map what it costs and loses, as far as that is known."""
    time = "" if spending is None else f"{1000 * spending.tile_seconds:.1f} ms a tile"
    loss = "" if expected_loss is None else f"{expected_loss:.3f} dB expected loss"
    return ", ".join(part for part in (time, loss) if part)


def _as_path(name: str, value: str | Path) -> Path:
    """Convert the name of a file, and refuse an array in its place."""
    try:
        return Path(value)
    except TypeError as error:
        raise RequestError(
            f"{name} must be the name of a file, not {type(value).__name__}: to upscale an array, "
            "call the Upscaler itself"
        ) from error
