from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.targets.phone.printed import end_line, printed, round_line
from gdq_bench.targets.phone.journal import Journal, forget, journal_file, open_journal
from gdq_core.errors import RequestError

SERIAL = "127.0.0.1:7001"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def write_two_batches(journal: Journal) -> None:
    journal.add_heat({"when": "before"})
    journal.begin("big", "tiles")
    for line in printed(*(round_line(number) for number in (0, 0, 1, 1))):
        journal.add_line(line)
    journal.end()
    journal.begin("big", "tiles")
    for line in printed(*(round_line(number) for number in (0, 0, 1))):
        journal.add_line(line)


def test_what_was_kept_is_there_again() -> None:
    with open_journal(SERIAL, "key") as journal:
        write_two_batches(journal)
    with open_journal(SERIAL, "key") as again:
        assert again.batches == journal.batches
        assert again.heat == [{"when": "before"}]
        again.end()
    with open_journal(SERIAL, "key") as ended:
        assert ended.batches[-1].has_ended


def test_a_round_that_was_cut_does_not_count() -> None:
    journal = Journal(None)
    write_two_batches(journal)
    assert [batch.count() for batch in journal.batches] == [2, 1]
    assert journal.count("big", "tiles") == 3
    assert journal.count("little", "tiles") == journal.count("big", "pictures") == 0
    journal.end()
    assert journal.count("big", "tiles") == 4


def test_work_without_a_pause_counts_only_if_it_ended() -> None:
    journal = Journal(None)
    journal.begin("big", "sustained")
    for line in printed(round_line(0), round_line(1)):
        journal.add_line(line)
    assert journal.count("big", "sustained") == 0
    journal.end()
    assert journal.count("big", "sustained") == 1


def test_another_measurement_begins_anew() -> None:
    with open_journal(SERIAL, "key") as journal:
        write_two_batches(journal)
    with open_journal(SERIAL, "other") as journal:
        assert (journal.batches, journal.heat) == ([], [])
    with open_journal(SERIAL, "key") as journal:
        assert journal.batches == []


def test_a_complete_result_is_forgotten() -> None:
    with open_journal(SERIAL, "key") as journal:
        write_two_batches(journal)
    forget(SERIAL)
    with open_journal(SERIAL, "key") as journal:
        assert journal.batches == []


@pytest.mark.parametrize("damage", [b'{"line": "{\\"li', b"\xff\xfe\0", b"[1]\n", b'{"x": 1}\n'])
def test_a_damaged_end_is_cut_off(damage: bytes) -> None:
    with open_journal(SERIAL, "key") as journal:
        write_two_batches(journal)
    with journal_file(SERIAL).open("ab") as file:
        file.write(damage)
    with open_journal(SERIAL, "key") as again:
        assert again.batches == journal.batches


@pytest.mark.parametrize("line", ['{"line": "moon"}', *printed(end_line(7))])
def test_lines_that_the_program_does_not_print_are_not_taken_over(line: str) -> None:
    with open_journal(SERIAL, "key") as journal:
        write_two_batches(journal)
        journal.add_line(line)
    with open_journal(SERIAL, "key") as again:
        assert again.batches == []


def test_one_at_a_time() -> None:
    with (
        open_journal(SERIAL, "key"),
        pytest.raises(RequestError, match=r"another gdq-bench measures on 127.0.0.1:7001: wait"),
        open_journal(SERIAL, "key"),
    ):
        pass
    with open_journal(SERIAL, "key"), open_journal("other", "key"):
        pass


def test_without_a_cache_folder_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/nowhere")
    with open_journal(SERIAL, "key") as journal:
        write_two_batches(journal)
        assert journal.count("big", "tiles") == 3
    forget(SERIAL)


def test_the_file_has_a_name_that_every_system_takes(cache: Path) -> None:
    assert os.fspath(journal_file(SERIAL).relative_to(cache)) == (
        "granular-dq-mobile/phones/127.0.0.1_7001.journal"
    )
