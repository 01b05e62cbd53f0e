"""`ftaug slurm` prints a script, or submits it."""

import pytest

from ftaug.cli import run

EXPERIMENT = "name: flowers\ndata: {train: digits}\nbackbone: {resnet20: {weights: letters}}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowers.yaml").write_text(EXPERIMENT)
    return tmp_path


def test_the_script_trains_the_run_that_train_would(folder, capsys) -> None:
    arguments = ["slurm", "flowers.yaml", "train.epochs=3", "--gpus-per-node", "4", "--time", "4:00"]
    assert run([*arguments, "--sbatch=--partition=gpu"]) == 0
    script = capsys.readouterr().out
    assert "#SBATCH --ntasks-per-node=4\n#SBATCH --gpus-per-node=4\n#SBATCH --time=0-04:00:00\n" in script
    assert "#SBATCH --partition=gpu\n" in script
    assert "\nrun=runs/flowers-" in script
    assert 'ftaug train flowers.yaml train.epochs=3 --run-dir "$run"' in script


def test_sbatch_gets_the_script(folder, capsys, monkeypatch) -> None:
    (folder / "sbatch").write_text("#!/bin/bash\ncat > submitted\necho Submitted batch job 77\n")
    (folder / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    assert run(["slurm", "flowers.yaml", "--array", "seeds=0..4", "--submit"]) == 0
    assert capsys.readouterr().out == "Submitted batch job 77\n"
    assert "#SBATCH --array=0-4\n" in (folder / "submitted").read_text()
    (folder / "sbatch").write_text("#!/bin/bash\necho 'invalid partition' >&2\nexit 1\n")
    assert run(["slurm", "flowers.yaml", "--submit"]) == 69
    assert capsys.readouterr().err == "sbatch refused the script: invalid partition\n"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--submit"], 69, "--submit: there is no sbatch on this machine; leave it out to print the script"),
        (["--array", "seeds=0..1", "--folds", "2"], 2, "--array and --folds: are job arrays; use one of them"),
        (["--time", "4"], 2, "--time: must be hours and minutes such as 4:00, or 2-12:00 with days; got '4'"),
        (["lr.peek=1"], 2, "lr.peek: is no setting"),
    ],
)
def test_mistakes_are_one_line(folder, capsys, monkeypatch, options, code, message) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert run(["slurm", "flowers.yaml", *options]) == code
    assert message.split(":")[0] in capsys.readouterr().err


def test_the_jobs_of_a_search_share_its_folder(folder, capsys) -> None:
    (folder / "flowers.yaml").write_text(EXPERIMENT + "lr: {peak: {search: {log: [1e-4, 0.1]}}}\n")
    assert run(["slurm", "flowers.yaml", "train.epochs=3", "--search", "20", "--cpus-per-task", "4"]) == 0
    script = capsys.readouterr().out
    assert "#SBATCH --array=1-20\n" in script
    assert (
        "\nsrun --kill-on-bad-exit=1 ftaug search flowers.yaml train.epochs=3 --output runs/flowers-search\n" in script
    )
    assert 'scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"' in script
    assert run(["slurm", "flowers.yaml", "--search", "20", "--folds", "3"]) == 2
    assert run(["slurm", "flowers.yaml"]) == 2
    assert "lr.peak is a search space" in capsys.readouterr().err
