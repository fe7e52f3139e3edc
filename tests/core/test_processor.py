from __future__ import annotations

from pathlib import Path

import pytest

from gdq_core import processor


def test_reads_the_first_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = tmp_path / "cpuinfo"
    facts.write_text("model\t: 7\nmodel name\t: Abacus: fast\n\nmodel name\t: Other\n")
    monkeypatch.setattr(processor, "_CPU_FACTS", facts)
    assert processor.processor_name() == "Abacus: fast"
    assert processor.processor_fact("flags") == ""


def test_a_system_without_the_list_has_an_architecture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "_CPU_FACTS", tmp_path / "nothing")
    assert processor.processor_name()
