"""What a phone can be like, and the sentence, verdict and exit code of each."""

from __future__ import annotations

from pathlib import Path

from phone.inside import (
    bench,
    check_traces,
    control,
    finish,
    in_phone,
    is_measuring,
    read,
    start_bench,
    wait_for,
    wait_for_line,
)


def kinds(path: str) -> set[str]:
    return {reason.kind for reason in read(path).reasons}


@in_phone("--scenario", "hot")
def test_a_hot_phone_is_waited_for(here: Path) -> None:
    finished = bench("--device", "--json", "a.json")
    assert finished.returncode == 0, finished.stderr
    assert "127.0.0.1:7001: thermal status is 2: waiting until it is cool" in finished.stderr
    result = read("a.json")
    assert result.heat[0].status == 0
    check_traces()


@in_phone("--scenario", "hot")
def test_a_phone_that_stays_hot_is_measured_hot(here: Path) -> None:
    control("temperature", "95")
    finished = bench("--device", "--json", "a.json", "--cooling", "1s", "--strict")
    assert finished.returncode == 1
    assert "throttled" in kinds("a.json")
    assert any("after waiting 1 s: measured hot" in note for note in read("a.json").notes)
    assert "NOT VALID, throttled: the clock of the cluster big was capped to" in finished.stdout
    check_traces()


@in_phone("--scenario", "throttling")
def test_a_phone_that_throttles_under_load(here: Path) -> None:
    finished = bench("--device", "--json", "a.json", "--repeats", "2", "--cooling", "1s")
    assert finished.returncode == 0, finished.stderr
    assert "throttled" in kinds("a.json")
    check_traces()


@in_phone("--scenario", "unauthorized")
def test_an_unauthorized_phone(here: Path) -> None:
    finished = bench("--device")
    assert finished.returncode == 2
    (line,) = finished.stderr.splitlines()
    assert line.startswith("error: 127.0.0.1:7001 does not trust this computer: unlock it and tap")


@in_phone("--scenario", "drops-mid-run", "--drop-after", "1", "--back-after", "4")
def test_a_cable_that_falls_out(here: Path) -> None:
    finished = bench("--device", "--json", "a.json")
    assert finished.returncode == 0, finished.stderr
    assert "was cut, or the phone went away; waiting up to 120 s for it" in finished.stderr
    result = read("a.json")
    assert {row.wall.rounds for row in result.tiles} == {8}
    assert "cable lost" not in kinds("a.json")
    assert any("it came back, and measuring went on" in note for note in result.notes)
    check_traces()


@in_phone("--scenario", "drops-mid-run", "--drop-after", "1", "--back-after", "0")
def test_a_cable_that_stays_out(here: Path) -> None:
    finished = bench("--device", "--json", "a.json", "--wait", "2s")
    # It depends on this computer whether a round was complete by then.
    assert finished.returncode == (0 if read("a.json").tiles else 1), finished.stderr
    assert "cable lost" in kinds("a.json")
    assert "/data/local/tmp/gdq-bench stays on 127.0.0.1:7001" in finished.stderr
    control("plug")
    finished = bench("--device", "--json", "b.json")
    assert finished.returncode == 0, finished.stderr
    assert "cable lost" not in kinds("b.json")
    assert " 0 files pushed, " in finished.stderr
    check_traces()


@in_phone("--scenario", "full-disk")
def test_a_full_disk(here: Path) -> None:
    finished = bench("--device")
    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1] == (
        "error: the disk of 127.0.0.1:7001 is full: free some space on it (Settings > Storage)"
    )
    check_traces()


@in_phone("--scenario", "no-root")
def test_a_phone_that_hides_its_heat(here: Path) -> None:
    finished = bench("--device", "--json", "a.json")
    assert finished.returncode == 0, finished.stderr
    heat = read("a.json").heat[0]
    assert (heat.zones, heat.max_frequency, heat.status) == ({}, {}, 0)
    assert heat.missing["zones.BIG"] == heat.missing["max_frequency.0"] == "Permission denied"
    check_traces()


@in_phone("--scenario", "old-android")
def test_an_old_phone(here: Path) -> None:
    finished = bench("--device")
    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1] == (
        "error: 127.0.0.1:7001 has Android 6.0.1 (API 23), and Android 7 (API 24) or newer is "
        "needed: choose another device"
    )


@in_phone("--scenario", "slow-usb")
def test_a_slow_cable(here: Path) -> None:
    finished = bench("--device", "--json", "a.json")
    assert finished.returncode == 0, finished.stderr
    assert kinds("a.json") <= {"emulated", "load", "too few rounds"}
    check_traces()


@in_phone()
def test_a_phone_that_freezes(here: Path) -> None:
    running = start_bench("--device", "--json", "a.json", "--wait", "60s")
    wait_for(is_measuring)
    control("freeze")
    wait_for_line(running, "waiting up to 60 s for it")
    control("thaw")
    finished = finish(running)
    assert finished.returncode == 0, finished.stderr
    assert "cable lost" not in kinds("a.json")
    check_traces()
