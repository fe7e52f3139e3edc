"""``gdq-bench devices``: the phones that adb sees, and what to do before they can be used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gdq_core.cli.command import Command
from gdq_core.cli.errors import ExitCode, print_result

if TYPE_CHECKING:
    from gdq_devices.adb.client import Client
    from gdq_devices.adb.facts import Facts
    from gdq_devices.adb.listing import Listed

EPILOG = """\b
Exit code: 0 all devices can be measured on, 1 one of them cannot, 2 there is
none, or adb is missing.
"""


@click.command(cls=Command, epilog=EPILOG)
def main() -> None:
    """List the phones that adb sees, with the clusters of their cores."""
    import threading

    from gdq_devices.adb.client import find_client
    from gdq_devices.adb.listing import choose_devices, list_devices

    client = find_client(threading.Event())
    listed = list_devices(client)
    if not listed:
        choose_devices(listed, "all")
    described = [_describe(client, one) for one in listed]
    print_result("\n".join(text for text, _ in described))
    if not all(is_ready for _, is_ready in described):
        sys.exit(ExitCode.CHECK_FAILED)


def _describe(client: Client, listed: Listed) -> tuple[str, bool]:
    """Return what to say of a device, and whether it can be measured on."""
    from gdq_devices.adb.facts import ask_facts
    from gdq_devices.adb.shell import Shell
    from gdq_devices.errors import ProgramError

    if listed.advice is not None:
        return listed.advice, False
    try:
        return describe_facts(ask_facts(Shell(client, listed.serial))), True
    except ProgramError as error:
        return str(error), False


def describe_facts(facts: Facts) -> str:
    """Describe a phone in a line and one for each cluster."""
    emulated = ", emulated" if facts.is_emulated else ""
    lines = [f"{facts.serial}  {facts.model}, {facts.soc}, {facts.android}{emulated}"]
    for one in facts.clusters:
        frequency = f", {one.max_frequency / 1e6:.2f} GHz" if one.max_frequency else ""
        cores = "1 core" if len(one.cores) == 1 else f"{len(one.cores)} cores"
        lines.append(f"  {one.name}: {cores}{frequency} (--cores {one.name}, or {one.mask})")
    return "\n".join(lines)
