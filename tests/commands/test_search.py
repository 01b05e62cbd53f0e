"""`ftaug search` as a user meets it: mistakes, and the state of a search."""

import pytest

from ftaug.cli import run

FILE = """\
data: {train: {digits: {per_class: 10}}, val: {split: 30%}}
backbone: {resnet20: {weights: letters}}
lr: {peak: {search: {log: [1e-4, 0.1]}}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e.yaml").write_text(FILE)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["e.yaml", "--status"], 66, "runs/e-search: no search has been started there"),
        (["missing.yaml"], 66, "missing.yaml: no such file"),
        (["e.yaml", "lr.peak=0.1"], 2, "e.yaml: has no search space; write one where a value stands"),
        (["e.yaml", "search.sampler=tpee"], 2, "search.sampler must be one of sobol, random, grid, tpe, gp or cma_es"),
        (["e.yaml", "data.val=null"], 2, "a search chooses by validation samples, and data.val is null"),
        (["e.yaml"], 65, "data.val: 15 samples would be held out to confirm the result, and 20 are the least"),
        (["e.yaml", "-o", "e.yaml", "search.confirm=null"], 74, "e.yaml: cannot be written"),
    ],
)
def test_mistakes_are_one_line_and_leave_no_folder(folder, capsys, arguments, code, message):
    assert run(["search", *arguments]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (folder / "runs").exists()
