"""The profiler of a training step: seconds by phase, and nothing where nobody measures."""

import pytest
import torch

from ftaug.engine.system.profiler import NAMES, Recorder, phase


def test_a_phase_without_a_recorder_only_runs_its_body():
    assert Recorder.active is None
    with phase("forward"):
        pass
    with pytest.raises(KeyError), phase("forward"):
        raise KeyError


def test_the_seconds_of_a_phase_add_up(monkeypatch):
    clock = iter([1.0, 1.5, 10.0, 12.0, 20.0, 20.25])
    recorder = Recorder(torch.device("cpu"))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    with recorder.recording():
        for name in ("forward", "backward", "forward"):
            with phase(name):
                pass
    assert recorder.seconds == {**dict.fromkeys(NAMES, 0.0), "forward": 0.75, "backward": 2.0}
    assert Recorder.active is None
    with phase("forward"):
        pass
    assert recorder.seconds["forward"] == 0.75
