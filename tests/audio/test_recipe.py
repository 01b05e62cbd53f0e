"""What `init` proposes for sounds."""

import pytest

from ftaug.audio.recipe import SoundFacts, rate_of, recipe, window_seconds
from ftaug.recipes.recipe import Model


def facts(seconds=0.9, longest=1.0, rate=44_100, samples=200, **others):
    counts = {"a": samples // 2, "b": samples // 2}
    return SoundFacts("single_label", samples, counts, seconds=seconds, longest=longest, rate=rate, **others)


@pytest.mark.parametrize(("seconds", "window"), [(0.1, 0.5), (0.5, 0.5), (0.9, 1.0), (1.2, 1.5), (30.0, 5.0)])
def test_nine_of_ten_sounds_fit_into_the_window(seconds, window):
    assert window_seconds(facts(seconds)) == window


@pytest.mark.parametrize(("rate", "chosen"), [(8000, 8000), (11_025, 16_000), (16_000, 16_000), (44_100, 32_000)])
def test_the_rate_keeps_what_files_hold(rate, chosen):
    assert rate_of(facts(rate=rate)) == chosen


def test_long_sounds_have_several_windows():
    settings = recipe(facts(4.0, 60.0)).backbone.value["spectrogram"]
    assert (settings["seconds"], settings["windows"]) == (4.0, 3)
    assert recipe(facts()).backbone.value["spectrogram"]["windows"] == 1


def test_a_requested_network_is_used():
    model = Model("resnet20", {"weights": "none"})
    backbone = recipe(facts(model=model)).backbone.value["spectrogram"]
    assert (backbone["network"], backbone["weights"]) == ("resnet20", "none")


def test_speed_is_not_proposed():
    assert "speed" not in str([choice.value for choice in recipe(facts()).augment])
