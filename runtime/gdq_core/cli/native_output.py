"""Keeps C libraries from writing to our stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silence_native_libraries() -> Iterator[None]:
    """Take descriptor 2 from C libraries while ``sys.stderr`` goes on writing where it did.

    libpng, libjpeg and OpenImageIO print lines of their own about damaged files, beside the error
    that they return and that we turn into a sentence. Where ``sys.stderr`` is not the process's
    own (a test or a caller replaced it), nothing is changed.
    """
    own = sys.__stderr__
    if own is None or own is not sys.stderr:
        yield
        return
    own.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    with os.fdopen(os.dup(2), "w", buffering=1, encoding=own.encoding, errors=own.errors) as ours:
        sys.stderr = ours
        os.dup2(null, 2)
        try:
            yield
        finally:
            sys.stderr = own
            os.dup2(saved, 2)
            os.close(saved)
            os.close(null)
