import errno
import json
import logging
import os
import random
import signal
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from file_operations import Failing, Handler, Interceptor
from processes import in_child

from ftaug.engine.system import checkpoint, storage
from ftaug.engine.system.run_files import default_path
from ftaug.engine.system.run_folder import RunFolder
from ftaug.errors import (
    BadData,
    ExperimentError,
    FtaugError,
    Interrupted,
    OutOfMemory,
    RunFolderTaken,
    Stopped,
    StorageError,
)

GIVEN = "data: {path: x}  # as written\n"
RESOLVED = "train:\n  epochs: 3\naugment:\n- rotate:\n    degrees: 15.0\nmix: null\n"
DIGEST = "0123456789abcdef" * 4


def open_folder(path: Path, *, resolved: str = RESOLVED, digest: str = DIGEST, **options) -> RunFolder:
    return RunFolder.open(path, experiment_yaml=GIVEN, resolved_yaml=resolved, digest=digest, **options)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def checkpoint_at(folder: RunFolder, step: int) -> None:
    checkpoint.save(folder.checkpoints, step, {"model": {"w": torch.ones(2)}}, {"metrics": folder.metrics_text()})


def test_what_a_new_folder_holds(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_SECRET_TOKEN", "hunter2")
    with open_folder(tmp_path / "runs" / "flowers") as folder:
        assert folder.attempt == 1
        assert folder.complete is None
        assert folder.checkpoints.is_dir()
    assert (folder.path / "experiment.yaml").read_text() == GIVEN
    assert (folder.path / "resolved.yaml").read_text() == RESOLVED
    text = (folder.path / "environment.json").read_text()
    assert "hunter2" not in text
    described = json.loads(text)
    assert described["packages"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert described["threads"] == torch.get_num_threads()
    assert {"python", "platform", "cpu", "command", "git"} <= described.keys()
    assert not list(folder.path.glob(".tmp-*"))


def test_the_default_place_follows_from_the_experiment(tmp_path):
    assert default_path("flowers", DIGEST) == Path("runs/flowers-01234567")
    assert default_path("flowers", DIGEST, tmp_path) == tmp_path


def test_the_default_place_is_made_in_the_current_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_folder(default_path("flowers", DIGEST)):
        assert (tmp_path / "runs" / "flowers-01234567" / "resolved.yaml").is_file()


def test_the_same_experiment_continues(tmp_path):
    for attempt in (1, 2, 3):
        with open_folder(tmp_path / "a") as folder:
            assert folder.attempt == attempt
            checkpoint_at(folder, attempt)
    assert checkpoint.steps(folder.checkpoints) == [1, 2, 3]


def test_another_experiment_is_refused_with_its_differences(tmp_path):
    with open_folder(tmp_path / "a"):
        pass
    other = "train: {epochs: 5}\naugment:\n- rotate:\n    degrees: 15.0\n- grayscale: {}\nseed: 1\nmix: null\n"
    with pytest.raises(ExperimentError) as caught:
        open_folder(tmp_path / "a", resolved=other, digest="other")
    assert "train.epochs: 3 → 5" in str(caught.value).splitlines()
    assert caught.value.exit_code == 2
    assert (tmp_path / "a" / "resolved.yaml").read_text() == RESOLVED
    with open_folder(tmp_path / "a"):  # and the lock was given back
        pass


def test_settings_that_cannot_change_the_result_may_differ(tmp_path):
    with open_folder(tmp_path / "a"):
        pass
    with open_folder(tmp_path / "a", resolved=RESOLVED + "workers: 4\n"):
        assert (tmp_path / "a" / "resolved.yaml").read_text() == RESOLVED + "workers: 4\n"


def test_fresh_takes_the_next_free_name(tmp_path):
    for name in ("a", "a-2", "a-3"):
        with open_folder(tmp_path / "a", fresh=True) as folder:
            assert folder.path == tmp_path / name
            folder.finish(1, {"step": 1, "metrics": {}})


def fresh(path: Path, error: Exception | None = None, *, digest: str = DIGEST) -> str:
    """Start with `--fresh` and end with an error; returns the folder's name."""
    with pytest.raises(type(error)) if error else nullcontext(), open_folder(path, fresh=True, digest=digest) as folder:
        name = folder.path.name
        if error:
            raise error
    return name


def test_fresh_continues_what_it_began_and_a_stop_ended(tmp_path):
    with open_folder(tmp_path / "a"):
        pass  # which was not begun by --fresh
    assert fresh(tmp_path / "a", Stopped("SIGTERM")) == "a-2"
    assert fresh(tmp_path / "a", Interrupted("Ctrl-C")) == "a-2"
    assert fresh(tmp_path / "a", StorageError("no space; what was saved before is intact")) == "a-2"
    assert fresh(tmp_path / "a", Stopped("SIGTERM"), digest=DIGEST[::-1]) == "a-3"  # another experiment
    assert fresh(tmp_path / "a", BadData("no such file")) == "a-4"
    assert fresh(tmp_path / "a", Stopped("SIGTERM")) == "a-5"  # what failed is not continued
    with open_folder(tmp_path / "a", fresh=True) as running:
        assert running.path == tmp_path / "a-5"
        assert fresh(tmp_path / "a", Stopped("SIGTERM")) == "a-6"  # and what another process trains neither
    (tmp_path / "a-6" / "status.json").write_text("{")
    assert fresh(tmp_path / "a") == "a-7"


def test_places_that_cannot_be_used_are_73(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("")
    for path, message in (
        (tmp_path / "file", "cannot be written"),
        (tmp_path / "file" / "a", "cannot be written"),
        (tmp_path / "file" / "a" / "b", "does not exist"),
        (tmp_path / "no" / "such" / "folder", "does not exist"),
        (tmp_path / "photos", "neither empty nor a run folder"),
        (Path("/proc/ftaug"), "cannot be written"),
    ):
        with pytest.raises(RunFolderTaken, match=message) as caught:
            open_folder(path)
        assert caught.value.exit_code == 73
        assert "--run-dir" in str(caught.value)
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.jpg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_place_is_73(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RunFolderTaken, match="Permission denied"):
        open_folder(tmp_path / "a")


def test_a_start_that_died_before_its_first_file_does_not_block_the_next(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".lock").write_text("")
    (tmp_path / "a" / ".tmp-status.json-1").write_text("{")
    with open_folder(tmp_path / "a"):
        assert not list((tmp_path / "a").glob(".tmp-*"))


def test_a_broken_status_is_bad_data(tmp_path):
    with open_folder(tmp_path / "a"):
        pass
    for text in ("{", "[]", "3", '{"digest"', "{}", f'{{"digest": "{DIGEST}"}}', '{"digest": 3}', "[" * 100_000):
        (tmp_path / "a" / "status.json").write_text(text)
        with pytest.raises(BadData, match=r"status\.json"):
            open_folder(tmp_path / "a")


def test_one_writer_and_the_other_is_told_who(tmp_path, monkeypatch):
    with open_folder(tmp_path / "a"):
        assert in_child(lambda: open_folder(tmp_path / "a")) == 73
        with pytest.raises(RunFolderTaken, match=f"process {os.getpid()} on "):
            open_folder(tmp_path / "a")
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    with open_folder(tmp_path / "a"), pytest.raises(RunFolderTaken, match="job 4711, since 20"):
        open_folder(tmp_path / "a")


def test_of_twenty_starters_one_wins(tmp_path):
    for round_ in range(5):
        go, go_write = os.pipe()
        done, done_write = os.pipe()
        starters = []
        for _ in range(20):
            child = os.fork()
            if child == 0:
                os.close(go_write)
                os.read(go, 1)  # all at once
                try:
                    open_folder(tmp_path / f"{round_}")
                    os.write(done_write, b"w")
                    time.sleep(60)
                except RunFolderTaken:
                    os.write(done_write, b"l")
                except BaseException:
                    os.write(done_write, b"e")
                os._exit(0)
            starters.append(child)
        os.close(go)
        os.close(go_write)
        results = b"".join(os.read(done, 1) for _ in range(20))
        for child in starters:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(done)
        os.close(done_write)
        assert sorted(results) == sorted(b"w" + 19 * b"l")


def test_kill_9_releases_the_lock_even_while_a_worker_lives(tmp_path):
    ready, report = os.pipe()
    owner = os.fork()
    if owner == 0:
        open_folder(tmp_path / "a")
        worker = os.fork()
        if worker == 0:
            time.sleep(60)
            os._exit(0)
        os.write(report, worker.to_bytes(4, "big"))
        time.sleep(60)
        os._exit(0)
    worker = int.from_bytes(os.read(ready, 4), "big")
    assert in_child(lambda: open_folder(tmp_path / "a")) == 73
    os.kill(owner, signal.SIGKILL)
    os.waitpid(owner, 0)
    os.kill(worker, 0)  # it lives
    with open_folder(tmp_path / "a") as folder:
        assert folder.attempt == 2
    os.kill(worker, signal.SIGKILL)


def test_three_restarts_without_progress_are_enough(tmp_path):
    def start():
        open_folder(tmp_path / "a")
        die()

    assert [in_child(start) for _ in range(5)] == [-9, -9, -9, 4, -9]  # once it was said, a person may try again
    with pytest.raises(OutOfMemory, match=r"no progress in 3 starts.*step 0"):
        for _ in range(2):
            in_child(start)
        open_folder(tmp_path / "a")


def test_three_defects_are_no_lack_of_memory(tmp_path):
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), open_folder(tmp_path / "a"):
            raise ZeroDivisionError
    with pytest.raises(FtaugError, match=r"no progress in 3 starts.*by an internal error; see crash\.log") as info:
        open_folder(tmp_path / "a")
    assert info.value.exit_code == 1
    with open_folder(tmp_path / "a"):
        pass  # the same command tries again


def test_a_restart_with_progress_or_an_orderly_end_counts_from_zero(tmp_path):
    def start(step):
        folder = open_folder(tmp_path / "a")
        checkpoint_at(folder, step)
        die()

    def starts_at_step():
        return json.loads((tmp_path / "a" / "status.json").read_text())["starts_at_step"]

    for step in range(1, 8):
        assert in_child(lambda step=step: start(step)) == -9
        assert starts_at_step() == 1
    for _ in range(3):
        for _ in range(2):
            assert in_child(lambda: start(7)) == -9
        with open_folder(tmp_path / "a"):
            pass
    assert starts_at_step() == 9


@pytest.mark.parametrize(
    ("error", "died"), [(StorageError("full"), False), (KeyboardInterrupt(), False), (RuntimeError("bug"), True)]
)
def test_what_counts_as_a_death(tmp_path, error, died):
    with pytest.raises(type(error)), open_folder(tmp_path / "a"):
        raise error
    status = json.loads((tmp_path / "a" / "status.json").read_text())
    assert (status["running"], status["crashed"]) == (False, died)


def test_metrics_are_the_same_bytes_however_often_the_run_is_killed(tmp_path):
    """A stand-in for training: kills at random rows, some of them within a line."""
    draw = random.Random(0)
    values = {"loss": 1.5, "accuracy": 0.5, "ü": float("inf")}
    rows = [
        {"step": step, "epoch": step / 10, "loss": draw.random(), "lr": 0.1, "samples": 8, "val": values}
        for step in range(1, 200)
    ]
    with open_folder(tmp_path / "whole") as folder:
        folder.restore_metrics("")
        for row in rows:
            folder.append_metrics(row)
        assert [row["loss"] for row in folder.read_metrics()] == [row["loss"] for row in rows]

    def train(stop):
        folder = open_folder(tmp_path / "killed")
        found = checkpoint.newest(folder.checkpoints)
        step = 0 if found is None else int(found.name.removeprefix("step-"))
        folder.restore_metrics("" if found is None else checkpoint.load(found)[1]["metrics"])
        for row in rows[step:]:
            folder.append_metrics(row)
            if row["step"] % 10 == 0:
                checkpoint_at(folder, row["step"])
            if row["step"] == step + stop:
                with (folder.path / "metrics.jsonl").open("ab") as file:
                    file.write(b'{"step": 12')  # a torn line
                die()
        folder.close()

    codes = [in_child(lambda stop=stop: train(stop)) for stop in (25, 3, 14, 9, 47, 200)]
    assert codes == [-9] * 5 + [0]
    assert (tmp_path / "killed" / "metrics.jsonl").read_bytes() == (tmp_path / "whole" / "metrics.jsonl").read_bytes()


@pytest.mark.parametrize("damage", [b"", b'{"step": 1', b'{"step": 1}\n{"st\x00p": 2}\n', b"\xff" * 40])
def test_damaged_metrics_are_restored_from_the_checkpoint(tmp_path, caplog, damage):
    with open_folder(tmp_path / "a") as folder:
        folder.append_metrics({"step": 1})
        folder.append_metrics({"step": 2, "ü": 0.5})
        saved = folder.metrics_text()
    (tmp_path / "a" / "metrics.jsonl").write_bytes(damage)
    with open_folder(tmp_path / "a") as folder:
        folder.restore_metrics(saved)
        assert folder.read_metrics() == [{"step": 1}, {"step": 2, "ü": 0.5}]
        folder.append_metrics({"step": 3})
    assert (tmp_path / "a" / "metrics.jsonl").read_text() == f'{saved}{{"step": 3}}\n'
    assert "metrics.jsonl: is damaged; restored from the checkpoint" in caplog.text


def test_metrics_that_cannot_be_read_are_bad_data(tmp_path):
    with open_folder(tmp_path / "a") as folder:
        folder.append_metrics({"step": 1})
        (tmp_path / "a" / "metrics.jsonl").write_text("{")
        with pytest.raises(BadData, match=r"metrics\.jsonl: is damaged"):
            folder.read_metrics()


OWN = ["checkpoints", "plugins", ".lock", "metrics.jsonl", "train.log", "crash.log", "best", "experiment.yaml"]


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("kind", [os.symlink, os.link])
def test_nothing_outside_the_run_folder_is_written_or_deleted(tmp_path, name, kind):
    with open_folder(tmp_path / "a"):
        pass
    is_folder = name in ("checkpoints", "plugins")
    outside, own = tmp_path / "outside", tmp_path / "a" / name
    (outside / "step-0000001").mkdir(parents=True)
    for file in ("file", ".tmp-file", ".trash-file", "step-0000001/file"):
        (outside / file).write_text("mine")
    target = outside if is_folder else outside / "file"
    storage.remove(own)
    if is_folder and kind is os.link:
        return  # there are no such links
    kind(target, own)
    try:
        with open_folder(tmp_path / "a", extra_files={"plugins/p.py": b""}) as folder:
            folder.append_metrics({"step": 1})
            folder.restore_metrics("")
            checkpoint_at(folder, 2)
            folder.set_best(2)
    except RunFolderTaken as error:
        assert str(error).startswith(f"{own}: is not a regular")
    else:
        assert name in ("best", "crash.log", "experiment.yaml")
    assert sorted(path.name for path in outside.rglob("*")) == [
        ".tmp-file",
        ".trash-file",
        "file",
        "file",
        "step-0000001",
    ]
    assert {path.read_text() for path in outside.rglob("*") if path.is_file()} == {"mine"}


def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path):
    with open_folder(tmp_path / "a"):
        pass
    for name in (".lock", "metrics.jsonl"):
        (tmp_path / "a" / name).unlink()
        os.mkfifo(tmp_path / "a" / name)
        with pytest.raises(RunFolderTaken, match="is not a regular file"):
            open_folder(tmp_path / "a")
        (tmp_path / "a" / name).unlink()


def test_a_folder_that_a_kill_left_half_written_is_cleaned_up(tmp_path):
    with open_folder(tmp_path / "a"):
        pass
    (tmp_path / "a" / ".tmp-backbone").mkdir()
    (tmp_path / "a" / ".tmp-backbone" / "config.json").touch()
    with open_folder(tmp_path / "a"):
        assert not (tmp_path / "a" / ".tmp-backbone").exists()


def test_a_row_that_cannot_be_written_is_a_storage_error(tmp_path):
    with open_folder(tmp_path / "a") as folder:
        os.dup2(os.open("/dev/full", os.O_WRONLY), folder._metrics)
        with pytest.raises(StorageError, match="No space left"):
            folder.append_metrics({"step": 1})


def test_a_full_disk_at_the_start_is_a_storage_error_and_leaves_no_lock(tmp_path, monkeypatch):
    with open_folder(tmp_path / "a"):
        pass

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StorageError, match="No space left"):
            open_folder(tmp_path / "a")
    with open_folder(tmp_path / "a") as folder:
        assert folder.attempt == 2


def test_a_start_that_died_is_mentioned_by_the_next(tmp_path, caplog):
    for _ in range(2):
        with open_folder(tmp_path / "a"):
            pass
    assert "killed" not in caplog.text

    def start():
        open_folder(tmp_path / "a")
        die()

    in_child(start)
    with open_folder(tmp_path / "a"):
        assert "the previous start was killed" in caplog.text


def test_warnings_go_to_stderr_and_to_the_log_of_every_start(tmp_path, capsys):
    for text in ("first", "second"):
        with open_folder(tmp_path / "a") as folder:
            logging.getLogger("ftaug").warning("the %s", text)
    logging.getLogger("ftaug").warning("nobody's")
    lines = [line.split(" ", 2)[2] for line in (folder.path / "train.log").read_text().splitlines()]
    attempt = f"pid {os.getpid()}, newest checkpoint at step 0"
    assert lines == [
        f"INFO attempt 1, {attempt}",
        "WARNING the first",
        f"INFO attempt 2, {attempt}",
        "WARNING the second",
    ]
    assert capsys.readouterr().err.splitlines() == ["the first", "the second"]


def test_a_log_on_a_full_disk_is_mentioned_once(tmp_path, capsys):
    with open_folder(tmp_path / "a"):
        pass
    with open_folder(tmp_path / "a") as folder:
        os.dup2(os.open("/dev/full", os.O_WRONLY), folder._handlers[0].stream.fileno())
        for _ in range(3):
            logging.getLogger("ftaug").warning("hello")
    err = capsys.readouterr().err
    assert err.count("its lines are lost") == 1
    assert "Traceback" not in err


def test_best_is_a_link_that_moves_with_the_folder(tmp_path):
    with open_folder(tmp_path / "a") as folder:
        for step in (1, 2):
            checkpoint_at(folder, step)
            folder.set_best(step)
    (tmp_path / "a").rename(tmp_path / "b")
    assert (tmp_path / "b" / "best").resolve() == tmp_path / "b" / "checkpoints" / "step-0000002"
    assert checkpoint.load(tmp_path / "b" / "best")[1]


def test_a_finished_run_stays_as_it_is(tmp_path):
    with open_folder(tmp_path / "a") as folder:
        folder.append_metrics({"step": 9})
        folder.finish(9, {"step": 6, "metrics": {"accuracy": 0.75}})
        assert folder.complete == {"step": 9, "best": 6, "metrics": {"accuracy": 0.75}}
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    with open_folder(tmp_path / "a") as folder:
        assert folder.complete == {"step": 9, "best": 6, "metrics": {"accuracy": 0.75}}
        assert folder.read_metrics() == [{"step": 9}]
    assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before
    with pytest.raises(ExperimentError):
        open_folder(tmp_path / "a", digest="other", resolved="{}")


def test_a_folder_that_is_deleted_while_the_run_goes_on_is_a_storage_error(tmp_path):
    folder = open_folder(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "gone")
    with pytest.raises(StorageError, match="No such file"):
        checkpoint_at(folder, 1)
    with pytest.raises(StorageError, match="No such file"):
        folder.write("model.json", "{}")
    folder.close(orderly=False)


def test_metrics_of_an_earlier_version_have_their_present_names(tmp_path):
    done = {"step": 1, "best": 1, "metrics": {"loss": 0.4, "calibration_error": 0.1}}
    with open_folder(tmp_path / "run") as folder:
        folder.write("complete.json", json.dumps(done))
        assert folder.complete == {**done, "metrics": {"loss": 0.4, "ece": 0.1}}


def test_a_disk_that_stays_full_reports_what_was_written_first(tmp_path):
    """And not status.json or the lock, which are written as the run ends."""
    with (
        pytest.raises(StorageError, match=r"metrics\.jsonl: No space left"),
        Interceptor(tmp_path, Failing(0, errno.ENOSPC, lasting=True)) as interceptor,
        open_folder(tmp_path / "a") as folder,
    ):
        interceptor.handler.due = True
        folder.append_metrics({"step": 1})
    open_folder(tmp_path / "a").close()  # it was unlocked


def test_a_disk_that_fails_at_the_start_reports_what_was_written_first(tmp_path):
    for number in range(1, 12):
        with (
            pytest.raises(StorageError, match="Input/output error") as error,
            Interceptor(tmp_path, Failing(number, errno.EIO, lasting=True)) as interceptor,
        ):
            open_folder(tmp_path / str(number))
        assert interceptor.handler.failed.path.split(".tmp-")[-1].partition("-")[0] in str(error.value)


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_a_file_system_without_links_is_refused_at_the_start(tmp_path, number):
    class Linkless(Handler):
        def before(self, operation):
            if operation.kind == "link":
                raise OSError(number, os.strerror(number), operation.path)

    with Interceptor(tmp_path, Linkless()), pytest.raises(RunFolderTaken, match=r"no symbolic links.*--run-dir"):
        open_folder(tmp_path / "a")
