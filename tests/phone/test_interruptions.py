"""What is left when the measurement itself is stopped."""

from __future__ import annotations

import signal
from pathlib import Path

from phone.inside import (
    ON_PHONE,
    bench,
    check_traces,
    control,
    finish,
    has_rounds,
    in_phone,
    is_measuring,
    read,
    shell,
    start_bench,
    wait_for,
)


@in_phone()
def test_a_killed_run_is_tidied_up_and_resumed(here: Path, cache: Path) -> None:
    running = start_bench("--device", "--json", "a.json")
    wait_for(lambda: has_rounds(cache))
    running.kill()
    finish(running)
    assert shell(f"ls {ON_PHONE}").strip() == "gdq-bench"
    finished = bench("--device", "--json", "a.json")
    assert finished.returncode == 0, finished.stderr
    assert "going on where an earlier run stopped: " in finished.stderr
    assert " 0 files pushed, " in finished.stderr
    assert {row.wall.rounds for row in read("a.json").tiles} == {8}
    check_traces()
    finished = bench("--device", "--json", "a.json", "--overwrite")
    assert "going on" not in finished.stderr


@in_phone()
def test_ctrl_c_leaves_nothing_on_the_phone(here: Path) -> None:
    running = start_bench("--device", "--json", "a.json")
    wait_for(is_measuring)
    running.send_signal(signal.SIGINT)
    finished = finish(running)
    assert finished.returncode == 130
    assert finished.stderr.splitlines()[-1] == "interrupted"
    assert list(here.iterdir()) == []
    check_traces()


@in_phone()
def test_a_program_that_the_system_ends_is_started_again(here: Path) -> None:
    running = start_bench("--device", "--json", "a.json")
    wait_for(is_measuring)
    wait_for(lambda: shell("pkill -9 gdq_run; echo $?").strip() == "0")
    finished = finish(running)
    assert finished.returncode == 0, finished.stderr
    assert "was ended by signal 9; starting it again" in finished.stderr
    assert "killed" not in {reason.kind for reason in read("a.json").reasons}
    check_traces()


@in_phone()
def test_a_program_that_the_system_ends_each_time(here: Path) -> None:
    running = start_bench("--device", "--json", "a.json", "--html", "a.html")
    while running.poll() is None:
        shell("pkill -9 gdq_run")
    finished = finish(running)
    assert finished.returncode == 1, finished.stderr
    assert finished.stderr.splitlines()[-1] == (
        "error: nothing was measured: the program on 127.0.0.1:7001 was ended by signal 9, 3 "
        "times: close other apps"
    )
    result = read("a.json")
    assert (result.tiles, result.pictures) == ([], [])
    assert "killed" in {reason.kind for reason in result.reasons}
    assert "was ended by signal 9, 3 times" in Path("a.html").read_text(encoding="utf-8")
    check_traces()


@in_phone()
def test_a_phone_that_is_lost_before_the_first_round(here: Path) -> None:
    running = start_bench("--device", "--json", "a.json", "--wait", "1s")
    wait_for(is_measuring)
    control("unplug")
    finished = finish(running)
    assert finished.returncode == 1, finished.stderr
    assert finished.stderr.splitlines()[-1].startswith("error: nothing was measured: the cable to ")
    assert "cable lost" in {reason.kind for reason in read("a.json").reasons}
    control("plug")
    assert bench("--device", "--json", "b.json").returncode == 0
    check_traces()
