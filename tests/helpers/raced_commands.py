"""Commands beside a trainer, starts with the same caches, odd file systems: what is wrong with how they end."""

import json
import random
import signal
import time
from pathlib import Path

from processes import Command
from run_bits import differing, run_bits
from run_files import noise
from tiny_run import write_files

TRAINER = ["train", "tiny.yaml", "--run-dir", "busy", "--no-report", "train.epochs=100000", "evaluate.every=1 steps"]
WHOLE = ["train", "tiny.yaml", "--run-dir", "whole", "--no-report"]
READERS = {
    "evaluate": ["evaluate", "busy", "--split", "val", "--json"],
    "predict": ["predict", "busy", "image.png", "--json"],
    "export": ["export", "busy", "--format", "safetensors", "--json"],
    "report": ["report", "busy"],
    "doctor": ["doctor", "busy"],
    "status": ["status", "busy"],
    "compare": ["compare", "whole", "busy", "--split", "val"],
    "verify": ["verify", "busy"],
    "diff": ["diff", "whole", "busy"],
}
CODES = {"report": {66}, "compare": {0, 65}, "diff": {5}}
"""Other exit codes than 0: a report needs a complete run, records may be of an earlier checkpoint, and bits differ."""

SHARING = """
name: sharing
data:
  train: {image_folder: {path: photos}}
  val: {split: 20%}
  batch_size: 4
  workers: 0
  cache: disk
backbone: {resnet20: {weights: letters}}
unfreeze: [{layers: [head]}]
augment: [horizontal_flip]
train: {epochs: 2, precision: fp32, cache_features: {views: 2, place: disk}}
"""


def write_experiment(folder: Path) -> None:
    """Write the experiment of a tiny network, and an image."""
    write_files(folder)
    noise(0, seed=0).save(folder / "image.png")


def start_trainer(folder: Path) -> Command:
    """Train a complete run, and start one that evaluates and saves at every step; wait for its first checkpoint."""
    write_experiment(folder)
    assert Command(WHOLE, folder).wait() == 0
    assert Command(["evaluate", "whole", "--split", "val"], folder).wait() == 0
    trainer = Command(TRAINER, folder)
    while not (folder / "busy" / "best").exists():
        assert trainer.poll() is None, trainer.output
        time.sleep(0.05)
    return trainer


def read_beside(folder: Path, name: str) -> list[str]:
    """Run a command that reads the run; return what is wrong with its end."""
    command = Command(READERS[name], folder)
    code, (stdout, stderr) = command.wait(), command.output
    problems = [f"exit code {code}"] if code not in CODES.get(name, {0}) else []
    problems += ["a traceback"] if "Traceback" in stderr or "internal error" in stderr else []
    if code == 0 and name == "evaluate":
        result = json.loads(stdout)
        problems += [] if _was_logged(folder / "busy" / "metrics.jsonl", result) else ["metrics of another checkpoint"]
    return [f"{name}: {problem}: {stderr.strip()[-300:]}" for problem in problems]


def _was_logged(metrics: Path, result: dict) -> bool:
    """Whether training had the same metrics at the checkpoint."""
    step = int(result["checkpoint"].removeprefix("step-"))
    rows = [json.loads(line) for line in metrics.read_text().split("\n")[:-1]]
    values = next(row["val"] for row in rows if row["step"] == step and "val" in row)
    return all(abs(result["metrics"][name] - value) < 1e-6 for name, value in values.items())


def write_sharing(folder: Path) -> None:
    """Write an experiment whose index, decoded images and features are cached."""
    for label in range(3):
        (folder / "photos" / str(label)).mkdir(parents=True)
        for number in range(8):
            noise(label, 10 * label + number).save(folder / "photos" / str(label) / f"{number}.png")
    (folder / "sharing.yaml").write_text(SHARING)


def share_caches(folder: Path, starts: int, caches: str, draw: random.Random) -> list[str]:
    """Start runs at once with the same empty caches and kill one; return what is wrong with the others.

    The killed one is started again.
    """
    before = f"os.environ['XDG_CACHE_HOME'] = {str(folder / caches)!r}"
    arguments = ["train", "sharing.yaml", "--no-report", "--run-dir"]
    commands = [Command([*arguments, f"{caches}-{number}"], folder, before) for number in range(starts)]
    time.sleep(draw.uniform(0.1, 2.0))
    commands[0].kill(signal.SIGKILL, group=True)
    codes = [command.wait() for command in commands[1:]]
    codes.append(Command([*arguments, f"{caches}-0"], folder, before).wait())
    if any(codes):
        return [f"exit codes {codes}: {commands[-1].output[1][-300:]}"]
    bits = [run_bits(folder / f"{caches}-{number}") for number in range(starts)]
    if not (folder / "alone").exists():
        Command([*arguments, "alone"], folder, f"os.environ['XDG_CACHE_HOME'] = {str(folder / 'other')!r}").wait()
    alone = run_bits(folder / "alone")
    return [f"{number}: {names} differ" for number, each in enumerate(bits) if (names := differing(each, alone))]


def train_on_odd_file_system(folder: Path, kind: str, whole: dict) -> tuple[int, list[str]]:
    """Train where the file system lacks something, then where it does not; return the first exit code and problems."""
    root = folder / kind.replace(" ", "-")
    root.mkdir()
    write_experiment(root)
    before = f"import odd_file_systems; odd_file_systems.install({kind!r}, {str(root)!r})"
    command = Command(WHOLE, root, before)
    code, (_, stderr) = command.wait(), command.output
    problems = [] if code in (0, 73, 74) else [f"exit code {code}"]
    problems += ["a traceback"] if "Traceback" in stderr or "internal error" in stderr else []
    if code:
        error = stderr.strip().splitlines()[-1]
        problems += [] if str(root) in error or "whole" in error else [f"no file in: {error}"]
        if (again := Command(WHOLE, root).wait()) != 0:
            problems.append(f"the same command ended with {again}")
    if not problems and (names := differing(run_bits(root / "whole"), whole)):
        problems.append(f"{', '.join(names)} differ")
    return code, [f"{kind}: {problem}: {stderr.strip()[-300:]}" for problem in problems]
