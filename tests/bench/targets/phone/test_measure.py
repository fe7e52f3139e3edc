from __future__ import annotations

import pytest

from gdq_bench.targets.phone.measure import choose_clusters
from gdq_core.errors import RequestError
from gdq_devices.adb.facts import Cluster, Facts

LITTLE, BIG = Cluster("little", (0, 1, 2, 3), 124, None), Cluster("big", (4, 5), 1024, None)
PHONE = Facts(
    serial="S", model="", soc="", android="", api=34, abis=(), build="", kernel="", features=(),
    clusters=(LITTLE, BIG), is_emulated=False,
)  # fmt: skip


def test_all_or_one_by_its_name() -> None:
    assert choose_clusters(PHONE, "all") == (LITTLE, BIG)
    assert choose_clusters(PHONE, "big") == (BIG,)


@pytest.mark.parametrize(("mask", "cores"), [("10", (4,)), ("0x3f", (0, 1, 2, 3, 4, 5))])
def test_a_mask_is_hexadecimal(mask: str, cores: tuple[int, ...]) -> None:
    (chosen,) = choose_clusters(PHONE, mask)
    assert chosen.cores == cores
    assert int(chosen.mask, 16) == int(mask, 16) == int(chosen.name, 16)


@pytest.mark.parametrize("cores", ["mid", "0", "40", "-1", "1ffffffffffffffff", "big,little"])
def test_cores_that_are_not_there(cores: str) -> None:
    with pytest.raises(RequestError, match=r"S has no cores .*: it has little \(f\), big \(30\)"):
        choose_clusters(PHONE, cores)
