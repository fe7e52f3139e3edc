"""What the documents tell a reader to type, open and expect is there."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

from gdq_bench.cli.verbs import CommandWithVerbs
from gdq_runtime.bundle.manifest import Manifest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("models/zoo/*/*.md")])
COMMANDS = {
    point.name: point
    for point in entry_points(group="console_scripts")
    if point.value.startswith("gdq_")
}


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def typed_commands() -> list[str]:
    """Every line of a shell block that starts one of our commands, continued lines joined."""
    lines: list[str] = []
    for document in DOCUMENTS:
        for block in re.findall(r"```sh\n(.*?)```", text_of(document), re.DOTALL):
            lines += block.replace("\\\n", " ").splitlines()
    return sorted({line.strip() for line in lines if re.match(r"\s*gdq-", line)})


@pytest.mark.parametrize("line", typed_commands())
def test_a_typed_command_and_its_options_exist(line: str) -> None:
    name, *words = shlex.split(line, comments=True)
    command = COMMANDS[name].load()
    if isinstance(command, CommandWithVerbs):
        command = command.find(words)
    assert isinstance(command, click.Command)
    known = {option for parameter in command.params for option in parameter.opts}
    options = {word.split("=")[0] for word in words if word.startswith("-")}
    assert options <= known | {"--help", "-h"}


def test_the_readme_shows_how_to_export_and_to_upscale() -> None:
    named = {line.split()[0] for line in typed_commands()}
    assert {"gdq-export", "gdq-upscale"} <= named


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    typed = re.findall(r"(?:`|^)make ([a-z0-9-]+)", text_of(document), re.MULTILINE)
    assert set(typed) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text_of(document))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_source_files_exist(document: Path) -> None:
    named = re.findall(r"`((?:models|exporter|runtime|tests|examples)/[\w/.]+)`", text_of(document))
    assert [path for path in named if "my_" not in path and not (ROOT / path).exists()] == []


def test_the_bundle_page_explains_every_key_of_the_manifest() -> None:
    page = text_of(ROOT / "docs/bundle.md")
    schema = Manifest.model_json_schema()
    objects = [schema, *schema["$defs"].values()]
    keys = {key for thing in objects for key in thing.get("properties", ())}
    assert sorted(key for key in keys if f"`{key}`" not in page) == []
