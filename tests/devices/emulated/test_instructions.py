from __future__ import annotations

from gdq_devices.emulated.instructions import count_lines

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


def test_counts_between_marks() -> None:
    assert count_lines(LOG.splitlines(keepends=True)) == [7, 0]
