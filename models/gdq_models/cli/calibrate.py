"""``gdq-calibrate``: from a float network and photos to a checkpoint, without training."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdq_core.cli.command import Command
from gdq_core.cli.errors import print_result, say
from gdq_core.cli.folders import say_passed_over
from gdq_core.cli.options import PATH, format_option
from gdq_core.cli.packages import require_packages
from gdq_core.files.outputs import Output, check_outputs
from gdq_core.files.recognition import is_checkpoint
from gdq_core.pictures.folders import find_pictures

if TYPE_CHECKING:
    from gdq_models.fitting.pipeline import CalibrationResult

EPILOG = """\b
Examples:
  gdq-calibrate edsr_float.safetensors --images photos/ -o edsr_x2.safetensors
  gdq-calibrate edsr_float.safetensors -o edsr_x2.safetensors --target-fab 5.5
  gdq-calibrate trained.safetensors --keep-steps --images photos/ --tiles 600 -o x2.safetensors
  gdq-calibrate srresnet.pt --images photos/ -o srresnet_x2.safetensors --gate linear --overwrite
"""

LARGEST_TILE = 1024

PACKAGES = ("torch", "safetensors", "skimage")


@click.command(cls=Command, epilog=EPILOG)
@click.argument("weights", type=PATH, metavar="FLOAT")
@click.option(
    "-o", "--output", required=True, type=PATH, metavar="FILE", help="Checkpoint to write."
)
@click.option(
    "--images", "folder", type=PATH, metavar="DIR",
    help="Photos like those to be upscaled; sub-folders too.  [default: sample photos]",
)  # fmt: skip
@click.option(
    "--tile", type=click.IntRange(16, LARGEST_TILE), default=96, show_default=True,
    help="Side of a tile when deployed, in low-resolution pixels.",
)  # fmt: skip
@click.option(
    "--gate", type=click.Choice(["group_norm", "linear", "statistics"]), default="group_norm",
    show_default=True, help="The paper's gate, the released one, or heads on statistics of tiles.",
)  # fmt: skip
@click.option(
    "--target-fab", type=click.FloatRange(4, 8), default=4.6, show_default=True, metavar="BITS",
    help="Largest mean bit-width over all tiles, 4 to 8.",
)  # fmt: skip
@click.option(
    "--tiles", "count", type=click.IntRange(1, 100_000), default=288, show_default=True,
    metavar="N", help="Number of tiles to measure: one a second for EDSR-baseline on two cores.",
)  # fmt: skip
@click.option(
    "--keep-steps", is_flag=True,
    help="Keep the steps of a trained checkpoint: fit only gate and entropy rule.",
)  # fmt: skip
@click.option(
    "--threads", type=click.IntRange(min=1), metavar="N",
    help="Threads that torch uses.  [default: torch's choice]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing checkpoint.")
@format_option
def main(
    weights: Path,
    output: Path,
    folder: Path | None,
    tile: int,
    count: int,
    threads: int | None,
    overwrite: bool,
    output_format: str,
    **settings: Any,
) -> None:
    """Make a Granular-DQ checkpoint from FLOAT weights without training.

    FLOAT is one of ours, or of EDSR-PyTorch, BasicSR and others (docs/checkpoints.md).

    Steps for 4, 5, 6 and 8 bits, the entropy table and the gate are fitted to photos. This takes
    minutes; training (gdq-train) gives better pictures at few bits. With --keep-steps, a trained
    checkpoint gets a gate that is fitted to the measured error of every bit-width.
    """
    require_packages("gdq-calibrate", "export", *PACKAGES)
    _check_request(weights, output, folder, overwrite=overwrite)
    # torch takes seconds to import; printing --help or refusing a wrong path should not.
    import torch

    from gdq_models.checkpoint import load_float_checkpoint, save_checkpoint
    from gdq_models.fitting.photos import load_tiles
    from gdq_models.fitting.pipeline import calibrate

    if threads is not None:
        torch.set_num_threads(threads)
    network = load_float_checkpoint(weights).network
    tiles = load_tiles(folder, tile=tile, scale=network.scale, count=count)
    result = calibrate(network, tiles, progress=_show_progress, **settings)
    save_checkpoint(network, output, overwrite=overwrite)
    print_result(_as_json(result, output) if output_format == "json" else _as_text(result, output))


def _check_request(weights: Path, output: Path, folder: Path | None, *, overwrite: bool) -> None:
    """Refuse now what would otherwise be refused after seconds of loading or minutes of work."""
    from gdq_models.state_bytes import check_state_file

    inputs = [weights] if folder is None else [weights, folder]
    check_outputs([Output(output, "a checkpoint", is_checkpoint)], inputs, overwrite=overwrite)
    check_state_file(weights)
    if folder is not None:
        find_pictures(folder, deep=True)
        say_passed_over(folder, deep=True)


def _show_progress(stage: str, done: int, of_all: int) -> None:
    if sys.stderr.isatty():
        counted = f" {done} of {of_all}" if of_all > 1 else ""
        say(f"\r\x1b[K{stage}{counted} ...", nl=done == of_all)
    elif done == 0:
        say(f"{stage} ...")


def _as_json(result: CalibrationResult, output: Path) -> str:
    return json.dumps({"checkpoint": str(output), **asdict(result)}, indent=1)


def _as_text(result: CalibrationResult, output: Path) -> str:
    lines = [
        f"{output}: fitted to {result.tiles} tiles of {result.photos} photos ({result.source})",
        "",
        "              bits  PSNR (Y)  by chance  tiles at 4, 5, 6, 8 bits",
        f"float             {result.float_psnr:10.3f}",
        *(f"          {width:8d}{psnr:10.3f}" for width, psnr in result.psnr.items()),
    ]
    for name, routed in (("routed", result.fitted), ("  unseen", result.unseen)):
        if routed is not None:
            shares = "  ".join(f"{share:4.0%}" for share in routed.shares.values())
            numbers = f"{routed.fab:8.2f}{routed.psnr:10.3f}{routed.psnr_by_chance:11.3f}"
            lines.append(f"{name:10}{numbers}  {shares}")
    if result.losses is not None:
        lines += ["", *_describe_losses(result)]
    return "\n".join([*lines, "", f"next: gdq-export {output} -o bundle"])


def _describe_losses(result: CalibrationResult) -> list[str]:
    from gdq_models.fitting.sensitivity import ENOUGH_PHOTOS

    assert result.losses is not None
    losses, (low, high) = result.losses, result.losses.interval
    lines = [
        f"lost at {losses.fab:g} bits on unseen photos: {losses.predictor:.4f} dB, by chance "
        f"{losses.random:.4f}, by an oracle {losses.oracle:.4f}",
        f"that is {losses.ratio:.2f} of chance (95 %: {low:.2f} to {high:.2f})",
    ]
    if result.photos < ENOUGH_PHOTOS:
        lines.append(
            f"note: {result.photos} photos are few; with {ENOUGH_PHOTOS} or more the heads carry "
            "over to other pictures"
        )
    return lines


if __name__ == "__main__":
    main()
