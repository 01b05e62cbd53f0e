"""Long runs: memory and file handles stay as they are."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processes import in_child
from recorded_training import TRAIN
from tiny_run import EXPERIMENT, NETWORK

from ftaug.cli import run

STEPS, WARM_UP, EVERY = 10_000, 2_000, 100


WATCHED = f"""
import os
from pathlib import Path

import ftaug.runs.training as training
from ftaug.cli import main

fit = training.fit

def watched(state, progress):
    with Path("samples").open("w") as file:
        for step in fit(state, progress):
            if step.number % {EVERY} == 0:
                memory = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
                print(step.number, memory, len(os.listdir("/proc/self/fd")), file=file, flush=True)
            yield step

training.fit = watched
main()
"""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_steps_take_no_more_memory_and_no_more_files(tmp_path):
    """The slope from step 2,000 to 10,000, with a checkpoint every 500 steps and an evaluation every 1,000.

    Some of it is no leak: every checkpoint has a copy of metrics.jsonl, which grows by 100 rows in 1,000 steps.
    """
    (tmp_path / "network.py").write_text(NETWORK)
    (tmp_path / "tiny.yaml").write_text(EXPERIMENT)
    length = ["data.train={digits: {per_class: 100}}", f"train.epochs={STEPS // 100}"]
    settings = [*length, "train.save_every=500 steps", "evaluate.every=1000 steps"]
    code = [sys.executable, "-c", WATCHED, *TRAIN, *settings]  # not forked: pytest would keep all that is logged
    subprocess.run(
        code, cwd=tmp_path, check=True, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    steps, memory, files = np.loadtxt(tmp_path / "samples").T
    late = steps >= WARM_UP
    slope = np.polyfit(steps[late], memory[late], 1)[0] * 1000
    print(f"\n{slope / 1e6:.3f} MB per 1,000 steps, {memory[0] / 1e6:.0f} to {memory[-1] / 1e6:.0f} MB")
    assert steps[-1] == STEPS
    assert slope < 1e6
    assert len(set(files[late])) == 1


@pytest.mark.parametrize("megabytes", [64, 512])
def test_too_little_memory_is_exit_code_4_with_what_to_change(tmp_path, megabytes):
    """An address space with little left, as by `ulimit -v`: for large pictures, or for anything at all."""
    (tmp_path / "network.py").write_text(NETWORK)
    (tmp_path / "tiny.yaml").write_text(EXPERIMENT.replace("batch_size: 8", "batch_size: 16"))
    large = ["backbone={resnet20: {weights: none}}", "input={size: 1024}"]

    def limited():
        os.chdir(tmp_path)
        with Path("stderr").open("w") as sys.stderr:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.setrlimit(resource.RLIMIT_AS, (used + megabytes * 1_000_000, resource.RLIM_INFINITY))
            return run([*TRAIN, *large])

    code = in_child(limited)
    text = (tmp_path / "stderr").read_text()
    assert code == 4, text
    assert "Traceback" not in text
    assert "micro_batch" in text or "free some memory" in text
