from __future__ import annotations

import click
import pytest
from click import Parameter

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
