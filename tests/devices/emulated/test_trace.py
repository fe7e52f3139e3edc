from __future__ import annotations

from gdq_devices.emulated.trace import Mapped, find_libraries, read_log

LOG = b"""\
IN:
0x7ffff47a647c:  d2899549  mov      x9, #0x4caa
0x7ffff47a6480:  d0000208  adrp     x8, #0x7ffff47e8000
0x7ffff47a6484:  54000041  b.ne     #0x7ffff47a647c

Trace 0: 0x7fffe9424240 [00001001/00007ffff47a647c/00000001/00008200]
1 getppid() = 0
Trace 0: 0x7fffe9424240 [00001001/00007ffff47a647c/00000001/00008200]
----------------
IN: last
0x7ffff47a6488:  d65f03c0  ret

Trace 0: 0x7fffe9424300 [00001001/00007ffff47a6488/00000001/00008200]
Trace 0: 0x7fffe9424240 [00001001/00007ffff47a647c/00000001/00008200]
1 getppid() = 0
1 getppid() = 0
"""
LOOP, LAST = 0x7FFFF47A647C, 0x7FFFF47A6488


def test_counts_blocks_between_marks() -> None:
    trace = read_log(LOG.splitlines(keepends=True))
    assert trace.blocks == {LOOP: [0xD2899549, 0xD0000208, 0x54000041], LAST: [0xD65F03C0]}
    assert trace.spans == [{("", LOOP): 2, ("", LAST): 1}, {}]
    assert [trace.instructions(span) for span in (0, 1)] == [7, 0]


def test_a_block_belongs_to_the_stage_that_began_last() -> None:
    trace = read_log(
        LOG.splitlines(keepends=True), lambda address: "b" if address == LAST else None
    )
    assert trace.spans[0] == {("", LOOP): 1, ("b", LAST): 1, ("b", LOOP): 1}


def test_a_block_that_is_translated_again_replaces_the_old_one() -> None:
    longer = b"IN:\n0x10:  d65f03c0  ret\nIN:\n0x10:  d2899549  mov x9, #1\n0x14:  d65f03c0  ret\n"
    assert read_log(longer.splitlines(keepends=True)).blocks == {0x10: [0xD2899549, 0xD65F03C0]}


MAPS = """\
7f0000000000-7f0000001000 r--p 00000000 08:01 11 /lib/libgdq_engine.so
7f0000001000-7f0000005000 r-xp 00001000 08:01 11 /lib/libgdq_engine.so
7f0000005000-7f0000006000 rw-p 00005000 08:01 11 /lib/libgdq_engine.so
7f0000010000-7f0000020000 r-xp 00000000 08:01 12 /lib/libc.so.6
7f0000030000-7f0000040000 r-xp 00000000 08:01 13 /lib/libm.so.6
7f0000050000-7f0000060000 rw-p 00000000 00:00 0 [heap]
"""


def test_finds_the_first_byte_and_the_code_of_libraries() -> None:
    assert find_libraries(MAPS, ("libgdq_engine", "libc.so")) == {
        "libgdq_engine.so": Mapped(0x7F0000000000, (0x7F0000001000, 0x7F0000005000)),
        "libc.so.6": Mapped(0x7F0000010000, (0x7F0000010000, 0x7F0000020000)),
    }
