from __future__ import annotations

import subprocess
import sys

import pytest

import gdq_exporter


def test_everything_promised_can_be_imported() -> None:
    for name in gdq_exporter.__all__:
        assert getattr(gdq_exporter, name) is not None
    assert len(set(gdq_exporter.__all__)) == len(gdq_exporter.__all__)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gdq_exporter.nothing


@pytest.mark.parametrize("module", ["gdq_exporter", "gdq_exporter.cli.export"])
def test_torch_waits_until_it_is_needed(module: str) -> None:
    """A wrong option must not take the seconds that torch takes to import."""
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
