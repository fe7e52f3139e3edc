"""Commands and files over the cable to one phone, where a lost cable is never taken for a result.

Old phones tell no exit codes, and 255 is both a program's and a lost cable's. So every command ends
with a line of ours that holds its exit code: what lacks that line has not come to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gdq_devices.adb.client import Client, Finished
from gdq_devices.errors import KilledError, LostError, ProgramError, UnusableError

_END = "gdq-ended"
_SIGNAL = 128
"""Added to a signal's number by shells, as exit code of what it killed."""
_SIGNALS = 64
"""Largest number of a signal: 255 is an exit code like any other."""
_CRASHES = {4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 11: "SIGSEGV", 31: "SIGSYS"}
"""Signals that a program brings upon itself, by Linux' numbers; the others come from outside."""
_SHOWN = 300
"""Last characters of a failed command's output that are shown."""

UNAUTHORIZED = (
    "does not trust this computer: unlock it and tap Allow where it asks about USB debugging; if "
    "it asks nothing, choose Revoke USB debugging authorizations in its developer options and plug "
    "it in again"
)


@dataclass(frozen=True)
class Shell:
    """A phone that adb knows by its serial.

    Attributes:
        client: the program adb.
        serial: of the phone, which every call names.

    """

    client: Client
    serial: str

    def run(self, command: str, seconds: float) -> str:
        """Run a shell command on the phone, and return what it prints, without the last line end.

        Raises:
            LostError: it does not come to its end.
            KilledError: a signal ends it.
            ProgramError: its exit code is not 0.
            UnusableError: the phone does not let us in.

        """
        finished = self._adb("shell", _with_end(command), seconds=seconds)
        text, mark, code = finished.output.replace("\r\n", "\n").rpartition(f"\n{_END} ")
        if not mark or not code.strip().isdigit():
            raise self._failure(finished)
        said = f"{text}\n{finished.complaint}".strip()
        self.check(f"{command.split(maxsplit=1)[0]!r}", int(code), said)
        return text

    def stream(self, command: str) -> Iterator[str | None]:
        """Run a shell command, and yield each line that it prints; None while it prints nothing.

        Raises:
            LostError: the lines end without its end.
            KilledError: a signal ends it.
            ProgramError: its exit code is not 0.

        """
        last = ""
        for line in self.client.stream(["-s", self.serial, "shell", _with_end(command)]):
            if line is not None and line.startswith(f"{_END} "):
                self.check("the program", int(line.removeprefix(f"{_END} ") or -1), last)
                return
            if line:
                last = line
            if line != "":
                yield line
        raise LostError(f"the cable to {self.serial} was cut, or the phone went away")

    def push(self, file: Path, path: str, seconds: float) -> None:
        """Copy a file to the phone.

        Raises:
            LostError: the cable was cut.
            ProgramError: the phone's disk is full, or it refuses the file.

        """
        finished = self._adb("push", file, path, seconds=seconds)
        if finished.code != 0:
            raise self._failure(finished)

    def pull(self, path: str, target: Path, seconds: float) -> None:
        """Fetch a file from the phone.

        Raises:
            LostError: the cable was cut.
            ProgramError: there is no such file, or it may not be read.

        """
        finished = self._adb("pull", path, target, seconds=seconds)
        if finished.code != 0:
            raise self._failure(finished)

    def check(self, what: str, code: int, said: str) -> None:
        """See how a command on the phone ended.

        Raises:
            KilledError: by a signal from outside.
            ProgramError: it crashed, or its exit code is not 0.

        """
        if code == 0:
            return
        if (crash := _CRASHES.get(code - _SIGNAL)) is not None:
            raise ProgramError(
                f"{what} on {self.serial} crashed ({crash}): "
                f"`adb -s {self.serial} logcat -b crash -d` says where"
            )
        shown = f": {said[-_SHOWN:].strip()}" if said.strip() else ""
        if _SIGNAL < code <= _SIGNAL + _SIGNALS:
            raise KilledError(f"{what} on {self.serial} was ended by signal {code - _SIGNAL}")
        raise ProgramError(f"{what} on {self.serial} ended with {code}{shown}")

    def _adb(self, *words: str | Path, seconds: float) -> Finished:
        try:
            return self.client.call(["-s", self.serial, *words], seconds)
        except LostError as error:
            raise LostError(f"{self.serial}: {error}: it is frozen, or the cable is bad") from error

    def _failure(self, finished: Finished) -> ProgramError:
        """Tell from adb's own words what went wrong."""
        said = f"{finished.complaint}\n{finished.output}"
        if "unauthorized" in said or "still authorizing" in said:
            return UnusableError(f"{self.serial} {UNAUTHORIZED}")
        if "No space left on device" in said:
            return ProgramError(
                f"the disk of {self.serial} is full: free some space on it (Settings > Storage)"
            )
        lines = [line for line in finished.complaint.splitlines() if line.strip()]
        reason = lines[-1].removeprefix("adb: ").removeprefix("error: ") if lines else ""
        if any(word in reason for word in ("offline", "not found", "EOF", "closed")) or not reason:
            return LostError(
                f"the cable to {self.serial} was cut, or the phone went away"
                + (f" ({reason})" if reason else "")
            )
        return ProgramError(f"{self.serial}: {reason}")


def _with_end(command: str) -> str:
    return f"( {command}\n); code=$?; echo; echo {_END} $code"
