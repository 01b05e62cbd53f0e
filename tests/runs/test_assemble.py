"""Commands of a single process."""

import pytest

from ftaug.errors import ExperimentError
from ftaug.experiment_file import load
from ftaug.runs.assemble import assemble


def test_a_command_of_one_process_refuses_several(tmp_path, monkeypatch) -> None:
    (tmp_path / "a.yaml").write_text("data: {train: digits}\nbackbone: resnet20\n")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    message = "this command runs in a single process, and torchrun or srun has started 2; start it without them"
    with (
        pytest.raises(ExperimentError, match=message),
        assemble(load(tmp_path / "a.yaml"), "cpu", {}, pretrained=False),
    ):
        pass
