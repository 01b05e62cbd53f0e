"""What the processes of a run share: one writes the folder, the others read it."""

import os
import socket
from types import SimpleNamespace

import pytest
from processes import in_ranks

from ftaug.engine.system.ranks import ALONE
from ftaug.engine.system.world import World
from ftaug.errors import BadData, ExperimentError, RankLost, RunFolderTaken
from ftaug.runs.process_group import newest_checkpoint, open_by_first, quiet, require_same_data

OPTIONS = {"experiment_yaml": "name: a\n", "resolved_yaml": "name: a\n", "digest": "0123"}


def test_rank_0_writes_the_folder_and_the_others_read_it(tmp_path) -> None:
    path = tmp_path / "run"

    def action(ranks):
        with open_by_first(ranks, path, **OPTIONS) as folder:
            folder.write("note", f"rank {ranks.rank}")
            folder.append_metrics({"step": ranks.rank})
            folder.restore_metrics("")
            ranks.wait()
            return type(folder).__name__, folder.path, folder.digest, newest_checkpoint(folder, ranks)

    results = in_ranks(tmp_path, 2, action)
    assert results == [(name, path, "0123", None) for name in ("RunFolder", "FollowedRunFolder")]
    assert (path / "note").read_text() == "rank 0"
    assert (path / "metrics.jsonl").read_text() == ""


def test_a_folder_that_rank_0_cannot_open_ends_all(tmp_path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    (path / "thesis.txt").touch()
    first, second = in_ranks(tmp_path, 2, lambda ranks: open_by_first(ranks, path, **OPTIONS))
    assert isinstance(first, RunFolderTaken)
    assert isinstance(second, RankLost)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"digest": "4567"}, "experiment 4567 on {host} (rank 1) differs from 0123 on {host} (rank 0): all processes"),
        ({"extra_files": {"plugins/a.py": b"x = 1"}}, "plugins "),
    ],
)
def test_another_command_is_an_error_that_names_the_rank(tmp_path, options, message) -> None:
    path = tmp_path / "run"
    first, second = in_ranks(
        tmp_path, 2, lambda ranks: open_by_first(ranks, path, **{**OPTIONS, **(options if ranks.rank else {})}).path
    )
    assert first == path or isinstance(first, RankLost)
    assert isinstance(second, ExperimentError)
    assert str(second).startswith(message.format(host=socket.gethostname()))


def test_other_data_are_an_error_with_both_fingerprints(tmp_path) -> None:
    def action(ranks):
        require_same_data({"train": SimpleNamespace(fingerprint=f"f{ranks.rank}")}, ranks)

    first, second = in_ranks(tmp_path, 2, action)
    assert first is None
    assert isinstance(second, BadData)
    host = socket.gethostname()
    text = f"data.train has the fingerprint f1 on {host} (rank 1) and f0 on {host} (rank 0): all processes must read"
    assert str(second) == f"{text} the same files"
    require_same_data({"train": SimpleNamespace(fingerprint="f")}, ALONE)


def test_a_rank_above_0_prints_into_the_folder(tmp_path, capfd) -> None:
    for rank in (0, 1):
        with quiet(World(rank, 2), tmp_path):
            os.write(1, f"of rank {rank}\n".encode())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BadData), quiet(World(1, 2), tmp_path):
        raise BadData("digits/3.png: truncated")
    assert capfd.readouterr().out == "of rank 0\n"
    assert (tmp_path / "rank-1.log").read_text() == "digits/3.png: truncated\n"
