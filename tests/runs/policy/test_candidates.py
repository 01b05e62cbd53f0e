"""The policies of a search."""

from ftaug.experiment_file import load, open_experiment
from ftaug.runs.policy.candidates import policies_of, policy_overrides
from ftaug.runs.policy.screen import OpScreen
from ftaug.runs.search.search_file import open_search

CONFIG = "data: {train: digits}\nbackbone: resnet20\n"


def screened(op, cap, diversity=2.0, spared=(), severities=(0.25, 0.5, 1.0)):
    return OpScreen(op, dict.fromkeys(severities, 0.0), dict.fromkeys(severities, diversity), cap, spared)


SCREENS = [
    screened("rotate", 0.5),
    screened("horizontal_flip", 1.0, spared=("6",), severities=(1.0,)),
    screened("invert", 0.0),
    screened("gaussian_noise", 0.25),
]


def test_reference_none_library_and_screened_ones(write):
    policies = policies_of(SCREENS, load(write(CONFIG)))
    assert policies[:4] == [
        ["trivial_augment"],
        [],
        ["rand_augment"],
        [{"horizontal_flip": {"severity": 0.5, "except": ["6"]}}],
    ]
    choices = [
        {"gaussian_noise": {"severity": 0.25}},
        {"horizontal_flip": {"severity": 0.5, "except": ["6"]}},
        {"rotate": {"severity": 0.5}},
    ]
    assert policies[4:] == [[{"one_of": {"choices": choices}}], [{"some_of": {"choices": choices, "count": 2}}]]


def test_the_most_diverse_ones_are_chosen(write):
    many = [screened(f"op{number:02}", 1.0, diversity=number) for number in range(20)]
    (one_of,) = [p[0]["one_of"] for p in policies_of(many, load(write(CONFIG))) if p and "one_of" in p[0]]
    assert [next(iter(choice)) for choice in one_of["choices"]] == [f"op{number:02}" for number in range(6, 20)]


def test_policies_of_sounds_are_in_the_order_of_their_application(write):
    file = open_experiment(write("modality: audio\ndata: {train: spoken, val: {split: 20%}}\nbackbone: tiny_audio\n"))
    screens = [screened(op, 0.5) for op in ("frequency_mask", "gain", "noise", "shift", "speed", "time_mask")]
    (choices,) = [p[0]["one_of"]["choices"] for p in policies_of(screens, file.experiment()) if p and "one_of" in p[0]]
    assert [next(iter(choice)) for choice in choices] == [
        *("shift", "speed"),
        *("gain", "noise"),
        *("frequency_mask", "time_mask"),
    ]
    assert open_search(file, policy_overrides(screens, file.experiment())).settings.trials == 6


def test_all_policies_are_valid_and_the_reference_is_the_default(write):
    file = open_experiment(write(CONFIG))
    search = open_search(file, policy_overrides(SCREENS, file.experiment()))
    assert search.default_overrides == ("augment=[trivial_augment]", "mix=null")
    assert (search.settings.sampler, search.settings.trials) == ("grid", 6 * 3)


def test_texts_have_no_reference_but_none(write):
    config = "modality: text\ndata: {train: docstrings}\nbackbone: tiny_text\n"
    policies = policies_of([screened("delete", 0.5), screened("swap", 0.25)], load(write(config)))
    assert policies[0] == []
    assert policies[1][0]["one_of"]["choices"] == [{"delete": {"severity": 0.5}}, {"swap": {"severity": 0.25}}]
