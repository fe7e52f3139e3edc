"""Runs a test beside test phones: the test runs itself once more, inside ``phone run``."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gdq_bench.protocol import BenchResult
from gdq_devices.adb.listing import name_for_files

ROOT = Path(__file__).resolve().parents[2]
PHONE = os.environ.get("GDQ_TEST_PHONE", str(ROOT.parent / "shared" / "phone" / "phone"))
"""The command that sets up and runs test phones."""
FOLDER = ROOT / ".cache" / "phone"
"""What ``make test-phone`` has it set up."""
BUNDLE, PHOTOS, PROGRAM = "GDQ_TEST_BUNDLE", "GDQ_TEST_PHOTOS", "GDQ_TEST_PROGRAM"
"""Variables with what all tests need."""
IS_INSIDE = "PHONE_SERIALS" in os.environ

ON_PHONE = "/data/local/tmp"
FORBIDDEN = re.compile(r"\b(am|pm|cmd|input|settings|setprop|svc|su|reboot|logcat|chown)\b")
"""What changes a phone, or tells more about its owner than a measurement needs."""
LIMIT = 200
"""Seconds, of one test."""

Test = Callable[..., None]
Finished = subprocess.CompletedProcess[str]


def in_phone(*options: str) -> Callable[[Test], Test]:
    """Lets a test run beside phones that are started for it with these options of ``phone run``."""

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            if IS_INSIDE:
                return test(**fixtures)
            node = os.environ["PYTEST_CURRENT_TEST"].partition(" (")[0]
            words = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", node]
            finished = subprocess.run(
                [PHONE, "run", FOLDER, *options, "--limit", str(LIMIT), "--", sys.executable, "-m",
                 "pytest", *words],
                cwd=ROOT, capture_output=True, text=True, timeout=LIMIT + 60, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            assert finished.returncode == 0, finished.stdout[-8000:] + finished.stderr[-2000:]
            return None

        return run

    return decorate


def serials() -> list[str]:
    return os.environ["PHONE_SERIALS"].split()


def start_bench(*arguments: str) -> subprocess.Popen[str]:
    """Starts gdq-bench on the tiny bundle."""
    words = [
        os.environ[BUNDLE], "--data", os.environ[PHOTOS], "--program", os.environ[PROGRAM],
        "--repeats", "1", "--cores", "big", *arguments,
    ]  # fmt: skip
    return start_verb(*words)


def start_verb(*words: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("gdq-bench")), *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )


def finish(process: subprocess.Popen[str]) -> Finished:
    """Waits for a command to end."""
    output, said = process.communicate(timeout=LIMIT)
    return subprocess.CompletedProcess(process.args, process.returncode, output, said)


def wait_for_line(process: subprocess.Popen[str], part: str) -> None:
    """Waits until a command says something on standard error."""
    assert process.stderr is not None
    for line in process.stderr:
        if part in line:
            return
    raise AssertionError(f"it ended without saying {part!r}")


def bench(*arguments: str) -> Finished:
    return finish(start_bench(*arguments))


def read(path: str) -> BenchResult:
    return BenchResult.model_validate(json.loads(Path(path).read_text()))


def control(action: str, value: str = "", serial: str | None = None) -> str:
    """Acts on a phone, or asks what was asked of it."""
    return subprocess.run(
        [PHONE, "ctl", serial or serials()[0], action, value],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip


def shell(command: str, serial: str | None = None) -> str:
    return subprocess.run(
        ["adb", "-s", serial or serials()[0], "shell", command],
        check=False, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    ).stdout  # fmt: skip


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def is_measuring(serial: str | None = None) -> bool:
    """Tells whether the program was started."""
    return "exec /data/local/tmp/gdq-bench/gdq_run" in control("services", serial=serial)


def has_rounds(cache: Path, serial: str | None = None) -> bool:
    """Tells whether at least one round of a phone is complete."""
    lines = re.compile(r'round\\": ?1\b')
    name = name_for_files(serial or serials()[0])
    return any(lines.search(path.read_text()) for path in cache.rglob(f"{name}.journal"))


def left_on_phone(serial: str | None) -> str:
    return shell(f"ls {ON_PHONE}; ps -A -o ARGS | grep gdq_ru[n]", serial).strip()


def check_traces(serial: str | None = None) -> None:
    """Nothing of ours is left on a phone, and nothing was asked of it that should not be."""
    services = control("services", serial=serial)
    # A program that was ended stays in the list until its shell has seen it.
    wait_for(lambda: left_on_phone(serial) == "", seconds=5)
    ours = re.findall(r"^shell[^:\n]*:\( (.*?)^\); code=", services, re.DOTALL | re.MULTILINE)
    assert ours
    for command in ours:
        assert not FORBIDDEN.search(command), command
        touched = re.findall(rf"{ON_PHONE}[\w/-]*", command)
        assert all(path.startswith(f"{ON_PHONE}/gdq-bench") for path in touched), command
    theirs = re.sub(
        r"^shell[^:\n]*:\( .*?^\); code=.*?$", "", services, flags=re.DOTALL | re.MULTILINE
    )
    asked = {line.partition(":")[0].partition(",")[0] for line in theirs.splitlines() if line}
    assert asked <= {"sync", "shell"}, theirs
