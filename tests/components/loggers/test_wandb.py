"""W&B gets figures, configuration and plots, is offline without a key, and continues its run."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from logged_runs import SETTINGS, logged_run
from PIL import Image

from ftaug.components.loggers.wandb import wandb
from ftaug.errors import Unavailable


@pytest.fixture
def library(monkeypatch, tmp_path):
    """Replace the library; `library.opened` are the arguments of each init, `library.log` what is logged."""
    library = ModuleType("wandb")
    library.opened, library.log, library.ended = [], [], []
    library.Settings, library.Image = dict, lambda path: ("picture", path)
    run = SimpleNamespace(
        log=library.log.append,
        define_metric=lambda *a, **k: None,
        finish=lambda exit_code: library.ended.append(exit_code),
    )
    library.init = lambda **arguments: library.opened.append(arguments) or run
    monkeypatch.setitem(sys.modules, "wandb", library)
    for variable in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_BASE_URL", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return library


def test_figures_configuration_and_plots(tmp_path, library):
    logger = wandb(logged_run(tmp_path), project="flowers")
    logger.log(3, {"train/loss": 0.5})
    logger.image("curves", tmp_path / "curves.png")
    logger.close("finished")
    (arguments,) = library.opened
    assert (arguments["project"], arguments["name"], arguments["dir"]) == ("flowers", tmp_path.name, str(tmp_path))
    assert arguments["config"] == SETTINGS
    picture = ("picture", str(tmp_path / "curves.png"))
    assert library.log == [{"train/loss": 0.5, "step": 3}, {"plots/curves": picture, "step": 3}]
    assert library.ended == [0]


def test_a_continued_run_is_the_same_one(tmp_path, library, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "x")
    wandb(logged_run(tmp_path)).close("stopped")
    wandb(logged_run(tmp_path, step=4))
    wandb(logged_run(tmp_path))
    first, continued, other = (arguments["id"] for arguments in library.opened)
    assert first == continued != other
    assert all(arguments["resume"] == "allow" for arguments in library.opened)
    assert library.ended == [1]


@pytest.mark.parametrize(
    ("variables", "settings", "expected"),
    [
        ({}, {}, "offline"),
        ({"WANDB_API_KEY": "x"}, {}, "online"),
        ({"WANDB_API_KEY": "x", "HF_HUB_OFFLINE": "1"}, {}, "offline"),
        ({"WANDB_MODE": "disabled"}, {}, "disabled"),
        ({"WANDB_MODE": "disabled"}, {"mode": "online"}, "online"),
    ],
)
def test_the_mode(tmp_path, library, monkeypatch, variables, settings, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    wandb(logged_run(tmp_path), **settings)
    assert library.opened[0]["mode"] == expected


def test_a_key_of_wandb_login_is_online(tmp_path, library):
    (tmp_path / "netrc").write_text("machine api.wandb.ai\n  login user\n  password key\n")
    wandb(logged_run(tmp_path))
    assert library.opened[0]["mode"] == "online"


def test_without_wandb_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(Unavailable, match=r"logger 'wandb' needs wandb: pip install 'ftaug\[wandb\]'"):
        wandb(logged_run(tmp_path))


def test_wandb_itself(tmp_path):
    pytest.importorskip("wandb")
    Image.new("RGB", (4, 4)).save(tmp_path / "curves.png")
    for step in (0, 1):
        logger = wandb(logged_run(tmp_path, step), mode="offline")
        logger.log(step + 1, {"train/loss": 0.5, "val/accuracy": float("nan")})
        logger.image("curves", tmp_path / "curves.png")
        logger.close("finished")
    folders = sorted(path.name for path in (tmp_path / "wandb").glob("offline-run-*"))
    assert folders  # one where both starts are within a second
    assert len({name.rpartition("-")[2] for name in folders}) == 1
    assert list((tmp_path / "wandb").glob("offline-run-*/files/media/images/plots/curves_*.png"))
