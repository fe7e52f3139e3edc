"""Calls Google's ``adb`` as a process: always with a deadline, and it can be stopped.

A client that waits for a frozen phone waits for ever, and one that is left alone keeps a program
running on the phone. So each call ends at its deadline, or when the caller asks all to stop.
"""

from __future__ import annotations

import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gdq_devices.errors import LostError, UnusableError

_POLL = 0.1
"""Seconds between looks at whether to stop."""


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Somebody asked for everything to stop."""


@dataclass(frozen=True)
class Finished:
    """A call that came to its end.

    Attributes:
        code: the client's exit code.
        output: what it printed on standard output.
        complaint: what it printed on standard error.

    """

    code: int
    output: str
    complaint: str


@dataclass(frozen=True)
class Client:
    """The program ``adb``.

    Attributes:
        program: its path.
        stop: when set, calls end with ``Stopped``.

    """

    program: Path
    stop: threading.Event = field(default_factory=threading.Event)

    def call(self, words: Sequence[str | Path], seconds: float) -> Finished:
        """Run the client to its end.

        Raises:
            LostError: it takes longer than it may.
            Stopped: somebody asked for it.

        """
        with self._start(words) as process:
            deadline = time.monotonic() + seconds
            while True:
                try:
                    output, complaint = process.communicate(timeout=_POLL)
                except subprocess.TimeoutExpired:
                    self.check(deadline, f"no answer within {seconds:.0f} s")
                    continue
                return Finished(process.returncode, _decode(output), _decode(complaint))

    def stream(self, words: Sequence[str | Path]) -> Iterator[str | None]:
        """Run the client, and yield each line when it comes; None while nothing comes.

        Standard error is thrown away. Closing the iterator ends the client.

        Raises:
            Stopped: somebody asked for it.

        """
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with self._start(words, stderr=subprocess.DEVNULL) as process:
            reader = threading.Thread(target=_read_lines, args=(process, lines), daemon=True)
            reader.start()
            while True:
                self.check(None, "")
                try:
                    line = lines.get(timeout=_POLL)
                except queue.Empty:
                    yield None
                    continue
                if line is None:
                    return
                yield line

    def check(self, deadline: float | None, sentence: str) -> None:
        """See whether to go on waiting.

        Raises:
            LostError: the deadline, in seconds of ``time.monotonic``, is over.
            Stopped: somebody asked for it.

        """
        if self.stop.is_set():
            raise Stopped
        if deadline is not None and time.monotonic() > deadline:
            raise LostError(sentence)

    @contextmanager
    def _start(
        self, words: Sequence[str | Path], stderr: int = subprocess.PIPE
    ) -> Iterator[subprocess.Popen[bytes]]:
        try:
            # In a session of its own: Ctrl-C is for us, who then tidy up with more calls.
            process = subprocess.Popen(
                [self.program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=stderr, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise UnusableError(f"{self.program} cannot be started: {error.strerror}") from error
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


def find_client(stop: threading.Event) -> Client:
    """Return the ``adb`` of this computer, else the one that adbutils brings.

    Raises:
        UnusableError: there is none.

    """
    if path := shutil.which("adb"):
        return Client(Path(path), stop)
    try:
        import adbutils
    except ImportError as error:
        raise UnusableError(
            "adb is not installed: pip install 'granular-dq-mobile[device]', or install Android's "
            "platform-tools and add them to PATH"
        ) from error
    return Client(Path(adbutils.adb_path()), stop)


def _read_lines(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            lines.put(_decode(line).rstrip("\r\n"))
    except (OSError, ValueError):  # closed, because nobody waits for more
        pass
    finally:
        lines.put(None)


def _decode(text: bytes) -> str:
    """A device's bytes are not trusted to be text."""
    return text.decode("utf-8", errors="replace")
