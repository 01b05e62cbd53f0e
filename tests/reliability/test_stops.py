"""Requests to stop in each phase of the commands; scripts/bench/stops reports the seconds."""

import subprocess
import sys

import pytest
from processes import Command
from stopped_commands import ROOT, STOPPED, write_data

SIGNAL = """
import signal, time
import ftaug.runs.thresholds

def interrupted(*arguments):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

ftaug.runs.thresholds.best_f1 = interrupted
"""
TUNED = [
    "train",
    "stops.yaml",
    "data.train={image_table: {path: labels.csv, labels_separator: '|'}}",
    "evaluate.thresholds=f1",
    "--run-dir",
    "run",
    "--no-report",
]


def test_tuning_thresholds_ends_at_once_and_is_repeated(tmp_path):
    write_data(tmp_path)
    command = Command(TUNED, tmp_path, SIGNAL)
    assert command.wait() == STOPPED
    assert command.output[1].endswith("stopped by SIGTERM with nothing to save; run the same command again\n")
    assert not (tmp_path / "run" / "thresholds.json").exists()
    assert Command(TUNED, tmp_path).wait() == 0
    assert (tmp_path / "run" / "thresholds.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_phase_ends_within_seconds():
    script = [sys.executable, ROOT / "scripts" / "bench" / "stops", "--phases"]
    done = subprocess.run(script, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
