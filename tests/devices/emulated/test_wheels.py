from __future__ import annotations

from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gdq_devices.emulated.wheels import constraints_for_arm64, requirements

CONSTRAINTS = Path(__file__).resolve().parents[3] / "constraints.txt"


def test_conditions_are_judged_for_the_emulated_machine() -> None:
    lines = [
        "# versions",
        "",
        "click==8.5.1",
        'numpy==2.2.6 ; python_version < "3.11"',
        'numpy==2.4.6 ; python_version >= "3.11"',
        'triton==3.9.0 ; platform_machine == "x86_64"',
        'neon==1.0 ; platform_machine == "aarch64" and sys_platform == "linux"',
    ]
    assert constraints_for_arm64(lines) == ["click==8.5.1", "numpy==2.4.6", "neon==1.0"]


def test_everything_that_is_wanted_has_a_version() -> None:
    pins = constraints_for_arm64(CONSTRAINTS.read_text(encoding="utf-8").splitlines())
    versions = {canonicalize_name(Requirement(pin).name) for pin in pins}
    wanted = {canonicalize_name(Requirement(need).name) for need in requirements()}
    assert {"numpy", "onnxruntime", "openimageio", "ai-edge-litert"} <= wanted <= versions
    assert "torch" not in wanted
