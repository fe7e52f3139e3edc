"""``gdq-upscale``: bundle + pictures -> larger pictures."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdq_core.cli import options
from gdq_core.cli.command import Command
from gdq_core.cli.errors import ExitCode, print_result, say, say_error
from gdq_core.cli.native_output import silence_native_libraries
from gdq_core.cli.progress import TileProgress
from gdq_core.errors import GdqError

if TYPE_CHECKING:
    from gdq_runtime.cli.jobs import Job
    from gdq_runtime.pipeline import FileResult, Upscaler
    from gdq_runtime.routing.request import FlatTilesChoice, Request
    from gdq_runtime.tiles.tiling import Policy

EPILOG = """\b
Examples:
  gdq-upscale photo.jpg -b edsr_x2 -o photo_x2.png
  gdq-upscale photo.png -b edsr_x2 -o photo_x2.png --bit-map map.png
  gdq-upscale photos/ -b edsr_x2 -o larger/ --threads 4
  gdq-upscale photo.jpg -b edsr_x2 -o photo_x2.png --max-loss 0.05
  gdq-upscale photo.jpg -b edsr_x2 -o photo_x2.png --speed 1.5x
  gdq-upscale photos/ -b edsr_x2 -o larger/ --max-seconds 2
  gdq-upscale a.png b.png -b edsr_x2 -o larger/ --bits 8 --format json

\b
Read: PNG, JPEG, TIFF, BMP, WebP. Written: PNG, JPEG, TIFF.
Interlaced PNG, progressive JPEG, WebP and pictures that EXIF turns are
decoded whole; all others stream, whatever their height.

\b
What a tile costs at each bit-width is measured when a bundle is first used on
a device, and kept in the user's cache folder; a bit-width that a larger one is
as fast as there gives way to it.

\b
Exit code: 0 done, 2 a picture or an option was refused (the other
pictures are done), 130 interrupted.
"""


@click.command(cls=Command, epilog=EPILOG)
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=options.PATH)
@options.bundle_option
@click.option(
    "-o",
    "--output",
    required=True,
    type=options.PATH,
    help="Picture to write (.png, .jpg, .tif); a folder for several images or a folder of them.",
)
@options.bits_option
@options.fab_option
@options.fab_cap_option
@click.option(
    "--max-loss",
    type=float,
    metavar="DB",
    help="Instead of --bits: spend as little time as loses at most so many dB against all at 8 "
    "bits.",
)
@options.speed_option
@click.option(
    "--max-seconds",
    type=float,
    metavar="SECONDS",
    help="Instead of --bits: take at most so long for each picture, by what tiles cost on this "
    "device, with the least loss.",
)
@options.flat_tiles_option
@click.option(
    "--bit-map",
    type=options.PATH,
    help="Draw the tiles' bit-widths over the picture: a file, or a folder as for --output.",
)
@options.threads_option
@options.policy_option
@options.engine_option
@options.overwrite_option
@options.format_option
def main(
    images: tuple[Path, ...],
    bundle: Path,
    output: Path,
    bits: str,
    fab: float | None,
    fab_cap: float | None,
    max_loss: float | None,
    speed: float | None,
    max_seconds: float | None,
    flat_tiles: FlatTilesChoice | None,
    bit_map: Path | None,
    policy: Policy,
    overwrite: bool,
    output_format: str,
    **engine_settings: Any,
) -> None:
    """Upscale IMAGE, several of them, or a folder of pictures, with a bundle."""
    with silence_native_libraries():
        from gdq_core.cli.folders import say_passed_over
        from gdq_runtime.cli.jobs import make_folders, plan_jobs
        from gdq_runtime.pipeline import Upscaler
        from gdq_runtime.routing.request import Request

        one_width: Any = "auto" if bits == "auto" else int(bits)
        request = Request(
            bits=one_width,
            fab=fab,
            max_loss=max_loss,
            speed=speed,
            max_seconds=max_seconds,
            flat_tiles=flat_tiles,
            policy=policy,
            fab_cap=fab_cap,
        )
        jobs = plan_jobs(images, bundle, output, bit_map)
        for image in images:
            say_passed_over(image)
        with Upscaler.open(bundle, policy=policy, **engine_settings) as upscaler:
            # A request that the bundle cannot fulfil is one error, not one for each picture.
            upscaler.check(request)
            make_folders(jobs, images)
            answers = [_run(upscaler, job, request, overwrite, output_format) for job in jobs]
            engine = upscaler.engine_report()
    for note in engine.notes:
        say(f"note: {note}")
    if output_format == "json":
        described = asdict(engine) | {"notes": engine.notes}
        print_result(json.dumps({"engine": described, "images": answers}, indent=1))
    if any("error" in answer for answer in answers):
        sys.exit(ExitCode.REFUSED)


def _run(
    upscaler: Upscaler, job: Job, request: Request, overwrite: bool, output_format: str
) -> dict[str, Any]:
    """Upscale one picture; an error is reported and does not stop the others."""
    try:
        with TileProgress(job.source.name) as progress:
            result = upscaler.upscale_file(
                job.source,
                job.target,
                request,
                bit_map=job.bit_map,
                overwrite=overwrite,
                progress=progress,
            )
    except GdqError as error:
        say_error(error)
        return {"source": str(job.source), "error": str(error)}
    if output_format == "text":
        print_result(_as_text(result))
    return _as_json(result)


def _as_text(result: FileResult) -> str:
    from gdq_core.bit_widths import name_of_route
    from gdq_runtime.bit_map import count_bit_widths

    tiles = count_bit_widths(result.bit_map)
    widths = ", ".join(f"{count} x {name_of_route(route)}" for route, count in tiles.items())
    lines = [
        f"{result.target}: {result.size[0]}x{result.size[1]} -> "
        f"{result.output_size[0]}x{result.output_size[1]}, FAB {result.fab:.2f} "
        f"(tiles x bits: {widths}), {result.timings.elapsed:.2f} s",
        *_describe_choice(result),
        *(f"  note: {note}" for note in result.notes),
    ]
    return "\n".join(lines)


def _describe_choice(result: FileResult) -> list[str]:
    lines = []
    if result.network_fab != result.fab:
        lines.append(
            f"  tiles of 0 bits are interpolated; FAB of the others {result.network_fab:.2f}"
        )
    if result.expected_loss is not None:
        lines.append(f"  expected loss {result.expected_loss:.3f} dB against all tiles at 8 bits")
    if (spending := result.spending) is not None:
        lines.append(
            f"  {1000 * spending.tile_seconds:.1f} ms a tile, {spending.speed:.2f} times as fast "
            "as all tiles at 8 bits"
        )
        if spending.expected_seconds is not None:
            lines.append(f"  expected to take {spending.expected_seconds:.3g} s")
    return lines


def _as_json(result: FileResult) -> dict[str, Any]:
    from gdq_runtime.bit_map import count_bit_widths

    spending = result.spending
    return {
        "source": str(result.source),
        "target": str(result.target),
        "size": result.size,
        "output_size": result.output_size,
        "fab": result.fab,
        "network_fab": result.network_fab,
        "expected_loss_db": result.expected_loss,
        "milliseconds_per_tile": None if spending is None else 1000 * spending.tile_seconds,
        "speed": None if spending is None else spending.speed,
        "expected_seconds": None if spending is None else spending.expected_seconds,
        "dial": _dial_as_json(result),
        "tiles": count_bit_widths(result.bit_map),
        "seconds": asdict(result.timings),
        "notes": result.notes,
    }


def _dial_as_json(result: FileResult) -> Any:
    from gdq_runtime.routing.pair_dial import PairPosition
    from gdq_runtime.routing.price_dial import PricePosition

    if isinstance(result.dial, PairPosition):
        return {"db_per_tile": result.dial.decibels_per_tile}
    if not isinstance(result.dial, PricePosition):
        return result.dial
    return {
        "db_per_bit": result.dial.decibels_per_bit,
        "db_per_millisecond": result.dial.decibels_per_millisecond,
    }


if __name__ == "__main__":
    main()
