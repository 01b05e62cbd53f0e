"""Readers of stdout and stderr that go away, and terminals that do not take what is printed."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

PROGRAM = """
import os, sys
from ftaug.streams import open_streams, require_reader
from ftaug.reporting import report
open_streams()
{setting}
try:
    for number in range(100_000):
        print(number, file=sys.{stream})
    sys.{stream}.flush()
    open("done", "w").close()
except BaseException as error:
    os._exit(report(error))
"""


def start(stream: str, folder, setting: str = "", **streams) -> subprocess.Popen[bytes]:
    program = PROGRAM.format(stream=stream, setting=setting)
    return subprocess.Popen([sys.executable, "-c", program], cwd=folder, **streams)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_ends_nothing(tmp_path, stream):
    process = start(stream, tmp_path, **{stream: subprocess.PIPE})
    reader = getattr(process, stream)
    assert reader.readline() == b"0\n"
    reader.close()
    assert process.wait(60) == 0
    assert (tmp_path / "done").exists()


def test_a_command_that_only_prints_ends_with_its_reader(tmp_path):
    process = start("stdout", tmp_path, "require_reader()", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert not (tmp_path / "done").exists()
    assert process.stderr is not None
    assert process.stderr.read() == b""


@pytest.mark.parametrize(("stream", "code"), [("stderr", 0), ("stdout", 74)])
def test_a_full_disk_matters_on_stdout_alone(tmp_path, stream, code):
    with Path("/dev/full").open("w") as full:
        process = start(stream, tmp_path, **{stream: full, "stderr" if stream == "stdout" else "stdout": -3})
    assert process.wait(60) == code


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_pipe_in_non_blocking_mode_is_waited_for(tmp_path, stream):
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    process = start(stream, tmp_path, **{stream: theirs})
    os.close(theirs)
    received: list[bytes] = []
    with os.fdopen(ours, "rb") as file:
        thread = threading.Thread(target=lambda: received.append(file.read()))
        thread.start()
        assert process.wait(60) == 0
        thread.join()
    assert received[0].split() == [str(number).encode() for number in range(100_000)]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_lines_are_written_at_once_with_pythonunbuffered(tmp_path, stream):
    program = (
        "import os, sys\nfrom ftaug.streams import open_streams\nopen_streams()\n"
        f"print('line', file=sys.{stream})\nos._exit(0)"
    )
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=60
    )
    assert getattr(done, stream) == b"line\n"
