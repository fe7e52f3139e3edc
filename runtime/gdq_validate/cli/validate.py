"""``gdq-validate``: bundle + ground truth -> PSNR, SSIM, FAB, BitOPs, seams, parity."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdq_core.cli import options
from gdq_core.cli.command import Command
from gdq_core.cli.errors import ExitCode, print_result, say
from gdq_core.cli.native_output import silence_native_libraries
from gdq_core.cli.packages import require_packages

if TYPE_CHECKING:
    from gdq_runtime.bundle.reader import Bundle
    from gdq_runtime.engines.base import Engine
    from gdq_runtime.routing.request import Request
    from gdq_validate.agreement import Agreement
    from gdq_validate.pages.page import Card
    from gdq_validate.report import ImageReport, ValidationReport

EPILOG = """\b
Examples:
  gdq-validate edsr_x2 --data Set5
  gdq-validate edsr_x2 --data photos/ --fab 4.5 --json result.json --html result.html
  gdq-validate edsr_x2 --data Set14 --policy paper --min-psnr 33 --max-fab 4.6
  gdq-validate edsr_x2 --data photos/ --against-chance
  gdq-validate edsr_x2 --engines all

\b
DIR holds subfolders HR_xS and LR_xS with the same file names, or photos, which
are made smaller by antialiased bicubic interpolation.

\b
Exit code: 0 done, 1 a bar is missed or engines disagree, 2 an input or an option was refused.
"""


@click.command(cls=Command, epilog=EPILOG)
@click.argument("bundle", type=options.PATH)
@click.option("--data", type=options.PATH, metavar="DIR", help="Ground truth.")
@click.option(
    "--engines", metavar="all|NAME,...",
    help="Compare engines with each other, on the golden tiles and on DIR.",
)  # fmt: skip
@click.option(
    "--checkpoint",
    type=options.PATH,
    help="Also compare with this checkpoint in torch, quantized and in float.",
)
@click.option(
    "--against-chance", is_flag=True,
    help="Also compare the dial with chance and an oracle at equal bits and equal time: every "
    "picture on every route.",
)  # fmt: skip
@options.bits_option
@options.fab_option
@options.fab_cap_option
@options.speed_option
@options.flat_tiles_option
@options.policy_option
@options.engine_option
@options.threads_option
@click.option("--json", "json_file", type=options.PATH, help="Write everything to a file.")
@click.option("--html", "html_file", type=options.PATH, help="Write a page with pictures.")
@options.overwrite_option
@click.option("--min-psnr", type=float, metavar="DB", help="Bar: mean PSNR (luma) at least.")
@click.option("--max-fab", type=float, metavar="BITS", help="Bar: mean FAB at most.")
@click.option(
    "--max-loss",
    type=float,
    metavar="DB",
    help="Bar: mean loss against all tiles at 8 bits at most.",
)
def main(
    bundle: Path,
    data: Path | None,
    engines: str | None,
    checkpoint: Path | None,
    bits: str,
    json_file: Path | None,
    html_file: Path | None,
    overwrite: bool,
    min_psnr: float | None,
    max_fab: float | None,
    max_loss: float | None,
    **settings: Any,
) -> None:
    """Measure a BUNDLE on pictures whose ground truth is known; compare engines."""
    with silence_native_libraries():
        from gdq_core.files.reports import check_reports
        from gdq_core.files.text import save_text
        from gdq_runtime.bundle.reader import Bundle
        from gdq_runtime.routing.request import Request

        bars = [min_psnr, max_fab, max_loss]
        _check_request(
            data, engines, [html_file, checkpoint, settings["against_chance"] or None, *bars]
        )
        inputs = [path for path in (bundle, data, checkpoint) if path is not None]
        check_reports(json_file, html_file, inputs, overwrite=overwrite)
        if html_file is not None:
            require_packages("--html", "bench", "jinja2")
        if checkpoint is not None:
            from gdq_models.state_bytes import check_state_file

            require_packages("--checkpoint", "export", "torch", "safetensors")
            check_state_file(checkpoint)
        one_width: Any = "auto" if bits == "auto" else int(bits)
        request = Request(
            one_width,
            fab=settings.pop("fab"),
            fab_cap=settings.pop("fab_cap"),
            speed=settings.pop("speed"),
            flat_tiles=settings.pop("flat_tiles"),
            policy=settings.pop("policy"),
        )
        if settings["against_chance"]:
            _check_contest(request)
        opened = Bundle.open(bundle)
        if data is not None:
            _check_data(data, opened.manifest.network.scale)
        agreements = [] if engines is None else _compare(opened, engines, data, settings["threads"])
        cards: list[Card] | None = None if html_file is None else []
        report = None
        if data is not None:
            report = _validate(opened, data, checkpoint, request, cards, **settings)
            report = report.model_copy(update={"engines": agreements})
        if json_file is not None:
            save_text(json_file, _as_json(report, agreements))
        if html_file is not None and report is not None and cards is not None:
            from gdq_validate.pages.page import render_page

            save_text(html_file, render_page(report, opened.manifest, cards))
    from gdq_validate.text import describe_failure, render_agreements, render_text

    if agreements:
        print_result(render_agreements(agreements))
    missed = [describe_failure(one) for one in agreements if not one.holds]
    if report is not None:
        print_result(render_text(report))
        missed += _missed_bars(report, min_psnr, max_fab, max_loss)
    for sentence in missed:
        say(sentence)
    if missed:
        sys.exit(ExitCode.CHECK_FAILED)


def _check_request(data: Path | None, engines: str | None, need_data: list[Any]) -> None:
    from gdq_core.errors import RequestError

    if data is None and engines is None:
        raise RequestError("name pictures (--data DIR), or engines to compare (--engines all)")
    if data is None and any(option is not None for option in need_data):
        raise RequestError(
            "--html, --checkpoint, --against-chance and bars need pictures: --data DIR"
        )


def _check_contest(request: Request) -> None:
    from gdq_core.errors import RequestError

    if request.bits != "auto" or request.fab_cap is not None or request.policy != "uniform":
        raise RequestError(
            "--against-chance turns the dial on tiles of one size: leave --bits, --fab-cap and "
            "--policy out"
        )


def _check_data(data: Path, scale: int) -> None:
    """Find unusable pictures before engines and torch are loaded; say which are skipped."""
    from gdq_core.cli.folders import say_passed_over
    from gdq_validate.ground_truth import list_ground_truth

    list_ground_truth(data, scale)
    for folder in (data, data / f"HR_x{scale}", data / f"LR_x{scale}"):
        say_passed_over(folder)


def _compare(
    bundle: Bundle, engines: str, data: Path | None, threads: int | None
) -> list[Agreement]:
    """Compare engines; announced on standard error, because it is slow and otherwise silent."""
    from gdq_validate.comparison import (
        compare_golden_tiles,
        compare_pictures,
        present_engines,
    )
    from gdq_validate.ground_truth import list_ground_truth

    names = present_engines(bundle, engines, say)
    say(f"comparing {', '.join(names)} ...")
    agreements = list(compare_golden_tiles(bundle, names))
    if data is not None:
        truths = list_ground_truth(data, bundle.manifest.network.scale)
        agreements += compare_pictures(bundle, names, truths, threads)
    return agreements


def _as_json(report: ValidationReport | None, agreements: list[Agreement]) -> str:
    if report is not None:
        return report.model_dump_json(indent=1) + "\n"
    engines = [agreement.model_dump(mode="json") for agreement in agreements]
    return json.dumps({"engines": engines}, indent=1) + "\n"


def _validate(
    bundle: Bundle,
    data: Path,
    checkpoint: Path | None,
    request: Request,
    cards: list[Card] | None,
    engine: str | None,
    threads: int | None,
    *,
    against_chance: bool,
) -> ValidationReport:
    from gdq_core.cli.progress import TileProgress
    from gdq_core.errors import RequestError
    from gdq_runtime.engines.timed import open_timed_engine
    from gdq_runtime.tiles.workers import Workers
    from gdq_validate.chance.contest import Contest
    from gdq_validate.ground_truth import list_ground_truth
    from gdq_validate.report import summarise
    from gdq_validate.validation import Validator

    network, tiling = bundle.manifest.network, bundle.manifest.tiling
    if checkpoint is not None and bundle.small is not None:
        raise RequestError(
            f"--checkpoint compares with one network, and {bundle.path} has two: validate "
            f"{bundle.small.path} with the checkpoint of the small one"
        )
    truths = list_ground_truth(data, network.scale)
    reference = None if checkpoint is None else _open_torch(checkpoint, bundle)
    tile_size = tiling.size if request.policy == "uniform" else None
    runner = open_timed_engine(engine, bundle, tile_size)
    images: list[ImageReport] = []
    with closing(runner), closing(Workers(threads)) as workers:
        costs = None
        if request.policy == "uniform":
            costs = runner.find_costs(bundle, is_needed=request.asks_for_time)
        validator = Validator(bundle, runner, workers, request, reference, costs)
        contest = Contest(bundle, runner, workers, costs, request) if against_chance else None
        for truth in truths:
            low, high = truth.load()
            with TileProgress(truth.name) as progress:
                made = validator.upscale(low, high, progress)
            images.append(validator.judge(truth.name, made))
            if contest is not None:
                contest.add(low, high)
            if cards is not None:
                from gdq_validate.pages.page import make_card

                cards.append(make_card(images[-1], made))
        for note in runner.report().notes:
            say(f"note: {note}")
        report = summarise(
            images,
            bundle=bundle.path.name,
            data=data.name,
            network=network.name,
            scale=network.scale,
            policy=request.policy,
            engine=runner.name,
            accelerator=runner.accelerator_used,
        )
        if contest is None:
            return report
        return report.model_copy(update={"against_chance": contest.judge()})


def _open_torch(checkpoint: Path, bundle: Bundle) -> Engine:
    """Load the checkpoint; only this needs torch."""
    from gdq_models import load_checkpoint
    from gdq_validate.engines.torch_engine import TorchEngine

    loaded = load_checkpoint(checkpoint, scale=bundle.manifest.network.scale)
    if loaded.sha256 != bundle.manifest.checkpoint.sha256:
        say(f"note: {bundle.path} was exported from a file other than {checkpoint}")
    return TorchEngine(loaded.network)


def _missed_bars(
    report: ValidationReport, min_psnr: float | None, max_fab: float | None, max_loss: float | None
) -> list[str]:
    """Check all bars, so that one run reports everything."""
    missed = []
    if min_psnr is not None and report.psnr_y < min_psnr:
        missed.append(f"missed: PSNR {report.psnr_y:.3f} dB is below {min_psnr}")
    if max_fab is not None and report.fab > max_fab:
        missed.append(f"missed: FAB {report.fab:.3f} is above {max_fab}")
    if max_loss is not None and report.loss_db > max_loss:
        missed.append(f"missed: {report.loss_db:.4f} dB below all-8-bit is more than {max_loss}")
    return missed


if __name__ == "__main__":
    main()
