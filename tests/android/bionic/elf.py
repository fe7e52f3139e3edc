"""What an ELF library of Android shows, asks for and needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile


@dataclass(frozen=True)
class Symbol:
    """A dynamic symbol; ``version`` is empty where it has none."""

    name: str
    version: str
    is_data: bool
    size: int


@dataclass(frozen=True)
class Library:
    """A shared library as the linker sees it."""

    shown: tuple[Symbol, ...]
    asked: frozenset[str]
    needed: frozenset[str]
    versions_needed: frozenset[str]
    alignments: tuple[int, ...]
    """Of the segments that are loaded, in bytes."""
    has_tls: bool
    has_text_relocations: bool
    machine: str


def read_library(path: Path) -> Library:
    with path.open("rb") as file:
        elf = ELFFile(file)
        dynamic = list(_section(elf, ".dynamic").iter_tags())
        loaded = [part["p_align"] for part in elf.iter_segments() if part["p_type"] == "PT_LOAD"]
        return Library(
            shown=_shown(elf),
            asked=_asked(elf),
            needed=frozenset(tag.needed for tag in dynamic if tag.entry.d_tag == "DT_NEEDED"),
            versions_needed=_versions_needed(elf),
            alignments=tuple(loaded),
            has_tls=any(part["p_type"] == "PT_TLS" for part in elf.iter_segments()),
            has_text_relocations=any(tag.entry.d_tag == "DT_TEXTREL" for tag in dynamic),
            machine=elf.get_machine_arch(),
        )


def _section(elf: ELFFile, name: str) -> Any:
    """Return a section as the class that its type has, which the library's types do not tell."""
    return elf.get_section_by_name(name)


def _shown(elf: ELFFile) -> tuple[Symbol, ...]:
    versions = _version_names(elf)
    table = _section(elf, ".gnu.version")
    found = []
    for number, symbol in enumerate(_section(elf, ".dynsym").iter_symbols()):
        info = symbol["st_info"]
        if (
            info["type"] not in ("STT_FUNC", "STT_OBJECT", "STT_LOOS")  # the last: IFUNC
            or info["bind"] not in ("STB_GLOBAL", "STB_WEAK")
            or symbol["st_shndx"] == "SHN_UNDEF"
        ):
            continue
        index = table.get_symbol(number)["ndx"] if table else 1
        version = versions.get(index & 0x7FFF, "") if isinstance(index, int) else ""
        is_data = info["type"] == "STT_OBJECT"
        found.append(Symbol(symbol.name, version, is_data, symbol["st_size"]))
    return tuple(found)


def _asked(elf: ELFFile) -> frozenset[str]:
    symbols = _section(elf, ".dynsym").iter_symbols()
    return frozenset(s.name for s in symbols if s["st_shndx"] == "SHN_UNDEF" and s.name)


def _version_names(elf: ELFFile) -> dict[int, str]:
    """Index -> name of the versions that the library defines; the first one is its own name."""
    section = _section(elf, ".gnu.version_d")
    if section is None:
        return {}
    return {
        version["vd_ndx"]: next(names).name
        for version, names in section.iter_versions()
        if version["vd_ndx"] > 1
    }


def _versions_needed(elf: ELFFile) -> frozenset[str]:
    section = _section(elf, ".gnu.version_r")
    if section is None:
        return frozenset()
    return frozenset(one.name for _, names in section.iter_versions() for one in names)
