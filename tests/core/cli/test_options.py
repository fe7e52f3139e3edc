from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
import pytest
from click import Parameter

from gdq_core.cli.options import PATH
from gdq_runtime.cli.upscale import main
from gdq_runtime.engines.registry import engine_names
from gdq_runtime.tiles.tiling import POLICIES

WANTED = ["photo.png", "--bundle", "bundle", "--output", "larger.png"]


def option(name: str) -> Parameter:
    return next(parameter for parameter in main.params if parameter.name == name)


@pytest.mark.parametrize(
    ("name", "choices", "default"),
    [
        ("engine", engine_names(), None),  # depends on installation and bundle
        ("policy", POLICIES, "uniform"),
    ],
)
def test_choices_are_in_step(name: str, choices: tuple[str, ...], default: str | None) -> None:
    kind = option(name).type
    assert isinstance(kind, click.Choice)
    assert tuple(kind.choices) == choices
    assert main.make_context("gdq-upscale", list(WANTED)).params[name] == default


COMMANDS = [
    "gdq_runtime.cli.upscale",
    "gdq_exporter.cli.export",
    "gdq_models.cli.calibrate",
    "gdq_models.cli.train",
    "gdq_validate.cli.validate",
    "gdq_bench.cli.bench",
]


@pytest.mark.parametrize("module", COMMANDS)
def test_an_empty_name_is_never_the_current_folder(module: str) -> None:
    """As of a shell's variable that is not set."""
    command = import_module(module).main
    paths = [parameter for parameter in command.params if isinstance(parameter.type, click.Path)]
    assert len(paths) > 1
    for parameter in paths:
        with pytest.raises(click.BadParameter, match="an empty name is given"):
            parameter.type.convert("", parameter, None)
    assert PATH.convert(".", None, None) == Path()
