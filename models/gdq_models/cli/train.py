"""``gdq-train``: from a recipe and photos to a checkpoint."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdq_core.cli.command import Command
from gdq_core.cli.errors import ExitCode, print_result, say
from gdq_core.cli.folders import say_passed_over
from gdq_core.cli.options import PATH
from gdq_core.cli.packages import require_packages

if TYPE_CHECKING:
    from gdq_models.training.run import TrainingResult

EPILOG = """\b
Examples:
  gdq-train models/recipes/smoke.yaml --photos photos/ -o run
  gdq-train models/recipes/edsr_baseline_x2.yaml --photos DIV2K/ --weights edsr.safetensors -o run
  gdq-train models/recipes/edsr_baseline_x2.yaml --photos DIV2K/ -o run --resume
"""

PACKAGES = ("torch", "safetensors", "lightning", "tensorboard", "yaml")


@click.command(cls=Command, epilog=EPILOG)
@click.argument("recipe", type=PATH)
@click.option(
    "--photos", required=True, type=PATH, metavar="DIR",
    help="Photos to train on, searched with sub-folders; of DIV2K, only DIV2K_train_HR is used.",
)  # fmt: skip
@click.option(
    "-o", "--output", "folder", required=True, type=PATH, metavar="DIR",
    help="Folder of the run: checkpoint, metrics, TensorBoard log, and what --resume needs.",
)  # fmt: skip
@click.option(
    "--weights", type=PATH, metavar="FILE",
    help="Checkpoint to start from.  [default: from scratch]",
)  # fmt: skip
@click.option(
    "--cache", type=PATH, metavar="DIR",
    help="Folder for the decoded photos (about 4 bytes per pixel).  [default: OUTPUT/photos]",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue the interrupted run in OUTPUT.")
@click.option(
    "--accelerator", default="auto", show_default=True, metavar="NAME",
    help="What to train on, as Lightning names it: cpu, gpu ...",
)  # fmt: skip
@click.option(
    "--devices", default="auto", show_default=True, metavar="N", help="Number of accelerators."
)
@click.option("--nodes", default=1, show_default=True, metavar="N", help="Number of machines.")
@click.option(
    "--strategy", default="auto", show_default=True, metavar="NAME",
    help="How processes work together, as Lightning names it: ddp ...",
)  # fmt: skip
@click.option(
    "--threads", type=click.IntRange(min=1), metavar="N",
    help="Threads that torch uses.  [default: torch's choice]",
)  # fmt: skip
@click.option(
    "--format", "output_format", type=click.Choice(["table", "json"]), default="table",
    show_default=True, help="Format of the result on standard output.",
)  # fmt: skip
def main(
    recipe: Path,
    photos: Path,
    folder: Path,
    weights: Path | None,
    cache: Path | None,
    resume: bool,
    threads: int | None,
    output_format: str,
    **machine: Any,
) -> None:
    """Train a Granular-DQ network by RECIPE (YAML) in four stages: float, widths, gate, finish.

    Ctrl-C (or SIGTERM, or SIGHUP) saves and stops after the current step; --resume continues from
    there, with the same result as without the interruption.
    """
    require_packages("gdq-train", "train", *PACKAGES)
    from gdq_models.training.photo_index import training_folder
    from gdq_models.training.recipe import load_recipe
    from gdq_models.training.run_folder import Run, check_run

    read = load_recipe(recipe)
    run = Run(photos, folder, cache or folder / "photos", weights, recipe)
    check_run(read, run, resume=resume)
    say_passed_over(training_folder(photos), deep=True)
    # Lightning takes seconds to import; printing --help or refusing a wrong path should not.
    import torch

    from gdq_models.training.errors import TrainingInterrupted
    from gdq_models.training.run import Machine, train

    # Silences a description of the machine, and an advertisement.
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        result = train(read, run, Machine(**machine), resume=resume, progress=_show_progress)
    except TrainingInterrupted as error:
        say(f"{error}; --resume continues the run")
        sys.exit(ExitCode.INTERRUPTED)
    if result is not None:  # otherwise this is not the first of several processes
        print_result(_as_json(result) if output_format == "json" else _as_table(result))


def _show_progress(done: int, of_all: int) -> None:
    say(f"\rdecoding photos: {done} of {of_all}", nl=done == of_all)


def _as_json(result: TrainingResult) -> str:
    return json.dumps(
        {
            "checkpoint": str(result.checkpoint),
            "metrics": str(result.metrics),
            "held_out": None if result.measurement is None else asdict(result.measurement),
        },
        indent=1,
    )


def _as_table(result: TrainingResult) -> str:
    lines = [f"{result.checkpoint}", f"{result.metrics}"]
    if (measured := result.measurement) is not None:
        lines += [
            "",
            f"{measured.tiles} held-out tiles     bits  PSNR (Y)",
            f"{'float':>20}  {'':>6}  {measured.teacher:8.2f}",
            *(
                f"{'':>20}  {width:6d}  {decibel:8.2f}"
                for width, decibel in measured.by_bit_width.items()
            ),
            f"{'routed':>20}  {measured.fab:6.2f}  {measured.routed:8.2f}",
            f"{'at random':>20}  {measured.fab:6.2f}  {measured.random_gate:8.2f}",
        ]
    return "\n".join([*lines, "", f"next: gdq-export {result.checkpoint} -o bundle"])


if __name__ == "__main__":
    main()
