import time

import numpy as np
import pytest
import torch
from export_cases import of_image, of_text

from ftaug.components.exporters import exporters, timing


def busy(seconds):
    """Keep this thread's processor busy so long."""
    stop = time.thread_time() + seconds
    while time.thread_time() < stop:
        pass


def test_the_best_of_several_runs_is_measured_in_processor_time(monkeypatch):
    calls = []

    def uneven():
        calls.append("a")
        busy(0.004 if len(calls) == 5 else 0.012)

    def waiting():
        calls.append("b")
        time.sleep(0.02)

    first, second = timing.best([uneven, waiting])
    assert first == pytest.approx(4, rel=0.5)
    assert second < 2
    assert calls[:8] == ["a", "b"] * 4
    assert len(calls) == 2 * (1 + timing.ROUNDS)


def test_slow_functions_run_three_times():
    calls = []

    def slow():
        calls.append(None)
        busy(timing.SECONDS / 2 + 0.01)

    timing.best([slow])
    assert len(calls) == 1 + 3


def test_texts_are_as_long_as_the_model_allows(monkeypatch):
    bundle = of_text(monkeypatch).bundle
    described = {name: {"shape": ["batch", "length"]} for name in ("input_ids", "attention_mask", "token_type_ids")}
    arrays = timing.inputs(described, bundle, 3)
    assert {array.shape for array in arrays.values()} == {(3, 64)}
    assert arrays["attention_mask"].min() == 1
    ids = bundle.export_signature.inputs(bundle.example)["input_ids"].numpy().ravel()
    np.testing.assert_array_equal(arrays["input_ids"].ravel()[: len(ids)], ids)


@pytest.mark.parametrize("name", ["onnx", "torch_export"])
@pytest.mark.parametrize("settings", [{}, {"input": "pixels"}])
def test_what_was_written_is_run_with_batches_of_each_size(tmp_path, name, settings):
    bundle, path = of_image().bundle, tmp_path / f"pets{'.onnx' if name == 'onnx' else '.pt2'}"
    getattr(exporters, name)(bundle, path, **settings)
    times = timing.milliseconds(path, bundle)
    assert list(times) == [1, 16]
    assert 0 < times[1] < 1000


def test_the_threads_of_torch_are_as_many_as_before(tmp_path):
    before = torch.get_num_threads()
    seen = []
    bundle = of_image().bundle
    bundle.model.register_forward_hook(lambda *args: seen.append((torch.get_num_threads(), len(args[1][0]))))
    timing.caller(tmp_path / "a.safetensors", bundle)(16)()
    assert seen == [(1, 16)]
    assert torch.get_num_threads() == before
