"""C headers to compile for Android with: musl's, out of the ziglang wheel, corrected for bionic.

The NDK has bionic's own, but no registry carries it. What differs between the two and is used by
the engine or by zig's C++ library is put right here, and only that: ``pthread_condattr_t``,
``fpos_t`` and ``sigset_t`` still have musl's sizes. So these are for test builds; apps take NDK's.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

_FOLDERS = ("any-linux-any", "aarch64-linux-any", "generic-musl", "aarch64-linux-musl")
"""Of zig's libc headers, the later ones over the earlier ones."""

_CORRECTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "errno.h": (("__errno_location", "__errno"),),
    "assert.h": (
        ("__assert_fail(#x, __FILE__, __LINE__, __func__)",
         "__assert2(__FILE__, __LINE__, __func__, #x)"),
        ("__assert_fail (const char *, const char *, int, const char *)",
         "__assert2 (const char *, int, const char *, const char *)"),
    ),
    "bits/alltypes.h": (
        ("typedef struct { unsigned __attr; } pthread_mutexattr_t;",
         "typedef struct { long __attr; } pthread_mutexattr_t;"),
    ),
    # Or the C++ library asks for musl's tables of characters.
    "features.h": (
        ("#define _FEATURES_H\n",
         "#define _FEATURES_H\n#define _LIBCPP_PROVIDES_DEFAULT_RUNE_TABLE\n"),
    ),
}  # fmt: skip


def write_headers(zig: Path, folder: Path) -> None:
    """Write the headers into a folder.

    Raises:
        ValueError: a header of this zig is not the one that the corrections were written for.

    """
    for name in _FOLDERS:
        shutil.copytree(zig / "lib/libc/include" / name, folder, dirs_exist_ok=True)
    for name, changes in _CORRECTIONS.items():
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in changes:
            if old not in text:
                raise ValueError(f"{name} of this zig does not contain {old!r}")
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
