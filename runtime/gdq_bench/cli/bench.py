"""``gdq-bench``: bundle + device -> times of all engines, side by side."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdq_bench.cli.verbs import CommandWithVerbs
from gdq_core.cli import options
from gdq_core.cli.errors import ExitCode, say_error
from gdq_core.cli.native_output import silence_native_libraries
from gdq_core.cli.packages import require_packages
from gdq_core.errors import RequestError

if TYPE_CHECKING:
    from gdq_bench.cli.outputs import Outputs
    from gdq_bench.protocol import BenchResult

HOST = "host"

EPILOG = """\b
Examples:
  gdq-bench edsr_x2
  gdq-bench edsr_x2 --data Set14 --json result.json --html result.html
  gdq-bench edsr_x2 --engines onnxruntime,openvino --repeats 10
  gdq-bench edsr_x2 --device --json phone.json --html phone.html
  gdq-bench edsr_x2 --device all --cores big --sustained 10m

\b
Verbs, each with a --help of its own:
  gdq-bench devices                  phones that adb sees
  gdq-bench compare A.json B.json    which rows are faster, slower, the same
  gdq-bench app --from-app           the result that the demo app measured

\b
DIR holds subfolders HR_xS and LR_xS with the same file names, or photos, which
are made smaller by antialiased bicubic interpolation.

\b
Keep the machine quiet. Exit code: 0 done (the result says whether it is
valid), 1 an engine does not compute what the bundle promises and has no
times, a phone was lost before its first round was complete, or with --strict
the result is not valid, 2 an input, an option or a device was refused, 130
interrupted.
"""


def _parse_seconds(text: str) -> float:
    """Read 90s, 10m or 1h."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)", text)
    seconds = float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]] if match else 0
    if not 1 <= seconds <= 86400:
        raise click.BadParameter(f"{text!r} is not a time between 1s and 24h, as 10m is")
    return seconds


@click.command(cls=CommandWithVerbs, epilog=EPILOG)
@click.argument("bundle", type=options.PATH)
@click.option(
    "--device", is_flag=False, flag_value="", default=HOST, metavar="[SERIAL,...|all|host]",
    help="This computer, or phones by their adb serial; without a value, the only phone.  "
    "[default: host]",
)  # fmt: skip
@click.option("--host", is_flag=True, help="The same as --device host.")
@click.option(
    "--data", type=options.PATH, metavar="DIR",
    help="Ground truth of whole pictures.  [default: a mosaic of scikit-image's sample photos, 2K]",
)  # fmt: skip
@click.option(
    "--engines", metavar="all|NAME,...", default="all", show_default=True,
    help="Engines of gdq-upscale, and openvino; all leaves out what is not installed. On phones, "
    "it is gdq and every --peer.",
)  # fmt: skip
@click.option(
    "--repeats", type=click.IntRange(min=1), default=5, show_default=True,
    help="Rounds of whole pictures that count; single tiles get eight times as many.",
)  # fmt: skip
@click.option(
    "--cores", metavar="all|big|mid|little|MASK", default="all", show_default=True,
    help="Phone: the cluster to measure, or all, each apart.",
)  # fmt: skip
@click.option(
    "--cool", type=click.FloatRange(20, 90), metavar="DEGREES",
    help="Phone: measure only while nothing is hotter.  [default: until thermal status is 0]",
)  # fmt: skip
@click.option(
    "--cooling", type=_parse_seconds, metavar="TIME", default="5m", show_default=True,
    help="Phone: how long to wait until it is cool.",
)  # fmt: skip
@click.option(
    "--wait", type=_parse_seconds, metavar="TIME", default="2m", show_default=True,
    help="Phone: how long to wait if the cable is out.",
)  # fmt: skip
@click.option(
    "--sustained", type=_parse_seconds, metavar="TIME",
    help="Phone: also so long without a pause, e.g. 10m, for a curve of speed and heat.",
)  # fmt: skip
@click.option(
    "--peer", "peers", multiple=True, metavar="NAME=FILE",
    help="Phone: another engine (ort, tflite) from its AAR or library; needs --program.",
)  # fmt: skip
@click.option(
    "--accelerator", type=click.Choice(["cpu", "nnapi"]), default="cpu", show_default=True,
    help="Phone: what peers are asked to run on.",
)  # fmt: skip
@click.option(
    "--program", type=options.PATH, metavar="FILE",
    help="Phone: a gdq_run for it, instead of one that is built here once.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit code 1 if the result is not valid.")
@click.option(
    "--json", "json_file", type=options.PATH,
    help="Write everything to a file; of several phones, one each.",
)  # fmt: skip
@click.option("--html", "html_file", type=options.PATH, help="Write a page with plots, likewise.")
@options.overwrite_option
def main(
    bundle: Path,
    device: str,
    host: bool,
    data: Path | None,
    engines: str,
    repeats: int,
    cores: str,
    cool: float | None,
    cooling: float,
    wait: float,
    sustained: float | None,
    peers: tuple[str, ...],
    accelerator: str,
    program: Path | None,
    strict: bool,
    json_file: Path | None,
    html_file: Path | None,
    overwrite: bool,
) -> None:
    """Measure a BUNDLE: all engines in turn, one tile and whole pictures, pinned to processors."""
    if host and device != HOST:
        raise RequestError("--host and --device name two targets: choose one")
    if html_file is not None:
        require_packages("--html", "bench", "jinja2")
    with silence_native_libraries():
        from gdq_bench.cli.outputs import Outputs

        inputs = tuple(path for path in (bundle, data, program) if path is not None)
        outputs = Outputs(json_file, html_file, inputs, overwrite)
        if device == HOST:
            if (sustained, peers, program, cores, accelerator) != (None, (), None, "all", "cpu"):
                raise RequestError(
                    "--cores, --sustained, --peer, --accelerator and --program are for phones: "
                    "name one (--device)"
                )
            results = [_measure_host(bundle, data, engines, repeats, outputs)]
            has_failed = False
        else:
            from gdq_bench.cli.phones import Wishes, measure_phones
            from gdq_bench.targets.phone.session import Patience

            patience = Patience(away=wait, cooling=cooling, cool=cool)
            wishes = Wishes(
                bundle, device, data, repeats, cores, patience, sustained, peers, accelerator,
                program,
            )  # fmt: skip
            results, has_failed = measure_phones(wishes, outputs)
    _conclude(results, has_failed, strict)


def _measure_host(
    path: Path, data: Path | None, engines: str, repeats: int, outputs: Outputs
) -> BenchResult:
    from gdq_bench.targets.host import Plan, measure_host
    from gdq_core.cli.folders import say_passed_over
    from gdq_core.cli.progress import TileProgress
    from gdq_runtime.bundle.reader import Bundle

    outputs.check()
    plan = Plan(engines, data, repeats)
    if data is not None:
        say_passed_over(data)
    result = measure_host(Bundle.open(path), plan, TileProgress)
    outputs.show(result)
    return result


def _conclude(results: Sequence[BenchResult], has_failed: bool, strict: bool) -> None:
    """Leave with the exit code that the worst of the results has."""
    wrong = list(dict.fromkeys(name for result in results for name in result.wrong))
    if wrong:
        say_error(f"wrong outputs, not timed: {', '.join(wrong)}")
    empty = [result for result in results if not (result.wrong or result.tiles or result.pictures)]
    for result in empty:
        say_error(f"nothing was measured: {_find_end(result)}")
    if has_failed and not wrong:
        sys.exit(ExitCode.REFUSED)
    if wrong or empty:
        sys.exit(ExitCode.CHECK_FAILED)
    if strict and (invalid := [result for result in results if not result.is_valid]):
        say_error(f"not valid: {invalid[0].reasons[0].sentence}")
        sys.exit(ExitCode.CHECK_FAILED)


def _find_end(result: BenchResult) -> str:
    """Say why a measurement ended before its first round was complete."""
    ends = [one.sentence for one in result.reasons if one.kind in ("cable lost", "killed")]
    return ends[0] if ends else "no round was complete"


if __name__ == "__main__":
    main()
