"""The options of `ftaug pack`."""

import json

import pytest
from kinds import Pictures

from ftaug.cli import run
from ftaug.commands.pack import size_in_bytes
from ftaug.errors import ExperimentError


@pytest.fixture
def experiment(tmp_path):
    return Pictures(tmp_path, None).experiment


def test_the_folder_or_json_is_printed(experiment, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert run(["pack", str(experiment), "--output", out, "--size", "1MB"]) == 0
    output = capsys.readouterr()
    assert output.out == f"{out}\n" and f"train: {{image_shards: {{path: {out}/train-*.tar" in output.err
    assert run(["pack", str(experiment), "--output", out, "--size", "1MB", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"output": out, "splits": {"train": {"samples": 24, "shards": 1}}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "ftaug pack: expected --output DIR"),
        (["--output", "out", "--quality", "80"], "--quality: is that of resized images; set --resize too"),
        (["--output", "out", "--size", "1"], "--size must be a number with kB, MB, GB, TB, such as 500MB; got 1"),
        (["--output", "photos/out"], "lies inside the data"),
    ],
)
def test_wrong_options_are_errors(experiment, arguments, message, capsys, monkeypatch):
    monkeypatch.chdir(experiment.parent)
    assert run(["pack", str(experiment), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_sizes():
    assert [size_in_bytes(text) for text in ("1GB", "1.5 MB", "20kB")] == [10**9, 1_500_000, 20_000]
    for text in ("0MB", "1 gb", "-1MB", "1e3MB", ""):
        with pytest.raises(ExperimentError):
            size_in_bytes(text)
