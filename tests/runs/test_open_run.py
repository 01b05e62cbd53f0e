"""The experiment of a run folder, or of the first fold of a cross-validation."""

import pytest

from ftaug.engine.system.run_files import FOLDS_FILE
from ftaug.errors import MissingInput
from ftaug.runs.open_run import load_run_experiment, open_run


def write_run(folder, seed):
    folder.mkdir(parents=True)
    text = f"seed: {seed}\ndata: {{train: digits}}\nbackbone: {{resnet20: {{weights: none}}}}\n"
    (folder / "resolved.yaml").write_text(text)


def test_the_experiment_of_a_run(tmp_path):
    write_run(tmp_path / "run", seed=7)
    assert load_run_experiment(tmp_path / "run").seed == 7


def test_the_experiment_of_folds_is_that_of_the_first(tmp_path):
    for number in (1, 2):
        write_run(tmp_path / f"fold-{number}", seed=number)
    (tmp_path / FOLDS_FILE).write_text("{}")
    assert load_run_experiment(tmp_path).seed == 1


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(MissingInput, match="not a run folder"):
        load_run_experiment(tmp_path)
    with pytest.raises(MissingInput, match="not a run folder"):
        open_run(tmp_path)
