from types import SimpleNamespace

import pytest
from pictures import augmentation

from ftaug.errors import ExperimentError
from ftaug.interfaces.modality import Corruption
from ftaug.runs.corruption_evaluation import choose_corruptions, trained_on


def opened(*augment, size=(32, 32)):
    experiment = SimpleNamespace(modality="image", augment=augment)
    return SimpleNamespace(experiment=experiment, preprocessing={"size": list(size)})


def names(*chosen):
    return [member.name for member in choose_corruptions(opened(), chosen).members]


def test_all_are_15_and_4_with_5_levels_each():
    chosen = choose_corruptions(opened(size=(224, 224)), ["all"])
    assert len(chosen.members) == 19 and sum(member.is_extra for member in chosen.members) == 4
    assert {len(member.levels) for member in chosen.members} == {5}
    assert chosen.notes == ["constants of ImageNet-C, since the model takes 224×224 pixels"]
    assert choose_corruptions(opened(), ["fog"]).notes == [
        "constants of CIFAR-10-C, since the model takes 32×32 pixels"
    ]


def test_names_and_categories_are_chosen_once():
    assert names() == []
    assert names("fog", "jpeg_compression", "fog") == ["fog", "jpeg_compression"]
    assert names("noise", "shot_noise") == ["gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"]


def test_an_augmentation_with_its_settings_has_one_level():
    texts = ["{rotate: {degrees: 30, probability: 1}}", "{rotate: {degrees: 60}}"]
    first, second = choose_corruptions(opened(), texts).members
    assert (first.name, first.category) == ("rotate: {degrees: 30, probability: 1}", "other")
    assert [level.settings["degrees"] for each in (first, second) for level in each.levels] == [30, 60]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "jpg_compression",
            "--corruptions jpg_compression: there is no such corruption; did you mean 'jpeg_compression'",
        ),
        ("typos", "--corruptions typos: there is no such corruption"),
        ("{rotate: {degrees: x}}", "rotate.degrees must be "),
        ("{rotat: {}}", "did you mean 'rotate'"),
    ],
)
def test_what_is_not_there_is_an_error(name, words):
    with pytest.raises(ExperimentError) as caught:
        choose_corruptions(opened(), [name])
    assert words in str(caught.value)


def test_training_on_something_similar_is_found():
    inner = augmentation("one_of", choices=["color_jitter", {"corruption": {"kind": "fog"}}])
    run = opened(augmentation("jpeg"), inner)
    by_name = {member.name: member for member in choose_corruptions(run, ["all"]).members}
    trained = {name: trained_on(run, member) for name, member in by_name.items()}
    assert {name: ops for name, ops in trained.items() if ops} == {
        "jpeg_compression": ["jpeg"],
        "fog": ["corruption"],
        "brightness": ["color_jitter"],
        "contrast": ["color_jitter"],
        "saturate": ["color_jitter"],
    }
    assert trained_on(run, Corruption("rotate", "other", (), ("rotate",))) == []
