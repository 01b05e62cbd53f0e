"""What `init` proposes for sounds."""

import pytest

from ftaug.audio.hf_network import HfNetwork
from ftaug.audio.recipe import SoundFacts, rate_of, recipe, window_seconds
from ftaug.recipes.recipe import Model

LITE0 = Model("efficientnet_lite0", {"weights": "imagenet"})


def facts(seconds=0.9, longest=1.0, rate=44_100, low_rate=None, samples=200, median=None, **others):
    counts = {"a": samples // 2, "b": samples // 2}
    lengths = {"median": seconds if median is None else median, "seconds": seconds, "longest": longest}
    rates = {"rate": rate, "low_rate": low_rate or rate}
    return SoundFacts("single_label", samples, counts, **rates, **lengths, **others)


@pytest.mark.parametrize(("seconds", "window"), [(0.1, 0.5), (0.5, 0.5), (0.9, 1.0), (1.2, 1.25), (30.0, 5.0)])
def test_nine_of_ten_sounds_fit_into_the_window(seconds, window):
    assert window_seconds(facts(seconds)) == window


def test_a_few_long_sounds_do_not_make_the_window_long():
    assert window_seconds(facts(9.0, 15.0, median=0.7)) == 1.5
    assert window_seconds(facts(1.0, 15.0, median=0.7)) == 1.0


@pytest.mark.parametrize(("rate", "chosen"), [(8000, 8000), (11_025, 16_000), (16_000, 16_000), (44_100, 32_000)])
def test_the_rate_keeps_what_files_hold(rate, chosen):
    assert rate_of(facts(rate=rate)) == chosen


@pytest.mark.parametrize(
    ("rate", "low_rate", "chosen"),
    [
        (44_100, 22_050, 16_000),
        (44_100, 8000, 8000),
        (48_000, 44_100, 32_000),
        (96_000, 44_100, 32_000),
        (16_000, 4000, 8000),
    ],
)
def test_where_rates_differ_nine_of_ten_files_have_the_chosen_one(rate, low_rate, chosen):
    assert rate_of(facts(rate=rate, low_rate=low_rate)) == chosen


@pytest.mark.parametrize(
    ("center", "rate", "chosen"), [(900, 48_000, None), (9000, 48_000, 32_000), (45_000, 192_000, 192_000)]
)
def test_the_network_hears_where_most_energy_is(center, rate, chosen):
    backbone = recipe(facts(rate=rate, center=center)).backbone
    assert backbone.value.get("spectrogram", {}).get("rate") == chosen
    assert ("half of their energy above" in backbone.reason) is (chosen is not None)


@pytest.mark.parametrize(("name", "model"), [("tiny_audio", None), ("spectrogram", LITE0)])
def test_long_sounds_have_several_windows(name, model):
    settings = recipe(facts(4.0, 60.0, model=model)).backbone.value[name]
    assert (settings["seconds"], settings["windows"]) == (4.0, 3)
    assert recipe(facts(model=model)).backbone.value[name]["windows"] == 1


def test_few_sounds_go_to_the_small_network_which_may_be_requested_for_many():
    few, many = recipe(facts(samples=30)), recipe(facts(samples=20_000))
    assert few.backbone.value == {"tiny_audio": {"seconds": 1.0, "windows": 1}}
    assert (few.lr["peak"].value, many.lr["peak"].value) == (0.002, 0.0005)
    assert many.backbone.value["spectrogram"]["weights"] == "imagenet"
    requested = recipe(facts(samples=20_000, model=Model("tiny_audio", {"weights": "none"})))
    assert requested.backbone.value == {"tiny_audio": {"weights": "none", "seconds": 1.0, "windows": 1}}


def test_a_requested_network_is_used():
    model = Model("resnet20", {"weights": "none"})
    backbone = recipe(facts(model=model)).backbone.value["spectrogram"]
    assert (backbone["network"], backbone["weights"]) == ("resnet20", "none")


def test_speed_is_not_proposed():
    assert "speed" not in str([choice.value for choice in recipe(facts()).augment])


AST = HfNetwork(16_000, 1.28, takes_waveforms=False, normalizes=False)
WAVES = HfNetwork(16_000, None, takes_waveforms=True, normalizes=True)


def of_transformers(network, weights="pretrained", **others):
    return recipe(facts(model=Model("hf", {"path": "./n", "weights": weights}), network=network, **others))


def names(proposed):
    return [next(iter(choice.value)) for choice in proposed.augment]


def test_ast_has_the_window_that_it_was_trained_with():
    proposed = of_transformers(AST, seconds=4.0, longest=5.0)
    assert proposed.backbone.value == {"hf": {"path": "./n", "weights": "pretrained", "windows": 3}}
    assert "it always sees 1.28 s at 16,000 Hz" in proposed.backbone.reason
    assert proposed.augment[0].value == {"shift": {"seconds": 0.13}}  # not half of the window
    assert of_transformers(AST, seconds=0.5, longest=0.5).augment[0].value == {"shift": {"seconds": 0.05}}
    assert names(proposed) == ["shift", "gain", "noise", "time_mask", "frequency_mask"]
    assert proposed.unfreeze.value == ["all"]


def test_waveforms_have_no_masks_and_no_gain_that_normalization_undoes():
    proposed = of_transformers(WAVES)
    assert proposed.backbone.value["hf"] == {"path": "./n", "weights": "pretrained", "seconds": 1.0, "windows": 1}
    assert names(proposed) == ["shift", "noise"]
    assert names(of_transformers(WAVES._replace(normalizes=False))) == ["shift", "gain", "noise"]
    assert proposed.unfreeze.value == ["layer*", "head"]
    assert proposed.lr["stages"].value == {"head": 20}


def test_random_weights_of_a_transformer_learn_whole_at_one_rate():
    proposed = of_transformers(WAVES, weights="none")
    assert proposed.unfreeze.value == ["all"] and "stages" not in proposed.lr
    assert proposed.lr["peak"].value > of_transformers(WAVES).lr["peak"].value
