from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
import click
from gdq_core.cli.command import Command
from gdq_core.cli.errors import print_result, say
from gdq_core.errors import ImageError
from gdq_core.files.drafts import draft_file

@click.command(cls=Command)
@click.argument("deed", default="print")
def main(deed):
    "Do one of several deeds."
    if deed == "print":
        say("working ...")
        print_result("result")
    elif deed == "fail":
        raise ImageError("a sentence")
    elif deed == "disk":
        open("/nowhere/at/all")
    elif deed == "package":
        sys.modules["lightning"] = None
        import lightning.pytorch
    elif deed == "mistake":
        import a_module_of_nobody
    elif deed == "descriptors":
        with open("new", "w") as file:
            say("this is no content")
            os.write(2, b"nor is this")
            print_result(str(file.fileno() > 2))
    elif deed == "draft":
        with draft_file(Path("target")) as draft:
            draft.write_text("half")
            say("half written")
            time.sleep(2.5)
main()
"""


def run(arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program in a shell, with its redirections."""
    (folder / "program.py").write_text(PROGRAM)
    command = f"'{sys.executable}' program.py {arguments}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("print", 0, "working ..."),
        ("fail", 2, "error: a sentence"),
        ("disk", 2, "error: /nowhere/at/all: No such file or directory"),
        (
            "package",
            2,
            "error: lightning is not installed: pip install 'granular-dq-mobile[train]'",
        ),
        ("print > /dev/full", 2, "error: standard output cannot be written: No space left"),
        ("--version > /dev/full", 2, "error: standard output cannot be written: No space left"),
        ("--help > /dev/full", 2, "error: standard output cannot be written: No space left"),
        ("print >&-", 2, "error: standard output is closed"),
        ("fail 2>&-", 2, ""),
        ("fail 2> /dev/full", 2, ""),
        ("--nonsense 2> /dev/full", 2, ""),
        ("--nonsense 2>&-", 2, ""),
        ("print 2>&-", 0, ""),
        ("print 2> /dev/full", 0, ""),
        ("print <&- 2>&-", 0, ""),
        ("fail >&- 2>&-", 2, ""),
    ],
)
def test_streams_that_are_closed_or_full(
    arguments: str, code: int, said: str, tmp_path: Path
) -> None:
    finished = run(arguments, tmp_path)
    assert finished.returncode == code, finished.stderr
    assert said in finished.stderr
    assert len(finished.stderr.splitlines()) <= 2
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ("" if code else "result\n")


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    finished = run("--version", tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == f"program.py {version('granular-dq-mobile')}\n"
    # Whatever else is asked for.
    assert run("fail --version", tmp_path).stdout == finished.stdout
    assert "--version" in run("--help", tmp_path).stdout


@pytest.mark.parametrize("argument", ["print", "--help"])
def test_a_reader_that_is_gone(argument: str, tmp_path: Path) -> None:
    """As in ``| head -0``, but gone for certain."""
    (tmp_path / "program.py").write_text(PROGRAM)
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    finished = subprocess.run(
        [sys.executable, "program.py", argument],
        cwd=tmp_path, stdout=writing_end, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing_end)
    assert finished.returncode == 2
    sentence = "error: standard output cannot be written: Broken pipe"
    assert finished.stderr.splitlines()[-1] == sentence


def test_a_module_of_our_own_that_is_missing_keeps_its_traceback(tmp_path: Path) -> None:
    finished = run("mistake", tmp_path)
    assert finished.returncode == 1
    assert "ModuleNotFoundError" in finished.stderr


@pytest.mark.parametrize("closed", ["2>&-", "2>&- <&-"])
def test_no_file_takes_the_place_of_a_closed_stream(closed: str, tmp_path: Path) -> None:
    finished = run(f"descriptors {closed}", tmp_path)
    assert (finished.returncode, finished.stdout) == (0, "True\n")
    assert (tmp_path / "new").read_text() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_draft(number: signal.Signals, tmp_path: Path) -> None:
    code, said = interrupt(number, tmp_path)
    assert (code, said) == (130, "interrupted\n")
    assert list(tmp_path.iterdir()) == [tmp_path / "program.py"]


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As ``nohup`` asks for."""
    code, said = interrupt(signal.SIGHUP, tmp_path, ignored=True)
    assert (code, said) == (0, "")
    assert (tmp_path / "target").read_text() == "half"


def interrupt(number: signal.Signals, folder: Path, *, ignored: bool = False) -> tuple[int, str]:
    """Send a signal while a draft is written; return the exit code and what is said then."""
    (folder / "program.py").write_text(PROGRAM)

    def ignore() -> None:
        signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)

    with subprocess.Popen(
        [sys.executable, "program.py", "draft"],
        cwd=folder, stderr=subprocess.PIPE, text=True, preexec_fn=ignore,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert process.stderr.readline() == "half written\n"
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    return process.returncode, said
