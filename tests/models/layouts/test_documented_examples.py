"""The examples of docs/checkpoints.md run on files of the layouts that they are about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from factories import released_state_dict, tiny_srresnet
from gdq_models import EntropyTable, save_entropy_table
from gdq_models.layouts.registry import LAYOUTS
from models.layouts import made_states
from models.layouts.made_states import State

PAGE = Path(__file__).parents[3] / "docs/checkpoints.md"
EXAMPLES = {
    section.splitlines()[0]: block
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")
    for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL)
}
FILES: dict[str, State] = {
    "srresnet_x2@300.pt": released_state_dict(tiny_srresnet()),
    "srresnet_cadyq.pt": made_states.cadyq_srresnet(),
    "SRResNet_x4-ImageNet.pth.tar": made_states.srgan_pytorch(4),
    "edsr_baseline_x2-1bc95232.pt": made_states.edsr_pytorch(),
    "EDSR_Mx2_f64b16_DIV2K.pth": made_states.basicsr_edsr(),
    "realesr-animevideov3.pth": made_states.srvgg(4),
}


def test_every_layout_has_an_example() -> None:
    assert {layout.title for layout in LAYOUTS} | {"Our own layout"} == EXAMPLES.keys()


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_runs(title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = EntropyTable.build([1.0, 2.0, 3.0], tile=96, scale=2)
    save_entropy_table(table, tmp_path / "E2B.json")
    for name, state in FILES.items():
        torch.save(state, tmp_path / name, _use_new_zipfile_serialization=False)
    exec(compile(EXAMPLES[title], str(PAGE), "exec"), {})
