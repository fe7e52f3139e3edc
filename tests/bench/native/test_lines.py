from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from gdq_bench.native.lines import EndLine, ErrorLine, Line, read_lines
from gdq_core.errors import EngineError

PAGE = Path(__file__).resolve().parents[3] / "docs/gdq_run.md"
ERROR = '{"line":"error","engine":null,"message":"no tiles"}\n'
END = '{"line":"end","lines":1,"status":2}\n'


def test_lines_are_read_up_to_the_last_one() -> None:
    assert read_lines(ERROR + END + "logout\n") == [
        ErrorLine(line="error", engine=None, message="no tiles"),
        EndLine(line="end", lines=1, status=2),
    ]
    assert read_lines((ERROR + END).replace("\n", "\r\n")) == read_lines(ERROR + END)


def test_a_line_that_was_cut_off_is_left_out() -> None:
    assert len(read_lines(ERROR + END[:-1])) == 1
    assert read_lines("") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Segmentation fault\n", "'Segmentation fault', which is none of its lines"),
        (ERROR.replace("null", "1"), "engine: Input should be a valid string"),
        (ERROR.replace('"no tiles"', '"no tiles","more":1'), "more: Extra inputs"),
        (END, "gdq_run printed 1 lines, but 0 came"),
    ],
)
def test_what_it_does_not_print_is_refused(text: str, reason: str) -> None:
    with pytest.raises(EngineError, match=re.escape(reason)):
        read_lines(text)


@pytest.mark.parametrize("model", get_args(Line))
def test_the_page_describes_every_key(model: type[Line]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = [name for name in model.model_fields if f"`{name}`" not in page]
    assert missing == []
