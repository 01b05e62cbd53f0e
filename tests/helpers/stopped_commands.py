"""Phases of commands in which a request to stop may come, each slowed down so that it would take half a minute."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from run_files import noise

ROOT = Path(__file__).resolve().parents[2]
STOPPED, TERMINATED = 75, -signal.SIGTERM

EXPERIMENT = """
name: stops
data:
  train: {image_folder: {path: photos}}
  val: {split: 20}
  batch_size: 8
  workers: 0
backbone: {resnet20: {weights: none}}
augment: [rotate: {degrees: 10}]
train: {precision: fp32, epochs: 1}
"""
TABLE = "data.train={image_table: {path: labels.csv, labels_separator: '|'}}"
FROZEN = ["backbone.resnet20.weights=letters", "unfreeze=[{layers: [head]}]"]
TRAIN = ["train", "stops.yaml", "--run-dir", "stopped"]


@dataclass(frozen=True)
class Phase:
    """A point of a command, and how it ends if it is asked to stop there."""

    call: str  # MODULE:FUNCTION
    arguments: Sequence[str] = field(default_factory=lambda: TRAIN)
    number: int = 2  # of the call at which the signal comes
    pace: float = 0.5  # seconds that each call takes longer
    code: int = STOPPED


PHASES = {
    "reading the experiment": Phase("ftaug.experiment_file:open_experiment", number=1),
    "imports done": Phase("ftaug.engine.system.ranks:joined", number=1),
    "index of a folder": Phase("ftaug.data.folders.scan:_add_samples"),
    "decoded cache": Phase("ftaug.image.io.decode:opened", [*TRAIN, "data.cache=disk"], number=20),
    "features": Phase(
        "ftaug.engine.training.feature_cache:_load_batch", [*TRAIN, *FROZEN, "train.cache_features={place: disk}"]
    ),
    "unfreeze: auto": Phase("ftaug.engine.training.fit:accumulate_gradients", [*TRAIN, "unfreeze=auto"]),
    "model.json": Phase("ftaug.runs.training:write_model_file", number=1, pace=30),
    "first step": Phase("ftaug.engine.training.fit:accumulate_gradients", number=1),
    "training": Phase("ftaug.engine.training.fit:accumulate_gradients", number=5),
    "evaluation": Phase("ftaug.engine.training.evaluate:at_least_float32"),
    "saving": Phase("ftaug.engine.system.storage:write_durable", [*TRAIN, "train.save_every=1 steps"]),
    "thresholds": Phase("ftaug.runs.thresholds:best_f1", [*TRAIN, TABLE, "evaluate.thresholds=f1"], pace=10),
    "report": Phase("ftaug.runs.training:_write_report", TRAIN, number=1, pace=2, code=0),
    "folds": Phase("ftaug.engine.training.fit:accumulate_gradients", [*TRAIN, "--folds", "3"], number=12),
    "augment": Phase("ftaug.image.samples:encode", ["augment", "stops.yaml", "--output", "copies", "--workers", "0"]),
    "predict": Phase("ftaug.image.io.decode:opened", ["predict", "trained", "photos", "--recursive"], code=TERMINATED),
    "evaluate": Phase(
        "ftaug.engine.training.evaluate:at_least_float32", ["evaluate", "trained", "--split", "train"], code=TERMINATED
    ),
    "export": Phase(
        "ftaug.engine.training.evaluate:at_least_float32",
        ["export", "trained", "--format", "safetensors"],
        code=TERMINATED,
    ),
}


@dataclass(frozen=True)
class Stop:
    """How a command ended that was asked to stop."""

    code: int
    seconds: float  # from the signal to its end
    cpu_seconds: float
    stderr: str


def write_data(folder: Path) -> None:
    """Write the experiment and its images."""
    rows = ["path,label"]
    for label in range(10):
        (folder / "photos" / str(label)).mkdir(parents=True)
        for number in range(8):
            name = f"photos/{label}/{number}.png"
            noise(label % 3, 10 * label + number).save(folder / name)
            rows.append(f"{name},{label}|{(label + 1) % 10}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    (folder / "stops.yaml").write_text(EXPERIMENT)


def start(
    folder: Path, arguments: Sequence[str], variables: dict[str, str] | None = None, stderr: int | None = None
) -> subprocess.Popen:
    """Start a command in a session of its own; its messages go to the file `stderr`, unless a descriptor is given."""
    paths = [str(ROOT), str(Path(__file__).with_name("kill_points"))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / "cache"), **(variables or {})}
    with (folder / "stderr").open("wb") as messages:
        return subprocess.Popen(
            [sys.executable, "-m", "ftaug", *arguments],
            cwd=folder,
            env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=messages if stderr is None else stderr,
            start_new_session=True,
        )


def stop_in(phase: Phase, folder: Path, number: str = "SIGTERM") -> Stop:
    """Run a command that gets a signal in a phase."""
    mark = folder / "mark"
    mark.unlink(missing_ok=True)
    variables = {"KILL_POINT": f"call|{phase.call}|{phase.number}|before", "KILL_PACE": str(phase.pace)}
    variables |= {"KILL_ROOT": str(folder), "KILL_MARK": str(mark), "KILL_SIGNAL": number}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = start(folder, phase.arguments, variables)
    code, ended = process.wait(), time.monotonic()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    stderr = (folder / "stderr").read_text(errors="replace")
    if not mark.exists():
        raise AssertionError(f"{phase.call} was not called {phase.number} times; exit code {code}: {stderr}")
    monotonic, cpu = map(float, mark.read_text().split())
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Stop(code, ended - monotonic, used - cpu, stderr)
