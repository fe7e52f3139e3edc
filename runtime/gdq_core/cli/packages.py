"""Optional packages: which extra of ours brings them, and how to say that one is missing.

The base install is the runtime alone. A command that needs more says so before its work begins.
"""

from __future__ import annotations

from importlib.util import find_spec

from gdq_core.errors import RequestError

DISTRIBUTION = "granular-dq-mobile"

EXTRAS = {
    # extra of pyproject.toml: packages, by the names that are imported
    "litert": ("ai_edge_litert",),
    "bench": ("jinja2", "skimage", "onnx"),
    "export": ("torch", "safetensors", "onnx_ir", "onnxscript"),
    "train": ("lightning", "yaml", "tensorboard"),
    "device": ("adbutils",),
    "openvino": ("openvino",),
}
"""Each package stands under the smallest extra that brings it."""


def require_packages(who: str, extra: str, *packages: str) -> None:
    """Make sure that packages are installed, without importing them.

    Args:
        who: the command or option that needs them.
        extra: of ours, that brings all of them.
        packages: names that are imported.

    Raises:
        RequestError: one is not installed.

    """
    missing = [name for name in packages if not _is_installed(name)]
    if missing:
        *others, last = missing
        names = f"{', '.join(others)} and {last}" if others else last
        raise RequestError(f"{who} needs {names}: pip install '{DISTRIBUTION}[{extra}]'")


def describe_missing(error: ModuleNotFoundError) -> str | None:
    """Return what to do about an optional package that is missing; None of any other module."""
    package = (error.name or "").partition(".")[0]
    for extra, packages in EXTRAS.items():
        if package in packages:
            return f"{package} is not installed: pip install '{DISTRIBUTION}[{extra}]'"
    return None


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False
