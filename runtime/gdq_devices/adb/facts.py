"""What a phone is: its Android, its processor, the clusters that its cores form.

One command asks for everything. A device is not trusted to answer sensibly: what it does not tell,
or tells in a way that nobody understands, is None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gdq_devices.adb.shell import Shell
from gdq_devices.errors import UnusableError

OLDEST_API = 24
"""Android 7, the first that tells the exit codes of programs."""

_SECONDS = 20.0
_MOST_CORES = 64

_QUESTION = """
getprop
echo '[gdq.kernel]: ['$(uname -r)']'
read -r line < /proc/version && echo "[gdq.version]: [$line]"
for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
  for file in cpu_capacity cpufreq/cpuinfo_max_freq; do
    read -r value 2>/dev/null < $cpu/$file && echo "[gdq.${cpu##*/}.${file##*/}]: [$value]"
  done
done
read -r line < /sys/devices/system/cpu/possible && echo "[gdq.possible]: [$line]"
while read -r line; do case $line in
  Features*) features=${line#*:} ;;
  'CPU part'*) parts="$parts ${line#*:}" ;;
esac; done < /proc/cpuinfo
echo "[gdq.features]: [$features]"
echo "[gdq.parts]: [$parts]"
""".strip()

_SIZES = {1: ("all",), 2: ("little", "big"), 3: ("little", "mid", "big")}


@dataclass(frozen=True)
class Cluster:
    """Cores that are alike.

    Attributes:
        name: little, mid, big; "all" where all are alike.
        cores: their numbers.
        capacity: how strong they are beside the strongest, which has 1024; None if not told.
        max_frequency: of their clock, kHz, as built; None if not told.

    """

    name: str
    cores: tuple[int, ...]
    capacity: int | None
    max_frequency: int | None

    @property
    def mask(self) -> str:
        """Return the cores as ``taskset`` wants them: hexadecimal, core 0 is the lowest bit."""
        return f"{sum(1 << core for core in self.cores):x}"


@dataclass(frozen=True)
class Facts:
    """A phone.

    Attributes:
        serial: as adb calls it.
        model: maker and model.
        soc: maker and model of the processor, or the platform's name on old phones.
        android: version and API level.
        api: the API level alone.
        abis: that its programs may have, the best first.
        build: fingerprint of its system.
        kernel: version of its kernel.
        features: of its processor, as the kernel calls them.
        clusters: of its cores, the weakest first.
        is_emulated: whether times on it mean nothing.

    """

    serial: str
    model: str
    soc: str
    android: str
    api: int
    abis: tuple[str, ...]
    build: str
    kernel: str
    features: tuple[str, ...]
    clusters: tuple[Cluster, ...]
    is_emulated: bool


def ask_facts(shell: Shell) -> Facts:
    """Ask a phone what it is.

    Raises:
        LostError: it does not answer.
        UnusableError: it is too old, or answers something that no phone would.

    """
    return read_facts(shell.serial, shell.run(_QUESTION, _SECONDS))


def read_facts(serial: str, answer: str) -> Facts:
    """Read the answer to our question.

    Raises:
        UnusableError: it is too old, or no phone's answer.

    """
    told = dict(re.findall(r"^\[([^\]]+)\]: \[(.*)\]$", answer, re.MULTILINE))
    api = told.get("ro.build.version.sdk", "")
    if not re.fullmatch(r"\d{1,3}", api):
        raise UnusableError(f"{serial} does not answer as Android does: it tells no API level")
    release = told.get("ro.build.version.release", "?")
    if int(api) < OLDEST_API:
        raise UnusableError(
            f"{serial} has Android {release} (API {api}), and Android 7 (API {OLDEST_API}) or "
            "newer is needed: choose another device"
        )
    clusters = find_clusters(told)
    if not clusters:
        raise UnusableError(f"{serial} does not tell how many processors it has")
    return Facts(
        serial=serial,
        model=_join(told, "ro.product.manufacturer", "ro.product.model") or "unknown",
        soc=_join(told, "ro.soc.manufacturer", "ro.soc.model")
        or told.get("ro.board.platform")
        or "unknown",
        android=f"Android {release} (API {api})",
        api=int(api),
        abis=tuple(filter(None, told.get("ro.product.cpu.abilist", "").split(","))),
        build=told.get("ro.build.fingerprint", ""),
        kernel=told.get("gdq.kernel", ""),
        features=tuple(told.get("gdq.features", "").split()),
        clusters=clusters,
        is_emulated=is_emulated(told),
    )


def find_clusters(told: Mapping[str, str]) -> tuple[Cluster, ...]:
    """Group cores by capacity, else by highest frequency, else by their part; weakest first."""
    parts = told.get("gdq.parts", "").split()
    groups: dict[tuple[int, int, str], list[int]] = {}
    for core in range(_count_cores(told.get("gdq.possible", ""))):
        capacity = _number(told.get(f"gdq.cpu{core}.cpu_capacity"))
        frequency = _number(told.get(f"gdq.cpu{core}.cpuinfo_max_freq"))
        part = parts[core] if core < len(parts) and not (capacity or frequency) else ""
        groups.setdefault((capacity or 0, frequency or 0, part), []).append(core)
    ascending = sorted(groups.items())
    names = _SIZES.get(len(ascending)) or (
        "little", *(f"mid{number}" for number in range(1, len(ascending) - 1)), "big"
    )  # fmt: skip
    return (
        tuple(
            Cluster(name, tuple(cores), capacity or None, frequency or None)
            for name, ((capacity, frequency, _), cores) in zip(names, ascending, strict=True)
        )
        if ascending
        else ()
    )


def is_emulated(told: Mapping[str, str]) -> bool:
    """Tell whether programs are emulated: Android's emulator, or one under another kernel."""
    if "1" in (told.get("ro.kernel.qemu"), told.get("ro.boot.qemu")):
        return True
    if told.get("ro.hardware") in ("goldfish", "ranchu", "cutf_cvm"):
        return True
    # An emulator of programs may invent what uname says, but not what the kernel itself does.
    kernel, version = told.get("gdq.kernel", ""), told.get("gdq.version", "")
    return bool(kernel and version) and f" {kernel} " not in version


def _count_cores(possible: str) -> int:
    """Read ``0-7``, or ``0`` of a single core."""
    match = re.fullmatch(r"0(?:-(\d{1,3}))?", possible.strip())
    return min(int(match[1] or 0) + 1, _MOST_CORES) if match else 0


def _join(told: Mapping[str, str], *names: str) -> str:
    return " ".join(told[name] for name in names if told.get(name))


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text) else None
