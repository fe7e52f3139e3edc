"""OpenImageIO's writer on a file, such that no error is lost and none ends the process."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import BinaryIO

import OpenImageIO

from gdq_core.pictures.rows import Rows


class OutputFile:
    """A new picture file; its methods answer with a complaint, or "" if all went well.

    PNG and JPEG go through a pipe and a thread of ours: written by the libraries themselves, a
    full disk ends the whole process (libjpeg) or stays unnoticed until the file is read (libpng's
    last buffer). TIFF is written out of order, so no pipe will do; it is read back instead.
    """

    def __init__(self, format_name: str, path: Path) -> None:
        """Prepare to write ``path``; nothing is created before ``open``."""
        self._path = path
        writer = OpenImageIO.ImageOutput.create(format_name)
        assert writer is not None, f"OpenImageIO was built without {format_name}"
        self._writer = writer
        self._is_sequential = format_name != "tiff"
        # Without /dev/fd (Windows) a full disk shows as far as the libraries report it.
        is_piped = self._is_sequential and Path("/dev/fd").is_dir()
        self._pipe = _Pipe(path) if is_piped else None

    def open(self, spec: OpenImageIO.ImageSpec) -> str:
        """Create the file and write its header."""
        try:
            name = str(self._path) if self._pipe is None else self._pipe.open()
            opened = self._writer.open(name, spec)
        except OSError as error:
            return str(error.strerror)
        except TypeError:  # a name that is no text in the file system's encoding
            return "its name is not valid"
        finally:
            if self._pipe is not None:
                self._pipe.close_writing_end()
        return "" if opened else self._complaint()

    def write(self, start: int, end: int, rows: Rows) -> str:
        """Write the contiguous rows ``start`` to ``end``."""
        written = self._writer.write_scanlines(start, end, 0, rows)
        return "" if written and not self._has_failed() else self._complaint()

    def close(self) -> str:
        """Finish the file."""
        closed = self._writer.close()
        if self._pipe is not None:
            self._pipe.finish()
        if not closed or self._has_failed():
            return self._complaint()
        return "" if self._is_sequential else self._read_back()

    def abandon(self) -> None:
        """Stop writing and remove the file."""
        self._writer.close()
        self._writer.geterror()
        if self._pipe is not None:
            self._pipe.finish()
        self._path.unlink(missing_ok=True)

    def _has_failed(self) -> bool:
        return bool(self._writer.has_error or (self._pipe is not None and self._pipe.complaint))

    def _complaint(self) -> str:
        system = "" if self._pipe is None else self._pipe.complaint
        library = str(self._writer.geterror()).split("\n", 1)[0][:200]
        return system or library or "no reason is given"

    def _read_back(self) -> str:
        """Read the directory and the last row, which a full disk takes first."""
        written = OpenImageIO.ImageInput.open(str(self._path))
        if written is None:
            return str(OpenImageIO.geterror()).split("\n", 1)[0]
        row = written.read_scanline(written.spec().height - 1, 0, OpenImageIO.UINT8)
        complaint = str(written.geterror()).split("\n", 1)[0]
        written.close()
        return "" if row is not None else complaint


class _Pipe:
    """A file that a library writes through a pipe: we see the errors of the disk, it does not.

    Attributes:
        complaint: what the system said when the file could not be written, else "".

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: threading.Thread | None = None
        self._writing_end: BinaryIO | None = None
        self.complaint = ""

    def open(self) -> str:
        """Open file and pipe; the answer is a name under which the pipe can be opened."""
        stream = self._path.open("xb")
        reading_end, writing_end = os.pipe()
        self._writing_end = os.fdopen(writing_end, "wb", buffering=0)
        self._thread = threading.Thread(target=self._copy, args=(reading_end, stream), daemon=True)
        self._thread.start()
        return f"/dev/fd/{writing_end}"

    def close_writing_end(self) -> None:
        """Leave the library's end as the only one, so that its closing ends the file."""
        if self._writing_end is not None:
            self._writing_end.close()

    def finish(self) -> None:
        """Wait until all that was written has arrived."""
        self.close_writing_end()  # a signal may have come before it
        # One that a signal kept from starting has nothing to wait for, and cannot be joined.
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    def _copy(self, reading_end: int, stream: BinaryIO) -> None:
        with open(reading_end, "rb", buffering=0) as pipe:
            try:
                with stream:
                    shutil.copyfileobj(pipe, stream)
            except OSError as error:
                self.complaint = str(error.strerror)
                # The library must be able to go on, or it ends the process.
                while pipe.read(1 << 16):
                    pass
