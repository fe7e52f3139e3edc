"""Measures on the phones that were named, and shows what became of each."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gdq_bench.cli.outputs import Outputs
from gdq_bench.protocol import BenchResult
from gdq_bench.targets.host import Plan, describe_settings, find_pictures
from gdq_bench.targets.phone.inputs import is_for_phones, parse_peer, write_inputs
from gdq_bench.targets.phone.measure import PhonePlan, measure_phone
from gdq_bench.targets.phone.session import Patience
from gdq_bench.targets.phone.several import Outcome, measure_all
from gdq_core.cli.errors import say, say_error
from gdq_core.errors import BundleError, RequestError
from gdq_devices.adb.client import Client, find_client
from gdq_devices.adb.listing import choose_devices, choose_one, list_devices, name_for_files
from gdq_devices.errors import SetupError
from gdq_devices.program import Target, build_program
from gdq_runtime.bundle.reader import Bundle
from gdq_validate.agreement import read_picture

_TARGET: Target = "aarch64-linux-musl"


@dataclass(frozen=True)
class Wishes:
    """What was asked for, as the options of gdq-bench have it.

    Attributes:
        bundle: folder of the bundle.
        device: serials with commas, "all", or "" for the only one.
        data: folder of ground truth, or None for the sample photos.
        repeats: rounds of whole pictures.
        cores: clusters to measure.
        patience: how long to wait for a phone.
        sustained: seconds without a pause, or None.
        peers: NAME=FILE each.
        accelerator: what peers are asked for.
        program: a gdq_run for phones, or None to build one.

    """

    bundle: Path
    device: str
    data: Path | None
    repeats: int
    cores: str
    patience: Patience
    sustained: float | None
    peers: Sequence[str]
    accelerator: str
    program: Path | None


def measure_phones(wishes: Wishes, outputs: Outputs) -> tuple[list[BenchResult], bool]:
    """Measure, print and write; return the results, and whether a phone has none.

    Raises:
        BundleError: the bundle lacks what phones need.
        ImageError: the picture cannot be used.
        OutputError: a result has no place.
        RequestError: an option is wrong, or the program cannot be built.
        ProgramError: no phone can be used.

    """
    bundle = Bundle.open(wishes.bundle)
    bundle.require("engine", "gdq")
    if not bundle.manifest.golden:
        raise BundleError(f"{bundle.path} holds no golden tiles to measure with: export it again")
    peers = [parse_peer(text) for text in wishes.peers]
    if peers and wishes.program is None:
        raise RequestError(
            "--peer needs a gdq_run that loads libraries, built with the NDK (docs/gdq_run.md): "
            "name it with --program"
        )
    if wishes.accelerator != "cpu" and not peers:
        raise RequestError(
            f"--accelerator {wishes.accelerator} is for peers: our engine runs on the CPU; name "
            "one (--peer), or leave it out"
        )
    if wishes.accelerator != "cpu" and any(peer.name == "tflite" for peer in peers):
        raise RequestError(
            f"--accelerator {wishes.accelerator}: TensorFlow Lite is measured on the CPU only: "
            "leave out --accelerator, or --peer tflite"
        )
    stop = threading.Event()
    client = find_client(stop)
    serials = _choose(client, wishes.device)
    places = {
        serial: outputs.of(name_for_files(serial)) if len(serials) > 1 else outputs
        for serial in serials
    }
    for place in places.values():
        place.check()
    with tempfile.TemporaryDirectory(prefix="gdq-bench.") as name:
        folder = Path(name)
        truth, *others = find_pictures(wishes.data, bundle.manifest.network.scale, folder)
        (folder / "phone").mkdir()
        inputs = write_inputs(
            bundle, truth, _find_program(wishes.program), peers, wishes.accelerator,
            folder / "phone",
        )  # fmt: skip
        tile = read_picture(bundle.file(bundle.manifest.golden[0].tile))
        plan = Plan("all", wishes.data, wishes.repeats)
        settings = describe_settings(bundle, plan, [inputs.picture], tile)
        if others:
            say(f"note: of {len(others) + 1} pictures, phones are measured on {truth.name} alone")
        phone_plan = PhonePlan(wishes.cores, wishes.repeats, wishes.sustained, wishes.patience)

        def measure(serial: str) -> BenchResult:
            tell = partial(_tell, serial)
            return measure_phone(
                client, serial, phone_plan, inputs, settings, bundle.manifest, tell
            )

        outcomes = measure_all(serials, measure, stop)
    return _show(outcomes, places)


def _choose(client: Client, device: str) -> list[str]:
    listed = list_devices(client)
    if not device:
        return [choose_one(listed, device)]
    return [one.serial for one in choose_devices(listed, device)]


def _find_program(given: Path | None) -> Path:
    if given is None:
        try:
            return build_program(_TARGET, say)
        except SetupError as error:
            raise RequestError(f"the program for phones cannot be built: {error}") from error
    if not given.is_file():
        raise RequestError(f"--program: there is no file {given}")
    if not is_for_phones(given):
        raise RequestError(
            f"--program: {given} is no program for 64-bit ARM: leave it out, and one is built here"
        )
    return given


def _show(
    outcomes: dict[str, Outcome], places: dict[str, Outputs]
) -> tuple[list[BenchResult], bool]:
    results = []
    for serial, outcome in outcomes.items():
        if outcome.result is None:
            say_error(str(outcome.error))
        else:
            places[serial].show(outcome.result)
            results.append(outcome.result)
    return results, len(results) < len(outcomes)


def _tell(serial: str, sentence: str) -> None:
    say(f"{serial}: {sentence.removeprefix(f'{serial}: ')}")
