"""Axes beside a spectrogram."""

import itertools

import numpy as np

from ftaug.audio.explanation.axes import BOTTOM, LEFT, _frequencies, plot_size, with_axes


def test_the_plot_is_as_it_was_within_its_axes():
    height, width = plot_size(224)
    plot = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    drawn = with_axes(plot, (0.25, 1.25), np.geomspace(50, 7000, 64))
    assert drawn.shape == (height + BOTTOM, 224, 3)
    np.testing.assert_array_equal(drawn[:height, LEFT:], plot)
    assert (drawn[:height, :LEFT] < 200).any() and (drawn[height:] < 200).any(), "labels"


def test_frequencies_stand_at_their_bands():
    hertz = np.arange(64) * 125.0 + 62.5  # linear: 8 kHz at the top
    labels = {label: row for row, label in _frequencies(160, hertz)}
    assert labels["4 kHz"] == 80
    assert labels["2 kHz"] == 120
    assert "125 Hz" not in labels, "no room above 250 Hz"
    rows = list(labels.values())
    assert all(after - before >= 13 for before, after in itertools.pairwise(rows))
