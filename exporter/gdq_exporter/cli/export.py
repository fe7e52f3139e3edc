"""``gdq-export``: checkpoint -> bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdq_core.cli.command import Command
from gdq_core.cli.errors import print_result, say
from gdq_core.cli.folders import say_passed_over
from gdq_core.cli.native_output import silence_native_libraries
from gdq_core.cli.options import PATH, format_option, overwrite_option
from gdq_core.cli.packages import require_packages
from gdq_exporter.config import DEFAULT_PROFILE, FORMATS, PROFILES, ExportConfig

if TYPE_CHECKING:
    from gdq_exporter.checks.results import CheckResults
    from gdq_exporter.pipeline import ExportResult

EPILOG = """\b
Examples:
  gdq-export models/zoo/edsr_baseline_x2/edsr_baseline_x2.safetensors -o edsr_x2
  gdq-export edsr_baseline_x2.safetensors --with edsr_mobile_x2.safetensors -o both_x2
  gdq-export srresnet_x2.pt --entropy-table E2B.json -o bundle --tile 128
  gdq-export model.safetensors -o bundle --calibration photos/ --overwrite
  gdq-export model.safetensors -o bundle --formats tflite --measure-memory
"""

PACKAGES = ("torch", "safetensors", "onnx", "onnx_ir", "onnxscript", "jinja2", "skimage")


class _Scale(click.ParamType[Any]):
    name = "scale"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | None:
        """Turn 'auto' into None, anything else into an integer."""
        if value is None or value == "auto":
            return None
        if str(value).isdecimal() and 1 <= int(value) <= 8:
            return int(value)
        return self.fail(f"{value!r} is neither 'auto' nor a whole number from 1 to 8", param, ctx)


class _Formats(click.ParamType[Any]):
    name = "formats"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        """Split words at commas into a tuple."""
        return value if isinstance(value, tuple) else tuple(str(value).split(","))


@click.command(cls=Command, epilog=EPILOG)
@click.argument("checkpoint", type=PATH)
@click.option(
    "-o", "--output", "bundle", required=True, type=PATH,
    help="Folder to create.",
)  # fmt: skip
@click.option(
    "--with", "small", type=PATH, metavar="SMALL",
    help="Checkpoint of a smaller network of the same scale: tiles that it upscales well enough "
    "go to it, and only the others to CHECKPOINT.",
)  # fmt: skip
@click.option(
    "--tile", default=96, show_default=True, help="Side of a tile in low-resolution pixels."
)  # fmt: skip
@click.option(
    "--overlap", default=6, show_default=True,
    help="Low-resolution pixels that neighbouring tiles share.",
)  # fmt: skip
@click.option(
    "--scale", type=_Scale(), default="auto", show_default=True,
    help="Refuse a checkpoint whose upscaling factor is another.",
)  # fmt: skip
@click.option(
    "--calibration", type=PATH, metavar="DIR",
    help="Folder of photos like those you will upscale.  [default: scikit-image's samples]",
)  # fmt: skip
@click.option(
    "--trade-off-tiles", default=48, show_default=True, metavar="N",
    help="Tiles to measure the bit budget on; a core takes 3 per second.",
)  # fmt: skip
@click.option(
    "--entropy-table", type=PATH, metavar="JSON",
    help="E2B.json, for a checkpoint that holds only quantiles (the released one).",
)  # fmt: skip
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), default=DEFAULT_PROFILE, show_default=True,
    help="Which parts behind the quantized body run in integers; see docs/bundle.md.",
)  # fmt: skip
@click.option(
    "--formats", type=_Formats(), metavar="LIST",
    help=f"Formats to write, of {','.join(FORMATS)}; the first one makes the golden tiles.  "
    "[default: all that can express the network]",
)  # fmt: skip
@click.option(
    "--onnx-embed-weights", is_flag=True,
    help="Write every ONNX graph with its weights inside: it loads from bytes, such as an app's "
    "asset, and NNAPI takes it, but each holds them again.",
)  # fmt: skip
@click.option(
    "--measure-memory", is_flag=True,
    help="Also report the memory that each graph takes; a second per graph and engine.",
)  # fmt: skip
@overwrite_option
@format_option
def main(checkpoint: Path, bundle: Path, output_format: str, **settings: Any) -> None:
    """Turn a Granular-DQ CHECKPOINT into a bundle: predictor and one subgraph per bit-width."""
    with silence_native_libraries():
        from gdq_exporter.request import check_request

        require_packages("gdq-export", "export", *PACKAGES)
        config = ExportConfig(**settings)
        check_request(checkpoint, bundle, config)
        if config.calibration is not None:
            say_passed_over(config.calibration)
        # torch takes seconds to import; a wrong option or path should not.
        from gdq_exporter.pipeline import export

        result = export(checkpoint, bundle, config, progress=_say)
    if (warning := result.checks.routing.warning) is not None:
        say(f"warning: {warning}")
    if output_format == "json":
        print_result(json.dumps(_as_json(result), indent=1))
    else:
        print_result(_as_text(result))


def _say(message: str) -> None:
    say(f"{message} ...")


def _as_json(result: ExportResult) -> dict[str, Any]:
    from gdq_exporter.report import describe

    return {
        "bundle": str(result.bundle),
        "seconds": round(result.seconds, 2),
        "network": result.manifest.network.model_dump(),
        **describe(result.manifest, result.checks),
    }


def _as_text(result: ExportResult) -> str:
    manifest, checks = result.manifest, result.checks
    lines = [
        f"{result.bundle}: {manifest.network.name} x{manifest.network.scale}, "
        f"{sum(entry.size for entry in manifest.files) / 1e6:.2f} MB, {result.seconds:.1f} s",
        "",
        "engine       bits  torch dB  exported dB   loss",
    ]
    for engine, parity in checks.parity.items():
        lines += [
            f"{engine:11}  {width.bit_width:4d}  {width.reference_psnr:8.2f}  "
            f"{width.exported_psnr:11.2f}  {width.loss:5.3f}"
            for width in parity.widths
        ]
    lines += ["", *_describe_checks(result.checks), ""]
    lines += [f"{entry.size:>10,}  {entry.path}" for entry in manifest.files]
    lines += ["", f"next: gdq-upscale PHOTO -b {result.bundle} -o upscaled.png"]
    return "\n".join(lines)


def _describe_checks(checks: CheckResults) -> list[str]:
    from gdq_exporter.targets.registry import all_targets

    lines = [f"{name}: written but unproved: {reason}" for name, reason in checks.unproved.items()]
    for engine, parity in checks.parity.items():
        agreeing = parity.tiles - len(parity.undecided)
        lines.append(f"{engine}: bit-widths equal torch's on {agreeing} of {parity.tiles} tiles")
    for target in all_targets():
        if any(checks.findings[section] for section in target.sections):
            lines += target.summarise(checks.findings)
    for engine, graphs in checks.memory.items():
        sizes = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in graphs.items())
        lines.append(f"{engine}: memory: {sizes}")
    lines += [
        f"{one.engine}: {100 * one.equal:.2f} % of the golden samples are equal, "
        f"{100 * one.beyond_one:.3f} % differ by more than 1"
        for one in checks.agreement
    ]
    return lines


if __name__ == "__main__":
    main()
