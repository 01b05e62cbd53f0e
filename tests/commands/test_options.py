"""Arguments and options that several commands share, as a command receives them."""

import pytest
import typer
from typer.testing import CliRunner

from ftaug import cli
from ftaug.commands.options import AsJson, Config, Device, OnDevice, Overrides, Require, TrustPlugins

app = typer.Typer()
received = {}


@app.command()
def command(
    config: Config,
    overrides: Overrides = None,
    as_json: AsJson = False,
    device: OnDevice = Device.auto,
    trust_plugins: TrustPlugins = False,
    require: Require = None,
) -> None:
    received.update(locals())


def invoke(*arguments):
    received.clear()
    return CliRunner().invoke(app, arguments)


def test_defaults():
    assert invoke("a.yaml").exit_code == 0
    assert received.pop("config").name == "a.yaml"
    assert not any(received.pop(name) for name in ("overrides", "as_json", "trust_plugins", "require"))
    assert received == {"device": "auto"}


def test_values_are_handed_on():
    line = ["a.yaml", "seed=1", "~mix", "--json", "--device", "cuda", "--require", "f1>0", "--require", "loss<1"]
    assert invoke(*line).exit_code == 0
    assert (received["overrides"], received["require"]) == (["seed=1", "~mix"], ["f1>0", "loss<1"])
    assert (received["as_json"], str(received["device"]), received["trust_plugins"]) == (True, "cuda", False)


@pytest.mark.parametrize("line", [[], ["a.yaml", "--device", "tpu"], ["a.yaml", "--require"]])
def test_usage_errors(line):
    assert invoke(*line).exit_code == 2


def test_an_option_means_the_same_in_every_command():
    texts = {}
    for name in cli.COMMANDS:
        for parameter in cli.load_command(name).params:
            if parameter.name in ("as_json", "device", "trust_plugins", "require"):
                texts.setdefault(parameter.name, set()).add((tuple(parameter.opts), parameter.help))
    assert {name: len(variants) for name, variants in texts.items()} == dict.fromkeys(texts, 1)
    assert texts.keys() == {"as_json", "device", "trust_plugins", "require"}
