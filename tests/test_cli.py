"""The command line: errors become exit codes and single lines; help costs little."""

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ftaug import __version__, cli, commands
from ftaug.errors import BadData, Diverged, Stopped
from ftaug.runs.requirements import Requirement


@pytest.fixture
def failing(monkeypatch):
    """Make `ftaug schema` end in an error."""

    def failing(error: BaseException, *arguments: str) -> int:
        def raise_it(modalities: object) -> None:
            raise error

        monkeypatch.setattr("ftaug.config.json_schema.experiment_schema", raise_it)
        return cli.run([*arguments, "schema"])

    return failing


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (BadData("a.jpg: broken", "b.jpg: broken"), 65, "a.jpg: broken\nb.jpg: broken\n"),
        (Diverged("the loss is not finite"), 3, "the loss is not finite\n"),
        (Stopped("saved"), 75, "saved\n"),
        (MemoryError(), 4, "out of memory: try a smaller train.micro_batch"),
        (RuntimeError("CUDA out of memory."), 4, "out of memory: try"),
        (OSError(errno.ENOSPC, "No space left on device", "runs/x"), 74, "runs/x: No space left on device; free some"),
        (KeyboardInterrupt(), 130, ""),
        (
            ZeroDivisionError("oops\nsecond line"),
            1,
            "internal error (a bug in ftaug): ZeroDivisionError: oops (to see the traceback: ",
        ),
    ],
)
def test_exit_codes(failing, capsys, error, code, text):
    assert failing(error) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(text)
    assert "Traceback" not in err
    assert bool(err) == bool(text)


def test_debug_shows_the_traceback(failing, capsys):
    assert failing(ZeroDivisionError("oops"), "--debug") == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_defect_in_a_run_leaves_a_crash_log(failing, capsys, tmp_path):
    error = ZeroDivisionError("oops")
    error.run_folder = tmp_path
    assert failing(error) == 1
    assert (
        capsys.readouterr().err
        == f"internal error (a bug in ftaug): ZeroDivisionError: oops (traceback in {tmp_path}/crash.log)\n"
    )
    assert "ZeroDivisionError: oops" in (tmp_path / "crash.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["validate"], "Missing argument 'CONFIG'"),
        (["validate", "x", "--nonsense"], "--nonsense"),  # after "No such option", worded as each Click does
        (["train", "x", "--device", "tpu"], "Invalid value for '--device': 'tpu' is not one of"),
        (["export", "run"], "Missing option '--format'"),
        (["predict", "run", "x", "--top-k", "0"], "Invalid value for '--top-k'"),
    ],
)
def test_usage_errors(arguments, words, capsys):
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["init", ""], "argument 2 is empty; is a shell variable unset?"),
        (["predict", "run", "", "a.jpg"], "argument 3 is empty; is a shell variable unset?"),
        (["train", "x.yaml", "--run-dir", ""], "argument 4 is empty; is a shell variable unset?"),
        (["train", "x.yaml", "--run-dir="], "--run-dir has no value; is a shell variable unset?"),
    ],
)
def test_empty_arguments_do_not_name_the_working_folder(capsys, arguments, said):
    assert cli.run(arguments) == 2
    assert capsys.readouterr().err == f"{said}\n"


def test_version(capsys):
    for option in ("--version", "-V"):
        assert cli.run([option]) == 0
        assert capsys.readouterr().out == f"ftaug {__version__}\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ftaug ev", ["evaluate"]),
        ("ftaug evaluate --sl", ["--slices"]),
        ("ftaug evaluate --split ", ["train", "val", "test"]),
        ("ftaug cache ", ["list", "clear"]),
        ("ftaug lr-find --st", ["--steps"]),
    ],
)
def test_completion_knows_commands_options_and_values(monkeypatch, capsys, words, expected):
    monkeypatch.setenv("_FTAUG_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    assert cli.run([]) == 0
    assert sorted(capsys.readouterr().out.split()) == sorted(expected)


def test_help_shows_every_command_with_its_whole_summary(capsys):
    assert cli.run(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} {text}" in shown for name, text in cli.COMMANDS.items())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name, capsys):
    assert cli.run([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"ftaug {name}" in out
    assert cli.load_command(name).help.partition("\n\n")[0] == cli.COMMANDS[name]  # what `ftaug --help` says of it
    assert cli.COMMANDS[name] in " ".join(out.split())


def test_every_module_of_the_commands_is_called():
    modules = {path.stem for path in Path(commands.__file__).parent.glob("*.py")} - {"__init__", "options"}
    assert {cli.MODULES.get(name, name) for name in cli.COMMANDS} == modules


def test_train_hands_its_options_on(monkeypatch, capsys):
    received = {}

    def stopped(config, overrides, **options):
        received.update(options, config=config, overrides=overrides)
        raise Stopped("saved")

    monkeypatch.setattr("ftaug.runs.train_file.train_file", stopped)
    arguments = ["train", "a.yaml", "seed=1", "~mix", "--from", "runs/x", "--json", "--require", "accuracy>=0.9"]
    assert cli.run([*arguments, "--device", "cpu", "--requeue-exit-code", "99", "--fresh", "--folds", "3"]) == 99
    assert json.loads(capsys.readouterr().out) == {
        "error": "saved",
        "exit_code": 99,
        "problems": [{"message": "saved"}],
    }
    assert received == {
        "config": Path("a.yaml"),
        "overrides": ["seed=1", "~mix"],
        "run_dir": None,
        "fresh": True,
        "from_": Path("runs/x"),
        "requirements": [Requirement.parse("accuracy>=0.9")],
        "trust_plugins": False,
        "device": "cpu",
        "folds": 3,
        "report": True,
    }
    assert type(received["device"]) is str


def ftaug(*arguments: str, **options):
    program = "from ftaug.cli import main; main()"
    return subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, **options)


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    process = ftaug("schema", stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""


def test_what_was_printed_before_an_error_arrives(tmp_path):
    (tmp_path / "prints.py").write_text("print('printed')\n")
    (tmp_path / "f.yaml").write_text("data: {train: nothing}\nbackbone: resnet18\nplugins: [prints.py]\n")
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = ftaug("validate", str(tmp_path / "f.yaml"), stderr=subprocess.PIPE, env=buffered)
    printed, errors = process.communicate(timeout=60)
    assert (process.returncode, printed) == (2, b"printed\n"), errors


def test_a_full_disk_behind_stdout():
    with Path("/dev/full").open("w") as full:
        program = "from ftaug.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program, "list"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 74
    assert done.stderr.splitlines()[0].startswith("a file: No space left on device; free some space")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_name_is_printed_in_any_encoding(tmp_path, encoding):
    config = tmp_path / os.fsdecode("größe→\udcff.yaml".encode(errors="surrogateescape"))
    config.write_text("data: {train: digits}\nbackbone: resnet18\n")
    process = ftaug("validate", str(config), env=os.environ | {"PYTHONIOENCODING": encoding}, stderr=subprocess.PIPE)
    printed, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")
    as_it_is = os.fsencode(config)
    assert as_it_is in printed if encoding == "utf-8" else b"e\\u2192\\udcff.yaml: valid" in printed


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(tmp_path, closed):
    (tmp_path / "f.yaml").write_text("data: {train: digits}\nbackbone: resnet18\n")
    program = "from ftaug.cli import main; main()"
    line = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(program)} validate f.yaml {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"f.yaml: valid") or ">&-" in closed.replace("2>&-", "")


def test_a_working_folder_that_was_removed_is_named(tmp_path):
    line = f"mkdir gone && cd gone && rmdir ../gone && exec {sys.executable} -m ftaug train ../a.yaml"
    options = {"env": os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[1])}, "text": True, "timeout": 60}
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, **options)
    assert (done.returncode, done.stderr) == (66, "the working folder was removed; change to an existing one\n")


def test_python_without_docstrings_is_refused():
    options = {"env": os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[1])}, "text": True, "timeout": 60}
    done = subprocess.run([sys.executable, "-OO", "-m", "ftaug", "list"], capture_output=True, **options)
    assert done.returncode == 69
    assert done.stderr == "python -OO removes the docstrings that ftaug reads; run python -O, or unset PYTHONOPTIMIZE\n"


def test_modules_in_the_working_folder_are_not_imported(tmp_path):
    """`python -m` puts the working folder first on the path, where a yaml.py would take the place of PyYAML."""
    for name in ("yaml", "typer", "custom_ops", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("open('canary', 'w').close()\n")
    (tmp_path / "f.yaml").write_text("data: {train: digits}\nbackbone: resnet18\n")
    options = {"env": os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[1])}, "text": True, "timeout": 60}
    line = [sys.executable, "-m", "ftaug", "validate", "f.yaml"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, **options)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "canary").exists()


def test_ctrl_c(tmp_path):
    config = tmp_path / "f.yaml"
    plugin = tmp_path / "sleeps.py"
    plugin.write_text("import time\nprint('asleep', flush=True)\ntime.sleep(60)\n")
    config.write_text("data: {train: digits}\nbackbone: resnet18\nplugins: [sleeps.py]\n")
    process = ftaug("validate", str(config), stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"asleep\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert process.stderr.read() == b""


SLEEPING = """
import time
from ftaug.image import dataset

def sleep():
    print("asleep", flush=True)
    time.sleep(60)

@dataset.register
def sleeping(split):
    "Never comes to an end."
    sleep()
"""


def start_training(folder: Path, plugin: str, *arguments: str) -> subprocess.Popen[str]:
    """Start `ftaug train` with a plugin and return when the plugin sleeps."""
    (folder / "sleeps.py").write_text(plugin)
    (folder / "f.yaml").write_text("data: {train: sleeping}\nbackbone: resnet20\nplugins: [sleeps.py]\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "ftaug", "train", "f.yaml", "--run-dir", "r", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL) and None,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "asleep\n", process.communicate()
    return process


@pytest.mark.parametrize(
    ("name", "code"), [("SIGTERM", 99), ("SIGUSR1", 99), ("SIGUSR2", 99), ("SIGHUP", 99), ("SIGINT", 130)]
)
def test_a_signal_while_training_is_imported(tmp_path, name, code):
    process = start_training(tmp_path, SLEEPING + "sleep()\n", "--requeue-exit-code", "99", "--json")
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=30)
    reason = "Ctrl-C" if name == "SIGINT" else name
    message = f"stopped by {reason} with nothing to save; run the same command again"
    assert (process.returncode, err) == (code, f"{message}\n")
    assert json.loads(out)["error"] == message
    assert not (tmp_path / "r").exists()


def test_a_signal_while_the_data_are_read_is_no_death_of_the_run(tmp_path):
    process = start_training(tmp_path, SLEEPING)
    assert json.loads((tmp_path / "r" / "status.json").read_text())["running"]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 75
    assert not json.loads((tmp_path / "r" / "status.json").read_text())["running"]


def test_a_signal_before_the_command_line_is_read_is_not_lost(tmp_path):
    program = "import os, signal, sys, runpy, ftaug.engine.system.signals as signals\nhold = signals.hold\n"
    program += "signals.hold = lambda: (hold(), os.kill(os.getpid(), signal.SIGTERM))\n"
    program += "sys.argv[1:] = ['--offline', 'train', 'f.yaml']\nrunpy.run_module('ftaug', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr[:18]) == (75, "stopped by SIGTERM")


def test_help_needs_little_time():
    times = []
    for _ in range(3):
        before = os.times()
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "from ftaug.cli import main; main()", "--help"], capture_output=True)
        after = os.times()
        times.append(
            min(
                after.children_user - before.children_user + after.children_system - before.children_system,
                time.perf_counter() - started,
            )
        )
    assert min(times) < 0.7  # twice what it takes on a small machine
