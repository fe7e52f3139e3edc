from __future__ import annotations

import pytest

from gdq_devices.adb.facts import Cluster, find_clusters, is_emulated, read_facts
from gdq_devices.errors import UnusableError

ANSWER = """\
[ro.build.version.sdk]: [34]
[ro.build.version.release]: [14]
[ro.product.manufacturer]: [Google]
[ro.product.model]: [Pixel 7]
[ro.product.cpu.abilist]: [arm64-v8a,armeabi-v7a]
[ro.soc.manufacturer]: [Google]
[ro.soc.model]: [GS201]
[gdq.kernel]: [5.10.177-android13-4]
[gdq.version]: [Linux version 5.10.177-android13-4 (builder@x) #1 SMP]
[gdq.cpu0.cpu_capacity]: [124]
[gdq.cpu0.cpuinfo_max_freq]: [1803000]
[gdq.cpu1.cpu_capacity]: [1024]
[gdq.cpu1.cpuinfo_max_freq]: [2850000]
[gdq.possible]: [0-1]
[gdq.features]: [ fp asimd asimddp]
[gdq.parts]: [ 0xd05 0xd44]
"""


def test_a_phone() -> None:
    facts = read_facts("S", ANSWER)
    assert (facts.model, facts.soc, facts.android, facts.api) == (
        "Google Pixel 7", "Google GS201", "Android 14 (API 34)", 34
    )  # fmt: skip
    assert facts.abis == ("arm64-v8a", "armeabi-v7a")
    assert facts.features == ("fp", "asimd", "asimddp")
    assert facts.clusters == (
        Cluster("little", (0,), 124, 1803000),
        Cluster("big", (1,), 1024, 2850000),
    )
    assert not facts.is_emulated


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("", "S does not answer as Android does"),
        ("\0\ufffd\ufffd garbage [ro.build.version.sdk]: [", "does not answer as Android does"),
        (ANSWER.replace("[34]", "[4294967296]"), "tells no API level"),
        (ANSWER.replace("[34]", "[23]"), r"S has Android 14 \(API 23\), and Android 7 \(API 24\)"),
        (ANSWER.replace("[0-1]", "[-1]"), "does not tell how many processors"),
    ],
)
def test_answers_that_are_none(answer: str, sentence: str) -> None:
    with pytest.raises(UnusableError, match=sentence):
        read_facts("S", answer)


def told(cores: int, **values: str) -> dict[str, str]:
    return {"gdq.possible": f"0-{cores - 1}"} | {
        f"gdq.cpu{name[1]}.{name[3:]}": value for name, value in values.items()
    }


def test_clusters_by_frequency_where_the_kernel_tells_no_capacity() -> None:
    frequencies = {f"c{core}_cpuinfo_max_freq": str(2000 - core // 2) for core in range(4)}
    assert [(one.name, one.cores) for one in find_clusters(told(4, **frequencies))] == [
        ("little", (2, 3)),
        ("big", (0, 1)),
    ]


def test_clusters_by_part_where_nothing_is_told() -> None:
    parts = told(3) | {"gdq.parts": "0xd05 0xd44 0xd05"}
    assert [one.cores for one in find_clusters(parts)] == [(0, 2), (1,)]
    assert find_clusters(told(8)) == (Cluster("all", tuple(range(8)), None, None),)
    assert find_clusters(told(8))[0].mask == "ff"


def test_clusters_have_names_however_many_there_are() -> None:
    five = told(5, **{f"c{core}_cpu_capacity": str(100 + core) for core in range(5)})
    names = [one.name for one in find_clusters(five)]
    assert names == ["little", "mid1", "mid2", "mid3", "big"]


@pytest.mark.parametrize(
    "change",
    [
        {"ro.kernel.qemu": "1"},
        {"ro.boot.qemu": "1"},
        {"ro.hardware": "ranchu"},
        {"gdq.kernel": "5.10.1", "gdq.version": "Linux version 5.10.177-x (a@b) #1"},
    ],
)
def test_emulated_phones(change: dict[str, str]) -> None:
    assert is_emulated(change)
    assert not is_emulated({})
