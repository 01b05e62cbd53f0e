import errno
import json
import logging
import os
import random
import resource
import shutil
import signal
import sys
from pathlib import Path

import pytest
import torch
from file_operations import Interceptor, Killing
from processes import in_child
from torch import nn

from ftaug.engine.system import checkpoint
from ftaug.engine.system.manifest import manifest_of
from ftaug.errors import BadData, Diverged, StorageError

CRASH_POINTS = {
    "after_write": Killing("open", "/manifest.json"),
    "before_rename": Killing("rename", "step-"),
    "after_rename": Killing("rename", "step-", after=True),
    "during_prune": Killing("rename", ".trash-", after=True),
}


def content(step: int) -> dict[str, dict[str, torch.Tensor]]:
    made = torch.Generator().manual_seed(step)
    return {
        "model": {"weight": torch.randn(5, 7, generator=made), "bias": torch.randn(7, generator=made)},
        "optimizer": {"0.0.exp_avg": torch.randn(5, 7, generator=made), "0.0.step": torch.tensor(float(step))},
    }


def save(folder: Path, step: int) -> Path:
    return checkpoint.save(folder, step, content(step), {"step": step})


def holds(path: Path, step: int) -> bool:
    tensors, state = checkpoint.load(path)
    wanted = content(step)
    same = all(torch.equal(tensors[key][name], wanted[key][name]) for key in wanted for name in wanted[key])
    return same and tensors.keys() == wanted.keys() and state == {"step": step}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_all_that_a_tensor_can_be_comes_back(tmp_path):
    base = torch.randn(4, 6)
    tensors = {
        "float": base,
        "shared": base,
        "view": base[1:3, ::2],
        "transposed": base.t(),
        "channels_last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "bfloat16": torch.randn(3).bfloat16(),
        "half": torch.randn(3).half(),
        "double": torch.randn(3).double(),
        "int64": torch.tensor([2**62, -1]),
        "bool": torch.tensor([True, False]),
        "uint8": torch.arange(3, dtype=torch.uint8),
        "scalar": torch.tensor(0.1),
        "empty": torch.empty(0, 3),
        "parameter": nn.Parameter(torch.randn(2)),
        "odd ' name/ü": torch.ones(1),
    }
    state = {"loss": 0.1 + 0.2, "best": None, "names": ["a"], "none": None, "big": 2**70, "text": "ü\n"}
    path = checkpoint.save(tmp_path, 123, {"model": {}, "ema": tensors}, state)
    assert path == tmp_path / "step-0000123"
    found, found_state = checkpoint.load(path)
    assert found_state == state
    assert found["model"] == {}
    assert found["ema"].keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found["ema"][name].dtype == tensor.dtype, name
        assert torch.equal(found["ema"][name], tensor), name


def test_two_hundred_flipped_bytes_are_all_found_and_the_one_before_is_taken(tmp_path, caplog):
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    draw = random.Random(0)
    files = sorted(path.iterdir())
    assert [file.name for file in files] == [
        "manifest.json",
        "model.safetensors",
        "optimizer.safetensors",
        "state.json",
    ]
    for count in range(200):
        file = files[count % len(files)]
        good = file.read_bytes()
        bad = bytearray(good)
        bad[draw.randrange(len(bad))] ^= draw.randrange(1, 256)
        file.write_bytes(bad)
        caplog.clear()
        assert checkpoint.newest(tmp_path) == tmp_path / "step-0000001"
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "step-0000002" in caplog.text
        with pytest.raises(BadData):
            checkpoint.load(path)
        file.write_bytes(good)
    assert checkpoint.newest(tmp_path) == path
    assert holds(path, 2)


@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("kept", [None, 0.0, 0.1, 0.5, 0.99])
def test_truncated_and_missing_files_are_found(tmp_path, name, kept):
    save(tmp_path, 1)
    file = save(tmp_path, 2) / name
    if kept is None:
        file.unlink()
    else:
        os.truncate(file, int(file.stat().st_size * kept))
    assert checkpoint.newest(tmp_path) == tmp_path / "step-0000001"


def test_a_grown_file_and_a_foreign_file_are_found(tmp_path):
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    (path / "more.safetensors").write_bytes(b"")
    assert checkpoint.newest(tmp_path) == tmp_path / "step-0000001"
    (path / "more.safetensors").unlink()
    with (path / "state.json").open("ab") as file:
        file.write(b" ")
    assert checkpoint.newest(tmp_path) == tmp_path / "step-0000001"


def test_nothing_there_is_none_but_nothing_whole_is_an_error(tmp_path):
    assert checkpoint.newest(tmp_path / "missing") is None
    assert checkpoint.newest(tmp_path) is None
    for step in (1, 2):
        (save(tmp_path, step) / "state.json").write_text("{}")
    with pytest.raises(BadData, match="no checkpoint is intact") as caught:
        checkpoint.newest(tmp_path)
    assert caught.value.exit_code == 65


def test_leftovers_and_foreign_names_are_passed_over_and_cleaned(tmp_path, caplog):
    save(tmp_path, 7)
    for name in (".tmp-0000009-1", ".trash-step-0000003-1"):
        shutil.copytree(tmp_path / "step-0000007", tmp_path / name)
    (tmp_path / "step-abc").mkdir()
    (tmp_path / "step-0000008").write_text("a file")
    assert checkpoint.newest(tmp_path) == tmp_path / "step-0000007"
    assert not caplog.records
    checkpoint.clean(tmp_path)
    assert names(tmp_path) == ["step-0000007", "step-0000008", "step-abc"]


def test_a_later_step_wins_whatever_the_clock_says(tmp_path):
    save(tmp_path, 10_000_000)
    old = save(tmp_path, 9)
    assert checkpoint.newest(tmp_path) == old  # what lay ahead is gone: a run only goes back where that is corrupt
    save(tmp_path, 10_000_000)
    os.utime(tmp_path / "step-10000000", (0, 0))
    assert checkpoint.newest(tmp_path) == tmp_path / "step-10000000"


def test_saving_behind_a_corrupt_checkpoint_is_not_lost_to_pruning(tmp_path):
    for step in (10, 20, 30, 40):
        save(tmp_path, step)
    for step in (30, 40):
        (tmp_path / f"step-00000{step}" / "state.json").unlink()
    assert checkpoint.newest(tmp_path) == tmp_path / "step-0000020"
    save(tmp_path, 25)
    checkpoint.prune(tmp_path, keep=[], last=2)
    assert checkpoint.steps(tmp_path) == [20, 25]
    assert checkpoint.newest(tmp_path) == tmp_path / "step-0000025"


def test_saving_the_same_again_changes_nothing_and_saving_another_replaces(tmp_path):
    path = save(tmp_path, 5)
    before = path.stat().st_ino
    assert save(tmp_path, 5) == path
    assert path.stat().st_ino == before
    checkpoint.save(tmp_path, 5, content(5), {"step": 5, "evaluated": True})
    assert checkpoint.load(path)[1] == {"step": 5, "evaluated": True}
    (path / "model.safetensors").write_bytes(b"broken")
    save(tmp_path, 5)
    assert holds(path, 5)
    assert names(tmp_path) == ["step-0000005"]


def test_prune_keeps_the_last_and_those_to_keep(tmp_path):
    for step in range(1, 7):
        save(tmp_path, step)
    checkpoint.prune(tmp_path, keep={2, 99})
    assert names(tmp_path) == ["step-0000002", "step-0000005", "step-0000006"]
    checkpoint.prune(tmp_path, keep=[])
    assert checkpoint.steps(tmp_path) == [5, 6]
    assert all(holds(tmp_path / f"step-000000{step}", step) for step in (5, 6))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("name", ["model", "ema", "optimizer"])
def test_what_is_not_finite_is_never_saved(tmp_path, bad, dtype, name):
    save(tmp_path, 1)
    weight = torch.zeros(1000, dtype=dtype)
    weight[777] = bad
    with pytest.raises(Diverged, match=rf"'layer\.weight' of the {name} .*step 2"):
        checkpoint.save(tmp_path, 2, {name: {"count": torch.tensor(3), "layer.weight": weight}}, {})
    assert names(tmp_path) == ["step-0000001"]


def failing(real, at: int, number: int, partly: bool = False):
    """A system call that fails the n-th time it is called."""
    calls = iter(range(1, 1_000_000))

    def call(descriptor, *rest):
        if next(calls) == at:
            if partly:
                real(descriptor, rest[0][:3])
            raise OSError(number, os.strerror(number))
        return real(descriptor, *rest)

    return call


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("function", ["write", "fsync"])
def test_a_disk_that_fails_at_any_moment_costs_only_the_new_checkpoint(tmp_path, monkeypatch, function, number):
    for step in (1, 2):
        save(tmp_path, step)
    failures = 0
    for at in range(1, 50):
        with monkeypatch.context() as patch:
            patch.setattr(os, function, failing(getattr(os, function), at, number, partly=function == "write"))
            try:
                save(tmp_path, 3)
            except StorageError as error:
                assert error.exit_code == 74
                assert os.strerror(number) in str(error)
                failures += 1
            else:
                break
        committed = (tmp_path / "step-0000003").exists()
        assert not committed or (function == "fsync" and holds(tmp_path / "step-0000003", 3))
        shutil.rmtree(tmp_path / "step-0000003", ignore_errors=True)
        assert names(tmp_path) == ["step-0000001", "step-0000002"]
        assert checkpoint.newest(tmp_path) == tmp_path / "step-0000002"
        assert holds(tmp_path / "step-0000002", 2)
    assert failures == {"write": 4, "fsync": 6}[function]
    assert holds(tmp_path / "step-0000003", 3)


def test_a_file_size_limit_is_a_storage_error(tmp_path):
    save(tmp_path, 1)

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        checkpoint.save(tmp_path, 2, {"model": {"weight": torch.zeros(100, 100)}}, {})

    assert in_child(limited) == 74
    assert names(tmp_path) == ["step-0000001"]
    assert holds(tmp_path / "step-0000001", 1)


def test_everything_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    synced, events = set(), []
    real_fsync, real_rename = os.fsync, Path.rename

    def fsync(descriptor):
        synced.add(os.fstat(descriptor).st_ino)
        real_fsync(descriptor)

    def rename(self, target):
        wanted = {self.stat().st_ino, *(file.stat().st_ino for file in self.iterdir())}
        events.append((Path(target).name, len(wanted), wanted <= synced))
        synced.clear()
        return real_rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    save(tmp_path, 1)
    assert events == [("step-0000001", 5, True)]
    assert tmp_path.stat().st_ino in synced  # after the rename


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_killed_within_a_save(tmp_path, point):
    for step in (1, 2):
        save(tmp_path, step)

    def crash():
        with Interceptor(tmp_path, CRASH_POINTS[point]):
            save(tmp_path, 3)
            checkpoint.prune(tmp_path, keep=[])

    assert in_child(crash) == -signal.SIGKILL
    assert in_child(crash) in (-signal.SIGKILL, 0)  # what the first start got done, the second need not do
    found = checkpoint.newest(tmp_path)
    step = int(found.name[-1])
    assert step == (2 if point in ("after_write", "before_rename") else 3)
    assert holds(found, step)
    checkpoint.clean(tmp_path)
    save(tmp_path, 3)
    checkpoint.prune(tmp_path, keep=[])
    assert names(tmp_path) == ["step-0000002", "step-0000003"]
    assert all(holds(tmp_path / f"step-000000{step}", step) for step in (2, 3))


def test_killed_while_a_checkpoint_is_replaced(tmp_path):
    """An evaluation has been added to the step of the only checkpoint."""
    save(tmp_path, 1)

    def crash():
        with Interceptor(tmp_path, Killing("rename", "step-", 2)):
            checkpoint.save(tmp_path, 1, {"model": {"w": torch.zeros(3)}}, {})

    assert in_child(crash) == -signal.SIGKILL
    checkpoint.clean(tmp_path)
    assert names(tmp_path) == ["step-0000001"]
    assert holds(checkpoint.newest(tmp_path), 1)


def test_killed_at_random_moments_while_saving(tmp_path):
    """Whatever the moment, the newest checkpoint is whole and no older than the last one that was reported."""
    draw = random.Random(1)
    last = 0
    for _ in range(12):
        ready, report = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ready)
            step = last
            while True:
                step += 1
                save(tmp_path, step)
                checkpoint.prune(tmp_path, keep=[])
                os.write(report, step.to_bytes(4, "big"))
        os.close(report)
        reported = int.from_bytes(os.read(ready, 4), "big")
        signal.sigtimedwait([], draw.random() * 0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while data := os.read(ready, 4):
            reported = int.from_bytes(data, "big")
        os.close(ready)
        checkpoint.clean(tmp_path)
        found = checkpoint.newest(tmp_path)
        assert found is not None
        last = int(found.name.removeprefix("step-"))
        assert last >= reported
        assert holds(found, last)


def test_a_corrupt_file_whose_manifest_agrees_is_bad_data(tmp_path):
    """Someone who edits a file and mends the manifest gets one line, not a traceback."""
    path = save(tmp_path, 1)
    for name, data in (("model.safetensors", b"\xff" * 100), ("state.json", b"{")):
        good = (path / name).read_bytes()
        (path / name).write_bytes(data)
        (path / "manifest.json").write_bytes(manifest_of(path))
        with pytest.raises(BadData, match="cannot be read"):
            checkpoint.load(path)
        (path / name).write_bytes(good)


def test_using_what_was_loaded_does_not_change_the_files(tmp_path):
    path = save(tmp_path, 1)
    tensors, _ = checkpoint.load(path)
    for group in tensors.values():
        for tensor in group.values():
            tensor.zero_()
    assert holds(path, 1)


def test_no_pickle_is_read_or_written(tmp_path):
    def check():
        def hook(event, arguments):
            if event.startswith("pickle."):
                os._exit(7)

        sys.addaudithook(hook)
        return 0 if holds(save(tmp_path, 1), 1) else 8

    assert in_child(check) == 0
    assert {path.suffix for path in (tmp_path / "step-0000001").iterdir()} == {".safetensors", ".json"}
    json.loads((tmp_path / "step-0000001" / "manifest.json").read_text())


def test_a_pruned_checkpoint_under_a_reader_is_no_corruption(tmp_path, caplog, monkeypatch):
    """`evaluate` may look while `train` deletes: it takes another one and says nothing."""
    for step in (1, 2):
        save(tmp_path, step)
    real = checkpoint._defect

    def slow(path):
        if path.name.endswith("2"):
            shutil.rmtree(path)
        return real(path)

    monkeypatch.setattr(checkpoint, "_defect", slow)
    with caplog.at_level(logging.WARNING):
        assert checkpoint.newest(tmp_path) == tmp_path / "step-0000001"
    assert not caplog.records
