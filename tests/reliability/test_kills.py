"""Real trainings in process groups, killed at random moments and at named points: scripts/bench/kills."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WRITES = "import json, os; json.loads('1'); open('new', 'w').write('x'); os.rename('new', 'kept'); json.loads('2')"


@pytest.mark.parametrize(
    ("point", "left"),
    [
        ("open|new|1|before", []),
        ("rename|kept|1|before", ["new"]),
        ("rename|kept|1|after", ["kept"]),
        ("call|json:loads|1|before", []),
        ("call|json:loads|2|before", ["kept"]),
    ],
)
def test_a_process_dies_where_it_should(tmp_path, point, left):
    (tmp_path / "work").mkdir()
    variables = {"PYTHONPATH": str(ROOT / "tests" / "helpers" / "kill_points"), "KILL_POINT": point}
    variables |= {"KILL_ROOT": str(tmp_path / "work"), "KILL_MARK": str(tmp_path / "mark")}
    code = [sys.executable, "-c", WRITES]
    done = subprocess.run(code, cwd=tmp_path / "work", env={**os.environ, **variables}, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (tmp_path / "mark").exists()
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == left


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_kill_loses_a_run_or_a_bit():
    done = subprocess.run([sys.executable, ROOT / "scripts" / "bench" / "kills", "12"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 lost" in done.stdout
