"""Full and broken disks, kills and power losses at any file operation of a training, and controls that must fail."""

import pytest
from crash_checks import lost_checkpoints, problems_of_failure, problems_of_state
from crash_states import ERRORS, repeat
from recorded_training import TRAIN, Recorded, every, recorded
from run_bits import differing, run_bits

import ftaug.engine.loading.batches as batches
import ftaug.engine.loading.seeds as seeds
import ftaug.runs.checkpointing as checkpointing
from ftaug.engine.system import checkpoint, storage
from ftaug.engine.system.run_files import path_of


def sampled(number: int):
    """One failure at one of 17 operations: each error, once and for good."""
    return [(ERRORS[number % 4], number % 2 == 0)] if number % 17 == 0 else []


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("run"), sampled)


def failures(run: Recorded) -> dict[str, list[str]]:
    return {
        f"{failure.error} at {failure.operation}": problems
        for failure in run.recording.failures
        if (problems := problems_of_failure(run, failure))
    }


def test_a_failing_disk_ends_with_74_and_names_the_file(run):
    assert len(run.recording.failures) >= 8
    assert failures(run) == {}


def test_no_kill_and_no_power_loss_loses_a_saved_checkpoint(run, tmp_path):
    assert len(run.recording.states) > 50
    lost = {}
    for number, key in enumerate(run.recording.states):
        run.recording.write(key, tmp_path / str(number))
        if problems := lost_checkpoints(tmp_path / str(number), run.recording.states[key].saved_step):
            lost[run.recording.states[key].causes[0]] = problems
    assert lost == {}


def test_the_same_command_ends_with_the_same_bits(run, tmp_path):
    states = run.recording.states
    end = next(key for key in states if "power loss at the end: folders ahead of files" in states[key].causes)
    for key in [*list(states)[:: len(states) // 3], end]:
        problems = problems_of_state(run, key, tmp_path / "again")
        assert problems == [], run.recording.states[key].causes


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_operation_with_every_error(tmp_path):
    run = recorded(tmp_path, every)
    assert failures(run) == {}
    for key, state in run.recording.states.items():
        assert problems_of_state(run, key, tmp_path / "again") == [], state.causes


def write_in_place():
    """Write checkpoints under their final names."""
    real = checkpoint._write

    def save(folder, step, tensors, state, about=None):
        real(path_of(folder, step), tensors, state, {})
        return path_of(folder, step)

    checkpoint.save = save


def forget_to_sync():
    checkpoint.sync_folder = storage.sync_folder = lambda folder: None


@pytest.mark.parametrize("mutate", [write_in_place, forget_to_sync])
def test_control_an_unsafe_write_is_found(tmp_path, mutate):
    run = recorded(tmp_path, mutate=mutate)
    lost = []
    for number, (key, state) in enumerate(run.recording.states.items()):
        run.recording.write(key, tmp_path / str(number))
        lost += lost_checkpoints(
            tmp_path / str(number), max(state.saved_step, 1) if mutate is write_in_place else state.saved_step
        )
    assert lost


def test_control_half_a_file_is_found(tmp_path):
    def replace(path, data):
        path.write_bytes(data)

    def mutate():
        import ftaug.engine.system.run_folder as run_folder

        run_folder.replace = replace

    run = recorded(tmp_path, lambda number: [(ERRORS[0], True)] if number in range(4, 12) else [], mutate)
    assert any("half a file" in problem for problems in failures(run).values() for problem in problems)


def unsaved_optimizer():
    checkpointing.load_optimizer = lambda *_: None


def stateful_generator():
    import numpy

    shared = numpy.random.Generator(numpy.random.Philox(0))
    seeds.streams = lambda *_: lambda name: shared


def sampler_off_by_one():
    real = batches.EpochSampler.requests
    batches.EpochSampler.requests = lambda self, start, stop: real(self, start + (start > 0), stop + 1)


@pytest.mark.parametrize("mutate", [unsaved_optimizer, stateful_generator, sampler_off_by_one])
def test_control_a_resume_that_forgets_is_found(tmp_path, mutate):
    run = recorded(tmp_path, mutate=mutate)
    key = next(key for key, state in run.recording.states.items() if state.saved_step == 2)
    code, stderr = repeat(run.recording, key, TRAIN, tmp_path / "again", mutate)
    assert code == 0, stderr
    assert differing(run_bits(next((tmp_path / "again" / "runs").iterdir())), run.whole) != []
