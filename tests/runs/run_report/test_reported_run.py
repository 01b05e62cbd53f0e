from dataclasses import replace
from pathlib import Path

from predictions import single_label
from reported_runs import reported


def test_model_and_data_are_loaded_once_and_only_when_asked_for():
    loaded = []
    run = replace(
        reported(single_label(), "runs/a"),
        load_model=lambda: loaded.append("model"),
        load_data=lambda: loaded.append("data"),
        load_experiment=lambda: loaded.append("experiment"),
    )
    assert (run.folder, run.task.kind, loaded) == (Path("runs/a"), "single_label", [])
    for _ in range(2):
        _ = run.model, run.data, run.experiment
    assert loaded == ["model", "data", "experiment"]
