"""Level 3 of the numerics contract on ARM64: the zoo's golden tiles on emulated processors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from arm64.answers import ANSWERS, Answer, EngineAnswer, Refusal
from arm64.golden_tiles import ENGINES, run_bundle
from gdq_devices.emulated.machine import CPUS, FOLDER, Machine
from gdq_exporter import ExportConfig, export
from gdq_runtime import Bundle
from gdq_runtime.bundle.manifest import Format
from runtime.tiny_bundle import read_manifest, seal, upscale, write_manifest, write_tiny_bundle

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINT = ROOT / "models/zoo/edsr_mobile_x2/edsr_mobile_x2.safetensors"
"""The smallest of the zoo: emulation is slow."""
TILE = 96
"""Side of the golden tiles: the one that the checkpoint's predictor was fitted to."""
PROGRAM = Path(__file__).with_name("golden_tiles.py")
LONGEST_RUN = 600.0
"""Seconds after which a processor counts as hung."""
FEATURES = {
    "cortex-a53": {"dot product": False, "int8 matrices": False},
    "cortex-a76": {"dot product": True, "int8 matrices": False},
    "cortex-a710": {"dot product": True, "int8 matrices": True},
}

# A test may wait for the export and for two processors, one after the other.
pytestmark = pytest.mark.timeout(3 * LONGEST_RUN)

Answers = dict[str, Future[Answer]]


@pytest.fixture(scope="session")
def machine() -> Machine:
    assert FOLDER.is_dir(), "the emulated machine is not set up: say make test-arm64"
    return Machine(FOLDER)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zoo") / "bundle"
    # The bit budget is not looked at, so it is measured on as little as possible. What reads these
    # formats has wheels for ARM64; the library of the engine gdq is compiled for this machine.
    formats: tuple[Format, ...] = ("onnx", "tflite")
    export(CHECKPOINT, folder, ExportConfig(tile=TILE, trade_off_tiles=1, formats=formats))
    return folder


@pytest.fixture(scope="session")
def answers(machine: Machine, bundle: Path, pytestconfig: pytest.Config) -> Iterator[Answers]:
    """Processor -> its answer, once it has come; as many are emulated at a time as there are."""
    come = pytestconfig.stash.setdefault(ANSWERS, {})
    # Without an emulator, for comparison.
    come["x86-64"] = Answer.model_validate(run_bundle(Bundle.open(bundle)))

    def run(cpu: str) -> Answer:
        come[cpu] = run_golden_tiles(machine, cpu, bundle)
        return come[cpu]

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        yield {cpu: pool.submit(run, cpu) for cpu in CPUS}


def run_golden_tiles(machine: Machine, cpu: str, bundle: Path) -> Answer:
    packages = [ROOT / "runtime"]
    printed = machine.run(cpu, PROGRAM, str(bundle), packages=packages, seconds=LONGEST_RUN)
    return Answer.model_validate_json(printed)


def answer_of(answers: Answers, cpu: str, engine: str) -> EngineAnswer:
    answer = answers[cpu].result().engines[engine]
    if isinstance(answer, Refusal):
        assert engine != "onnxruntime", answer.refusal
        pytest.skip(answer.refusal)
    return answer


@pytest.mark.parametrize("cpu", CPUS)
def test_runs_on_the_processor_asked_for(answers: Answers, cpu: str) -> None:
    answer = answers[cpu].result()
    assert (answer.machine, answer.features) == ("aarch64", FEATURES[cpu])
    assert tuple(answer.engines) == ENGINES


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cpu", CPUS)
def test_predicts_the_expected_bit_widths(
    answers: Answers, bundle: Path, cpu: str, engine: str
) -> None:
    answer = answer_of(answers, cpu, engine)
    assert len(answer.decisions) == len(Bundle.open(bundle).manifest.golden) > 0
    assert answer.wrong_decisions == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cpu", CPUS)
def test_outputs_keep_the_contract(answers: Answers, bundle: Path, cpu: str, engine: str) -> None:
    answer = answer_of(answers, cpu, engine)
    assert tuple(sorted(answer.differences)) == Bundle.open(bundle).bit_widths
    assert answer.widths_beyond_contract == []


def test_what_is_expected_wrongly_is_noticed(machine: Machine, tmp_path: Path) -> None:
    """A tile of 4 bits, expected rightly at 4 bits; at 8 bits one sample in 512 is 2 off."""
    tile = np.full((16, 16, 3), 20, np.uint8)
    wrong = upscale(tile, 8)
    wrong.reshape(-1)[::512] += 2
    folder = write_tiny_bundle(tmp_path / "bundle")
    pictures = {"tile.png": tile, "right.png": upscale(tile, 4), "wrong.png": wrong}
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    seal(folder)
    manifest = read_manifest(folder)
    golden = {"tile": "tile.png", "logits": [0, 0, 0], "entropy": 0}
    manifest["golden"] = [
        {**golden, "bit_width": 4, "outputs": {"onnx": {"4": "right.png", "8": "wrong.png"}}},
        {**golden, "bit_width": 5, "outputs": {"onnx": {"4": "right.png"}}},
    ]
    manifest["agreement"] = {"onnx": [{"levels": 1, "share": 1e-3}]}
    write_manifest(folder, manifest)
    engines = run_golden_tiles(machine, CPUS[0], folder).engines
    answer = engines.pop("onnxruntime")
    assert isinstance(answer, EngineAnswer)
    assert answer.differences == {4: {0: 2 * 3072}, 8: {0: 3066, 2: 6}}
    assert answer.widths_beyond_contract == [8]
    assert answer.wrong_decisions == [1]
    # The bundle is there as ONNX only, and whoever reads another format says so.
    assert all(isinstance(other, Refusal) for other in engines.values())
