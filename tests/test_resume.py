"""Real processes, stopped and killed: the same command goes on, and ends with the same bits as if nothing had happened.

Most runs here are forked from the process of the tests, because imports take longest of a short run.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_scenarios import IMAGES, KILLED, experiment
from processes import Command
from run_bits import differing, run_bits

from ftaug.cli import run

STEPS, EPOCH_STEPS = 16, 4
WRITE_IMAGES = experiment(IMAGES)


@dataclass
class Outcome:
    code: int
    stdout: str
    stderr: str


class Place:
    """A folder to run in."""

    command: Command

    def __init__(self, folder: Path, prepare: Callable[[Path, Path], None] = WRITE_IMAGES) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        prepare(folder, folder)

    @property
    def run(self) -> Path:
        (found,) = (self.folder / "runs").iterdir()
        return found

    def train_here(self) -> None:
        """Train in this process, which then has imported what the forked ones need."""
        with contextlib.chdir(self.folder):
            assert run(["train", "tiny.yaml", "data.workers=0"]) == 0

    def start(self, *arguments: str, workers: int = 0, sabotage: str = "") -> None:
        line = (
            ["train", "tiny.yaml", f"data.workers={workers}", *arguments]
            if arguments[:1] != ("evaluate",)
            else arguments
        )
        self.command = Command(line, self.folder, sabotage)

    def end(self) -> Outcome:
        return Outcome(self.command.wait(), *self.command.output)

    def kill(self, number: int = signal.SIGKILL, *, group: bool = False) -> Outcome:
        self.command.kill(number, group=group)
        return self.end()

    def train(self, *arguments: str, workers: int = 0, sabotage: str = "") -> Outcome:
        self.start(*arguments, workers=workers, sabotage=sabotage)
        return self.end()

    def step(self) -> int:
        """The last step that has a row."""
        path = next(iter(self.folder.glob("runs/*/metrics.jsonl")), None)
        lines = path.read_bytes().splitlines(keepends=True) if path else []
        return max((json.loads(line)["step"] for line in lines if line.endswith(b"\n")), default=0)

    def wait_for_step(self, step: int) -> None:
        """Wait until the run has written the row of a step, or has ended."""
        while self.step() < step and self.command.poll() is None:
            time.sleep(0.002)

    def result(self) -> dict:
        """All that has to be equal to the bit."""
        return run_bits(self.run)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "place")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The result of the uninterrupted run."""
    place = Place(tmp_path_factory.mktemp("whole"))
    place.train_here()
    result = place.result()
    assert {"model.safetensors", "optimizer.safetensors", "ema.safetensors"} <= result.keys()
    evaluated = [row["step"] for row in result["metrics"] if "val" in row]
    assert evaluated == [3, 6, 9, 12, 15, 16]
    return result


def test_sigterm_then_the_same_command_through_the_real_command_line(whole, place):
    place.start(workers=2)
    place.wait_for_step(5)
    stopped = place.kill(signal.SIGTERM, group=True)
    assert (stopped.code, stopped.stdout) == (75, ""), stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "SIGTERM" in stopped.stderr
    assert "the same command continues" in stopped.stderr
    step = place.step()
    assert step % EPOCH_STEPS != 0 and step < STEPS  # within an epoch, or the test shows less than it says

    real = [sys.executable, "-c", "from ftaug.cli import main; main()"]
    continued = subprocess.run(
        [*real, "train", "tiny.yaml", "data.workers=0"], cwd=place.folder, capture_output=True, text=True
    )
    assert continued.returncode == 0, continued.stderr
    assert continued.stdout.strip() == str(place.run.relative_to(place.folder))
    assert f"continued at step {step}" in continued.stderr
    assert differing(place.result(), whole) == []

    before = {path: path.read_bytes() for path in place.run.rglob("*") if path.is_file()}
    again = place.train()
    assert (again.code, again.stdout) == (0, continued.stdout)
    assert "already complete" in again.stderr
    assert {path: path.read_bytes() for path in place.run.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SIGINT", 130),
        pytest.param("SIGUSR1", 75, marks=pytest.mark.slow),
        pytest.param("SIGHUP", 75, marks=pytest.mark.slow),
    ],
)
def test_other_signals_to_the_whole_group(whole, place, name, code):
    place.start(workers=2)
    place.wait_for_step(2)
    outcome = place.kill(getattr(signal, name), group=True)
    assert outcome.code == code, outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert place.train(workers=1).code == 0
    assert differing(place.result(), whole) == []


@pytest.mark.slow
def test_stopped_at_every_step_before_its_evaluation(whole, place):
    """Every start takes one step and is asked to stop, so that the evaluations fall to the starts that follow."""
    stop = """
import signal
import ftaug.runs.training
fit = ftaug.runs.training.fit
def stopped(state, progress):
    for step in fit(state, progress):
        signal.raise_signal(signal.SIGTERM)
        yield step
ftaug.runs.training.fit = stopped
"""
    codes = [place.train(sabotage=stop).code for _ in range(STEPS)]
    assert codes == [75] * STEPS
    assert place.train(sabotage=stop).code == 0
    assert differing(place.result(), whole) == []


def kill_at_random(place: Place, kills: int, seed: int) -> int:
    """Kill the process group at random moments, starting with random numbers of workers; return the kills that hit."""
    draw = random.Random(seed)
    hits = 0
    for _ in range(kills):
        place.start(workers=draw.choice([0, 1, 2]))
        place.wait_for_step(place.step() + draw.randrange(5))
        time.sleep(draw.random() * draw.choice([0.05, 0.5]))
        outcome = place.kill(group=True)
        hits += outcome.code == -signal.SIGKILL
        assert outcome.code in (-signal.SIGKILL, 0) or "no progress" in outcome.stderr, outcome.stderr
        if outcome.code == 0:
            break
    return hits


def killed_at(point: str) -> str:
    """Sabotage that ends the process at a file operation."""
    return f"""
import os
from file_operations import Interceptor, Killing
Interceptor(os.getcwd(), Killing({point})).install()
"""


def finish(place: Place) -> None:
    outcome = place.train()
    if "no progress" in outcome.stderr:  # it was told so, and tries again
        outcome = place.train()
    assert outcome.code == 0, outcome.stderr


def test_killed_at_random_moments(whole, place):
    assert kill_at_random(place, kills=3, seed=0) > 0
    finish(place)
    assert differing(place.result(), whole) == []


@pytest.mark.parametrize("name", ["texts", pytest.param("sounds", marks=pytest.mark.slow)])
def test_texts_and_sounds_killed_and_stopped_end_with_the_same_bits(tmp_path, name):
    scenario = KILLED[name]
    whole, place = (Place(tmp_path / folder, scenario.prepare) for folder in ("whole", "place"))
    whole.train_here()
    place.start(workers=2)
    place.wait_for_step(5)
    assert place.kill(group=True).code == -signal.SIGKILL
    place.start(workers=1)
    place.wait_for_step(10)
    assert place.kill(signal.SIGTERM).code == 75
    assert place.step() < STEPS
    finish(place)
    assert differing(scenario.results(place.folder), scenario.results(whole.folder)) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_fifty_random_moments(whole, tmp_path):
    hits = runs = 0
    while hits < 50:
        place = Place(tmp_path / f"place{runs}")
        hits += kill_at_random(place, kills=6, seed=100 + runs)
        finish(place)
        assert differing(place.result(), whole) == [], f"run {runs}"
        runs += 1


@pytest.mark.parametrize(
    "point",
    [
        pytest.param('"open", "/manifest.json"', marks=pytest.mark.slow),
        '"rename", "checkpoints/step-"',
        pytest.param('"rename", "checkpoints/step-", after=True', marks=pytest.mark.slow),
        '"rename", ".trash-", after=True',
    ],
)
def test_killed_within_a_save(whole, place, point):
    crash = killed_at(point)
    for _ in range(2):
        assert place.train(sabotage=crash).code == -signal.SIGKILL
    assert place.train().code == 0
    assert differing(place.result(), whole) == []
    assert not list(place.run.rglob(".t*-*"))


def stop_at(place: Place, step: int) -> None:
    place.start()
    place.wait_for_step(step)
    assert place.kill(signal.SIGTERM).code == 75


def test_a_corrupt_checkpoint_costs_time_but_no_bits(whole, place):
    stop_at(place, 7)
    newest = max((place.run / "checkpoints").iterdir())
    os.truncate(newest / "model.safetensors", 1000)
    outcome = place.train()
    assert outcome.code == 0, outcome.stderr
    assert f"{newest.name} is corrupt" in outcome.stderr
    assert differing(place.result(), whole) == []


def test_only_corrupt_checkpoints_are_never_a_silent_new_start(place):
    stop_at(place, 3)
    for folder in (place.run / "checkpoints").iterdir():
        (folder / "manifest.json").unlink()
    outcome = place.train()
    assert outcome.code == 65
    assert "no checkpoint is intact" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_an_evaluation_in_between_changes_nothing(whole, place):
    stop_at(place, 6)
    before = {path: path.read_bytes() for path in (place.run / "checkpoints").rglob("*") if path.is_file()}
    outcome = place.train("evaluate", str(place.run))
    assert outcome.code == 0, outcome.stderr
    assert {path: path.read_bytes() for path in (place.run / "checkpoints").rglob("*") if path.is_file()} == before
    assert place.train().code == 0
    assert differing(place.result(), whole) == []


def test_a_full_disk_ends_with_74_and_the_run_goes_on_once_there_is_room(whole, place):
    stop_at(place, 5)
    outcome = place.train(sabotage="import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))")
    assert outcome.code == 74, outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert "free some space" in outcome.stderr
    assert place.train().code == 0
    assert differing(place.result(), whole) == []


def test_three_starts_that_die_at_the_same_step_are_reported(place):
    die = killed_at('"open", "/manifest.json"')
    codes = [place.train(sabotage=die).code for _ in range(4)]
    assert codes == [-signal.SIGKILL] * 3 + [4]
    assert "no progress in 3 starts" in place.command.output[1]


def test_an_edited_experiment_is_another_run(place):
    stop_at(place, 2)
    first = place.run
    (place.folder / "tiny.yaml").write_text(IMAGES.replace("epochs: 4", "epochs: 5"))
    outcome = place.train("--run-dir", str(first))
    assert outcome.code == 2
    assert "train.epochs: 4 → 5" in outcome.stderr
    place.start()
    until = time.monotonic() + 250
    while len(list((place.folder / "runs").iterdir())) < 2:
        assert time.monotonic() < until
        time.sleep(0.01)
    place.kill(group=True)


def test_a_stop_file_ends_the_run_as_a_signal_does(whole, place):
    place.start()
    place.wait_for_step(2)
    (place.run / "stop").touch()
    outcome = place.end()
    assert outcome.code == 75, outcome.stderr
    assert "stopped by stop file" in outcome.stderr
    assert place.train().code == 0  # the file was for once
    assert differing(place.result(), whole) == []


def test_a_second_writer_is_refused(place):
    place.start()
    place.wait_for_step(1)
    first = place.command
    outcome = place.train()
    assert outcome.code == 73
    assert f"process {first.pid} on " in outcome.stderr
    first.kill(group=True)


MUTANTS = {
    "average not restored": "import ftaug.engine.training.weight_averaging as e; e.Average.load = lambda *_: None",
    "dropout and mixing from a global generator": """
import numpy
import ftaug.engine.loading.seeds as s
shared = numpy.random.Generator(numpy.random.Philox(0))
s.generator = lambda *_: shared
""",
}


@pytest.mark.parametrize(
    "name", [next(iter(MUTANTS)), *(pytest.param(name, marks=pytest.mark.slow) for name in list(MUTANTS)[1:])]
)
def test_the_comparison_finds_what_a_resume_may_forget(place, tmp_path, name):
    """The same defect in the whole run and in the resumed one: the two differ, so the tests above can fail."""
    undisturbed = Place(tmp_path / "whole")
    assert undisturbed.train(sabotage=MUTANTS[name]).code == 0
    place.start(sabotage=MUTANTS[name])
    place.wait_for_step(6)
    assert place.kill(signal.SIGTERM).code == 75
    assert place.train(sabotage=MUTANTS[name]).code == 0
    assert differing(place.result(), undisturbed.result()) != []
    shutil.rmtree(undisturbed.folder)
