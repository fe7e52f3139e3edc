"""``gdq-bench app``: pulls a result that the demo app measured and wrote itself."""

from __future__ import annotations

from pathlib import Path

import click

from gdq_core.cli import options
from gdq_core.cli.command import Command
from gdq_core.cli.errors import print_result

EPILOG = """\b
Examples:
  gdq-bench app --from-app --json app.json
  gdq-bench app --from-app --device 2A221FDH --json app.json
"""


@click.command(cls=Command, epilog=EPILOG)
@click.option("--from-app", is_flag=True, required=True, help="Pull what the app wrote last.")
@click.option(
    "--device", default="", metavar="SERIAL", help="By adb's serial.  [default: the only phone]"
)
@click.option("--json", "json_file", type=options.PATH, required=True, help="Where to put it.")
@options.overwrite_option
def main(from_app: bool, device: str, json_file: Path, overwrite: bool) -> None:
    """Pull the result of the demo app's own benchmark, and show it."""
    assert from_app, "the only source"
    import threading

    from gdq_bench.report.text import render_text
    from gdq_bench.targets.phone.app import pull_result
    from gdq_core.files.reports import check_reports
    from gdq_core.files.text import save_text
    from gdq_devices.adb.client import find_client
    from gdq_devices.adb.listing import choose_one, list_devices
    from gdq_devices.adb.shell import Shell

    check_reports(json_file, None, [], overwrite=overwrite)
    client = find_client(threading.Event())
    serial = choose_one(list_devices(client), device)
    result = pull_result(Shell(client, serial))
    save_text(json_file, result.model_dump_json(indent=1) + "\n")
    print_result(render_text(result))
