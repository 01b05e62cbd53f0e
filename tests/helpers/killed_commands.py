"""Commands in process groups of their own, ended by SIGKILL at a random moment or at a named point."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from run_bits import run_bits

ROOT = Path(__file__).resolve().parents[2]

IMAGES = """
name: tiny
data: {train: {digits: {per_class: 4}}, val: {split: 20%}, batch_size: 8, parts: 2}
backbone: {resnet20: {weights: none}}
augment: [{rotate: {degrees: 15}}, horizontal_flip]
mix: {mixup: {alpha: 0.4}}
optimizer: {adamw: {weight_decay: 0.05}}
lr: {peak: 3e-3}
train: {epochs: 4, precision: fp32, ema: 0.9, save_every: 2 steps}
evaluate: {every: 3 steps}
"""
TEXTS = """
name: tiny
modality: text
data: {train: {docstrings: {per_class: 4}}, val: {split: 20%}, batch_size: 8, parts: 2}
backbone: {tiny_text: {weights: none, max_length: 12}}
optimizer: {adamw: {weight_decay: 0.05}}
lr: {peak: 3e-3}
train: {epochs: 4, precision: fp32, ema: 0.9, save_every: 2 steps}
evaluate: {every: 3 steps}
"""
FEATURES = """
name: tiny
data: {train: {digits: {per_class: 4}}, val: {split: 20%}, batch_size: 8}
backbone: {resnet20: {weights: letters}}
augment: [{rotate: {degrees: 15}}]
unfreeze: [{layers: [head]}]
lr: {peak: 3e-3}
train: {epochs: 4, precision: fp32, save_every: 2 steps, cache_features: {views: 2, place: disk}}
evaluate: {every: 3 steps}
"""

POINTS = {
    "start-up: status.json": "rename|/status.json|1|after",
    "start-up: samples.csv": "open|samples.csv|1|before",
    "start-up: model.json": "rename|/model.json|1|after",
    "first step": "call|ftaug.engine.training.fit:accumulate_gradients|1|before",
    "third step": "call|ftaug.engine.training.fit:accumulate_gradients|3|before",
    "evaluation": "call|ftaug.engine.training.evaluate:predict_all|1|before",
    "save: weights": "write|ema.safetensors|1|before",
    "save: before the manifest": "open|/manifest.json|1|before",
    "save: before the rename": "rename|checkpoints/step-|1|before",
    "save: after the rename": "rename|checkpoints/step-|2|after",
    "save: best": "rename|/best|1|before",
    "pruning": "rename|/.trash-|1|after",
    "pruning: half of it": "unlink|/.trash-|1|after",
    "metrics.jsonl": "write|metrics.jsonl|1|before",
    "recovery: loading": "call|ftaug.runs.checkpointing:load_checkpoint|1|before",
    "recovery: metrics.jsonl": "truncate|metrics.jsonl|1|after",
    "end: before complete.json": "rename|/complete.json|1|before",
    "end: after complete.json": "rename|/complete.json|1|after",
    "report": "rename|report.html|1|before",
}
FEATURE_POINTS = {
    "features: half of a view": "call|ftaug.engine.training.feature_cache:batches_of|2|before",
    "features: stored": "open|/train.0|1|before",
    "features: marked": "open|/train.0|1|after",
}


@dataclass
class Ended:
    """How a command ended."""

    code: int
    stderr: str
    killed: bool


def run_command(
    folder: Path,
    arguments: Sequence[str],
    *,
    point: str | None = None,
    seconds: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command in a folder; kill its process group at a named point or after some seconds."""
    mark = folder / "killed"
    mark.unlink(missing_ok=True)
    paths = [str(ROOT)]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / "cache"), **(environment or {})}
    if point is not None:
        paths.append(str(Path(__file__).with_name("kill_points")))
        variables |= {"KILL_POINT": point, "KILL_ROOT": str(folder), "KILL_MARK": str(mark)}
    variables["PYTHONPATH"] = os.pathsep.join(paths)
    with (folder / "stdout").open("w") as stdout, (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "ftaug", *arguments],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    began = time.monotonic()
    try:
        while process.poll() is None and not mark.exists():
            if seconds is not None and time.monotonic() - began >= seconds:
                break
            time.sleep(0.005)
    except KeyboardInterrupt:
        end_group(process.pid)
        raise
    killed = process.poll() is None or mark.exists()
    if killed:
        end_group(process.pid)
    return Ended(process.wait(), (folder / "stderr").read_text(errors="replace"), killed)


def end_group(number: int) -> None:
    """Kill all processes of a group, if there are any."""
    try:
        os.killpg(number, signal.SIGKILL)
    except ProcessLookupError:
        return


def results(folder: Path) -> dict:
    """Read what must be equal to the bit: of a run, or of each fold."""
    (run,) = (folder / "runs").iterdir()
    folds = sorted(run.glob("fold-*"))
    if not folds:
        return run_bits(run)
    summary = json.loads((run / "folds.json").read_text())
    return {**{fold.name: run_bits(fold) for fold in folds}, "folds": summary["metrics"]}


def restarted(draw: random.Random, *, folds: bool, single: bool) -> list[str]:
    """Choose the workers and the processes of a start."""
    processes = [] if folds or single or draw.random() < 0.5 else ["--processes", "2"]
    return [f"data.workers={draw.choice([0, 2])}", *processes]
