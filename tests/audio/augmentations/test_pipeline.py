"""The pipeline: windows of evaluation and training, the order of ops, and draws that depend on nothing else."""

import numpy as np
import pytest
from sounds import OPS, RATE, augmentation, clip, noise, preprocessing, streams, tone, write_classes

from ftaug.audio.augmentations.pipeline import Pipeline, filtered, fused, window_starts
from ftaug.audio.augmentations.transforms import Filter, WaveFunction, level
from ftaug.audio.packed import BEGIN, END, HEADER
from ftaug.errors import BadData

COMBINING = {
    **{name: {"choices": ["gain", "noise"]} for name in ("one_of", "some_of")},
    **{name: {"ops": ["gain", "noise"]} for name in ("apply", "shuffle")},
}


def ops(folder):
    """Every op of the registry, with probability 1."""
    background = {"background": {"path": str(write_classes(folder / "rooms"))}}
    for name in OPS:
        settings = {**COMBINING, **background}.get(name, {})
        yield augmentation(name, **settings, probability=1.0)


def test_evaluation_reads_windows_from_the_first_to_the_last_sample():
    wave = np.arange(5 * RATE, dtype=np.float32) / 2**10
    form = {**preprocessing(1.0, windows=3), "views": None}
    rows, _ = Pipeline((), form).packed(clip(wave), None)
    assert (rows[:, HEADER] * 2**10).tolist() == [0, 2 * RATE, 4 * RATE]
    assert rows[:, [BEGIN, END]].tolist() == [[0, RATE]] * 3
    middle, _ = Pipeline((), preprocessing(1.0, windows=3)).packed(clip(wave), None)
    assert (middle[:, HEADER] * 2**10).tolist() == [2 * RATE]


def test_windows_of_a_short_sound_are_equal_and_padded_at_the_end():
    form = {**preprocessing(1.0, windows=3), "views": None}
    rows, _ = Pipeline((), form).packed(clip(tone(seconds=0.5)), None)
    assert (rows == rows[0]).all()
    assert rows[0, [BEGIN, END]].tolist() == [0, 8000]
    assert not rows[0, HEADER + 8000 :].any()


@pytest.mark.parametrize(("rest", "count"), [(0, 1), (7, 1), (10, 2), (11, 3), (1000, 7)])
def test_windows_are_evenly_spread(rest, count):
    starts = window_starts(rest, count)
    expected = np.linspace(0, rest, count) if count > 1 else np.array([rest / 2])
    assert np.abs(np.array(starts) - expected).max() <= 0.5
    assert count == 1 or (starts[0], starts[-1]) == (0, rest)


def test_training_draws_windows_uniformly():
    wave = np.arange(3 * RATE, dtype=np.float32) / RATE
    pipeline = Pipeline((), preprocessing(1.0))
    firsts = [pipeline.drawn(clip(wave), streams(epoch))[0].wave[0] for epoch in range(400)]
    histogram, _ = np.histogram(firsts, 4, (0, 2))
    assert histogram.min() > 60
    assert min(firsts) >= 0 and max(firsts) <= 2


def test_draws_depend_on_the_sample_and_the_epoch_alone(tmp_path):
    sound, form = clip(noise(1.5)), preprocessing(1.0)
    for op in ops(tmp_path):

        def rows(pipeline, epoch, sample):
            return pipeline.packed(sound, streams(epoch, sample))[0].tobytes()

        alone = Pipeline((op,), form)
        assert rows(alone, 1, 2) == rows(Pipeline((op,), dict(form)), 1, 2), op.name
        drawn = {rows(alone, epoch, sample) for epoch in (0, 1) for sample in (0, 1)}
        assert len(drawn) > 1, op.name


def test_an_op_does_not_change_the_draws_of_others(tmp_path):
    form = preprocessing(1.0)
    both = Pipeline((augmentation("gain"), augmentation("noise", probability=1.0)), form)
    alone = Pipeline((augmentation("noise", probability=1.0),), form)
    values = [pipeline.packed(clip(noise()), streams())[1].values["noise"] for pipeline in (both, alone)]
    assert values[0] == values[1]


def test_every_op_leaves_padding_alone(tmp_path):
    short = clip(noise(0.4))
    for op in ops(tmp_path):
        part, _, _ = Pipeline((op,), preprocessing(1.0)).drawn(short, streams())
        assert not part.wave[: part.begin].any(), op.name
        assert not part.wave[part.end :].any(), op.name
        assert part.wave.dtype == np.float32
        assert np.isfinite(part.wave).all()


def test_neighboring_filters_are_one():
    function = WaveFunction(lambda wave: wave)
    assert [type(step) for step in fused([level(2), level(3), function, level(4)])] == [Filter, WaveFunction, Filter]
    assert fused([level(2), level(3)])[0].flat == 6


def test_filters_do_not_come_round():
    echo = np.zeros(100)
    echo[0], echo[99] = 1, 1
    impulse = np.zeros(100, np.float32)
    impulse[50] = 1
    response = Filter(lambda hertz: np.fft.rfft(echo, 2 * (len(hertz) - 1)))
    np.testing.assert_allclose(filtered(impulse, response, RATE), impulse, atol=1e-6)


def test_a_silent_sound_is_an_error_and_a_silent_part_is_not():
    silent = np.zeros(8000, np.float32)
    said = "is silent: all its samples are zero; delete it, or set silent: skip or keep of the dataset"
    for seconds in (1.0, 0.5, 0.1):
        with pytest.raises(BadData, match=said):
            Pipeline((), preprocessing(seconds)).packed(clip(silent), None)
    Pipeline((), preprocessing(1.0)).packed(clip(silent, silent="keep"), None)
    Pipeline((), preprocessing(0.1)).packed(clip(np.concatenate([silent, noise(0.1)])), None)
