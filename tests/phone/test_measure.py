from __future__ import annotations

import os
from pathlib import Path

import pytest

from phone.inside import (
    ON_PHONE,
    PROGRAM,
    bench,
    check_traces,
    control,
    finish,
    has_rounds,
    in_phone,
    read,
    serials,
    start_bench,
    start_verb,
    wait_for,
)


@in_phone("--soc", "gs201")
def test_one_phone(here: Path) -> None:
    finished = bench("--device", "--json", "a.json", "--html", "a.html", "--sustained", "2s")
    assert finished.returncode == 0, finished.stderr
    result = read("a.json")
    assert (result.target, result.emulated, result.is_valid) == ("adb", True, False)
    assert result.reasons[0].kind == "emulated"
    assert result.device is not None
    assert (result.device.model, result.device.measured) == ("Google Pixel 7", ["big"])
    assert [one.name for one in result.device.clusters] == ["little", "mid", "big"]
    assert "asimddp" in result.machine.flags
    (engine,) = result.engines
    assert (engine.name, engine.golden.holds) == ("gdq", True)
    assert {(row.cluster, row.bits) for row in result.tiles} == {
        ("big", bits) for bits in (4, 5, 6, 8)
    }
    assert {row.wall.rounds for row in result.tiles} == {8}
    assert [(row.bits, row.workers) for row in result.pictures] == [(None, 1), (4, 1), (8, 1)]
    (curve,) = result.sustained
    assert (curve.cluster, len(curve.minutes), curve.last_over_first) == ("big", 1, 1)
    assert curve.no_energy == "no energy: the battery is charged over the cable"
    assert len(result.heat) >= 4
    assert result.heat[0].zones["BIG"] > 20
    assert result.heat[0].missing == {
        "zones.quiet_therm": "-40 degrees are not plausible",
        "rails": "no power rail is metered",
    }
    page = Path("a.html").read_text(encoding="utf-8")
    assert "emulated" in page
    assert "NOT VALID, emulated: " in finished.stdout
    check_traces()


@in_phone("--devices", "2", "--soc", "gs201,sm8550")
def test_two_phones_with_different_processors(here: Path) -> None:
    first, second = serials()
    finished = bench("--device", "all", "--json", "a.json", "--strict")
    assert finished.returncode == 1, finished.stderr
    assert "error: not valid: an emulated processor" in finished.stderr
    results = [read(f"a.127.0.0.1_{port}.json") for port in (7001, 7002)]
    assert [one.device and one.device.soc for one in results] == ["Google GS201", "QTI SM8550"]
    assert all(len(one.tiles) == 4 for one in results)
    for serial in (first, second):
        check_traces(serial)


@in_phone("--devices", "2", "--soc", "gs201,sm8550")
def test_one_of_two_that_fails_does_not_stop_the_other(here: Path) -> None:
    first, second = serials()
    control("unplug", serial=first)
    finished = bench("--device", f"{first},{second}", "--wait", "1s")
    assert finished.returncode == 2
    assert "is offline: unplug it and plug it in again" in finished.stderr


@in_phone("--devices", "2", "--soc", "gs201,sm8550")
@pytest.mark.parametrize(("away", "back"), [("unplug", "plug"), ("freeze", "thaw")])
def test_one_of_two_that_goes_away_does_not_stop_the_other(
    here: Path, cache: Path, away: str, back: str
) -> None:
    first, second = serials()
    words = ["--json", "a.json", "--repeats", "2", "--wait", "1s"]
    running = start_bench("--device", f"{first},{second}", *words)
    wait_for(lambda: has_rounds(cache, first))
    control(away, serial=first)
    finished = finish(running)
    assert finished.returncode == 0, finished.stderr
    lost, whole = (read(f"a.127.0.0.1_{port}.json") for port in (7001, 7002))
    assert "cable lost" in {reason.kind for reason in lost.reasons}
    assert "cable lost" not in {reason.kind for reason in whole.reasons}
    assert {row.wall.rounds for row in whole.tiles} == {16}
    assert {row.wall.rounds for row in whole.pictures} == {2}
    check_traces(second)
    control(back, serial=first)
    assert f"{ON_PHONE}/gdq-bench stays on {first}" in finished.stderr


@in_phone()
def test_the_program_that_is_built_here_loads_no_libraries(here: Path) -> None:
    Path("library.so").write_bytes(Path(os.environ[PROGRAM]).read_bytes())
    finished = bench("--device", "--peer", "ort=library.so")
    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1] == (
        "error: 127.0.0.1:7001: this gdq_run is linked statically and cannot load "
        'libraries/ort/library.so: take one that is not (docs/gdq_run.md, "How to get one")'
    )
    check_traces()


@in_phone("--soc", "sm6225")
def test_devices_are_listed(here: Path) -> None:
    finished = finish(start_verb("devices"))
    assert finished.returncode == 0
    assert finished.stdout == (
        "127.0.0.1:7001  Xiaomi 23021RAAEG, QTI SM6225, Android 13 (API 33), emulated\n"
        "  little: 4 cores, 1.90 GHz (--cores little, or f)\n"
        "  big: 4 cores, 2.80 GHz (--cores big, or f0)\n"
    )


@in_phone("--devices", "2")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--device"], "adb sees 2 devices: choose with --device SERIAL[,...]|all from 127.0.0.1"),
        (["--device", "X"], "adb sees no device 'X': there are 127.0.0.1:7001, 127.0.0.1:7002"),
    ],
)
def test_a_choice_that_is_none(here: Path, arguments: list[str], sentence: str) -> None:
    finished = bench(*arguments)
    assert finished.returncode == 2
    (line,) = finished.stderr.splitlines()
    assert sentence in line


@in_phone()
def test_a_program_that_is_none(here: Path) -> None:
    Path("program").write_text("no program\n")
    finished = bench("--device", "--program", "program")
    assert finished.returncode == 2
    assert finished.stderr == (
        "error: --program: program is no program for 64-bit ARM: leave it out, and one is built "
        "here\n"
    )


@in_phone()
def test_a_program_that_does_not_start(here: Path) -> None:
    Path("program").write_bytes(Path(os.environ[PROGRAM]).read_bytes()[:20])
    finished = bench("--device", "--program", "program")
    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1].startswith(
        "error: the program on 127.0.0.1:7001 ended with "
    )
    check_traces()


@in_phone()
def test_cores_that_are_not_there(here: Path) -> None:
    finished = bench("--device", "--cores", "huge")
    assert finished.returncode == 2
    assert "has no cores 'huge': it has little (f), mid (30), big (c0)" in finished.stderr
