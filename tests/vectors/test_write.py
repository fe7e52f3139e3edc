from __future__ import annotations

import pytest

from vectors.write import FOLDER, SUBJECTS, render


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_files_are_in_step(subject: str) -> None:
    committed = (FOLDER / f"{subject}.json").read_text(encoding="utf-8")
    assert committed == render(SUBJECTS[subject]()), "PYTHONPATH=tests python -m vectors.write"
