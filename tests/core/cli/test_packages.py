from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

from core.made_pictures import png_bytes, random_image
from gdq_core.cli.packages import DISTRIBUTION, EXTRAS, describe_missing, require_packages
from gdq_core.errors import RequestError
from runtime.tiny_bundle import write_tiny_bundle

BLOCKED = """
import importlib.abc, sys
class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
sys.argv = {arguments!r}
from {module} import main
main()
"""

COMMANDS = {
    "gdq-export": "gdq_exporter.cli.export",
    "gdq-calibrate": "gdq_models.cli.calibrate",
    "gdq-train": "gdq_models.cli.train",
    "gdq-upscale": "gdq_runtime.cli.upscale",
    "gdq-validate": "gdq_validate.cli.validate",
    "gdq-bench": "gdq_bench.cli.bench",
}
OF_THE_BASE_INSTALL: tuple[str, ...] = ()
OF_EXPORT = ("litert", "bench", "export")


def run(extras: tuple[str, ...], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command with all optional packages blocked but those of some extras."""
    packages = {name for extra in EXTRAS.keys() - set(extras) for name in EXTRAS[extra]}
    program = BLOCKED.format(
        packages=packages, arguments=list(arguments), module=COMMANDS[arguments[0]]
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def here(tmp_path: Path) -> Path:
    write_tiny_bundle(tmp_path / "bundle")
    (tmp_path / "photos").mkdir()
    for name in ("photos/a.png", "photos/b.png"):
        (tmp_path / name).write_bytes(png_bytes(random_image(60, 80)))
    return tmp_path


@pytest.mark.parametrize("extras", [OF_THE_BASE_INSTALL, OF_EXPORT])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_needs_nothing(command: str, extras: tuple[str, ...], tmp_path: Path) -> None:
    finished = run(extras, tmp_path, command, "--help")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "Usage:" in finished.stdout


@pytest.mark.parametrize(
    ("extras", "arguments", "advice"),
    [
        ((), ["gdq-export", "a.pt", "-o", "out"], "gdq-export needs torch"),
        ((), ["gdq-calibrate", "a.pt", "-o", "out"], "gdq-calibrate needs torch"),
        ((), ["gdq-train", "a.yaml", "--photos", "photos", "-o", "out"], "gdq-train needs torch"),
        (
            OF_EXPORT,
            ["gdq-train", "a.yaml", "--photos", "photos", "-o", "out"],
            "gdq-train needs lightning, tensorboard and yaml: pip install "
            "'granular-dq-mobile[train]'",
        ),
        (
            (),
            ["gdq-validate", "bundle", "--data", "photos", "--html", "page.html"],
            "--html needs jinja2: pip install 'granular-dq-mobile[bench]'",
        ),
        (
            (),
            ["gdq-validate", "bundle", "--data", "photos", "--checkpoint", "a.pt"],
            "--checkpoint needs torch and safetensors: pip install 'granular-dq-mobile[export]'",
        ),
        (
            (),
            ["gdq-validate", "bundle", "--engines", "numpy"],
            "engine 'numpy' needs the package onnx",
        ),
        (
            (),
            ["gdq-bench", "--host", "bundle", "--data", "photos", "--html", "page.html"],
            "--html needs jinja2: pip install 'granular-dq-mobile[bench]'",
        ),
    ],
)
def test_a_missing_package_is_one_sentence_with_the_command_that_installs_it(
    here: Path, extras: tuple[str, ...], arguments: list[str], advice: str
) -> None:
    before = sorted(here.rglob("*"))
    finished = run(extras, here, *arguments)
    assert finished.returncode == 2
    (line,) = finished.stderr.splitlines()
    assert line.startswith("error: ")
    assert advice in line
    assert "pip install " in line
    assert sorted(here.rglob("*")) == before


def test_all_engines_leave_out_what_is_not_installed(here: Path) -> None:
    finished = run((), here, "gdq-validate", "bundle", "--data", "photos", "--engines", "all")
    assert "numpy is left out: engine 'numpy' needs the package onnx" in finished.stderr
    *_, comparing, error = finished.stderr.splitlines()
    assert comparing == "comparing onnxruntime ..."
    assert error == "error: bundle holds no golden tiles to compare with"


def test_the_extras_are_those_of_the_project() -> None:
    """Each package comes with its extra, directly or by one that it brings along."""
    distributions = {
        "ai_edge_litert": "ai-edge-litert",
        "skimage": "scikit-image",
        "onnx_ir": "onnx-ir",
        "yaml": "pyyaml",
    }
    required = [line.lower().replace('"', "'") for line in requires(DISTRIBUTION) or []]
    for extra, packages in EXTRAS.items():
        for package in packages:
            wanted = distributions.get(package, package)
            lines = [line for line in required if re.match(rf"{wanted}\b(?!-)", line)]
            assert lines, package
            assert all("extra ==" in line for line in lines), package
            assert any(f"extra == '{extra}'" in line for line in lines), (package, extra)


def test_only_what_is_missing_is_named() -> None:
    require_packages("this", "export", "click", "pathlib")
    with pytest.raises(RequestError, match=r"^this needs nothing_1 and nothing_2: pip install"):
        require_packages("this", "export", "click", "nothing_1", "nothing_2")


def test_modules_of_our_own_are_no_packages_to_install() -> None:
    assert describe_missing(ModuleNotFoundError("no", name="gdq_core.nothing")) is None
    assert "[train]" in str(describe_missing(ModuleNotFoundError("no", name="lightning.pytorch")))
    assert describe_missing(ModuleNotFoundError("no")) is None
