"""The variants of an experiment; removing an augmentation leaves the draws of the others the same."""

import pytest

from ftaug.engine.loading import seeds
from ftaug.errors import ExperimentError
from ftaug.experiment_file import open_experiment
from ftaug.image.augmentations.pipeline import Pipeline
from ftaug.runs.ablation.variants import design

CONFIG = """
data: {train: digits}
backbone: resnet20
augment:
  - rotate: {degrees: 10}
  - translate: {x: 0.1, y: 0.1}
  - rotate
  - random_erasing
loss: {cross_entropy: {label_smoothing: 0.1}}
train: {epochs: 2, ema: 0.95, clip_norm: 1.0, max_time: 5}
lr: {peak: 3e-3}
"""


def designed(write, *, over=(), add=(), config=CONFIG, overrides=()):
    return design(open_experiment(write(config)), overrides, over, add)


def summary(result):
    return [(each.change, each.name, *each.overrides) for each in result.variants]


def test_augmentations_and_mixes_by_default(write):
    assert summary(designed(write)) == [
        ("removed", "rotate", "augment.0.rotate.probability=0"),
        ("removed", "translate", "~augment.1"),
        ("removed", "rotate#1", "~augment.2"),
        ("removed", "random_erasing", "~augment.3"),
        ("added", "color_jitter", "augment+=color_jitter"),
        ("added", "horizontal_flip", "augment+=horizontal_flip"),
        ("added", "random_resized_crop", "augment+=random_resized_crop"),
        ("added", "cutmix", "mix=cutmix"),
        ("added", "mixup", "mix=mixup"),
    ]


def test_the_mix_of_the_file_is_left_out_and_none_is_added(write):
    result = designed(write, over=["mix"], overrides=["mix={mixup: {alpha: 0.2}}"])
    assert summary(result) == [("removed", "mix", "~mix")]


def test_keys_of_sections(write):
    result = designed(write, over=["train", "loss", "lr"], add=["none"])
    assert summary(result) == [
        ("removed", "train.ema", "~train.ema"),
        ("removed", "train.clip_norm", "~train.clip_norm"),
        ("removed", "loss", "~loss"),
        ("removed", "lr.peak", "~lr.peak"),
    ]
    assert [each.name for each in designed(write, over=["train.epochs"]).variants] == ["train.epochs"]


def test_requested_additions(write):
    result = designed(write, over=["mix"], add=["cutmix,{rotate: {degrees: 90}}"])
    assert summary(result) == [
        ("added", "cutmix", "mix=cutmix"),
        ("added", "{rotate: {degrees: 90}}", "augment+={rotate: {degrees: 90}}"),
    ]


def test_texts_have_other_standard_augmentations(write):
    config = "modality: text\ndata: {train: docstrings}\nbackbone: tiny_text\n"
    assert [each.name for each in designed(write, config=config).variants] == ["aeda", "delete", "swap", "mixup"]


def test_those_of_sounds_are_added_where_they_are_applied(write):
    config = """
modality: audio
data: {train: spoken}
backbone: tiny_audio
augment: [{gain: {decibels: [-3, 3]}}, {time_mask: {share: 0.1}}]
"""
    result = designed(write, config=config)
    assert not result.notes
    added = {each.name: each.overrides[0] for each in result.variants if each.change == "added"}
    assert {"shift", "equalizer", "frequency_mask"} < added.keys()
    assert added["frequency_mask"] == "augment+=frequency_mask"
    baseline = open_experiment(write(config))
    for name, place in {"shift": 0, "equalizer": 1}.items():
        ops = baseline.experiment([added[name]]).augment
        assert [op.name for op in ops].index(name) == place
        assert [op for op in ops if op.name != name] == [*result.baseline.augment]


def test_what_changes_no_result_or_cannot_be_left_out_is_noted(write):
    config = CONFIG.replace("ema: 0.95", "save_every: 50%, mix_until: 50%") + "mix: mixup\n"
    result = designed(write, config=config, over=["train", "mix"])
    assert [each.name for each in result.variants] == ["train.mix_until", "train.clip_norm"]
    first, second = result.notes
    assert first == "train.save_every is not removed, as that changes no result"
    assert second.startswith("mix is not removed: ")


@pytest.mark.parametrize(
    ("over", "add", "message"),
    [
        (["trian"], [], "--over trian: no section with parts to leave out; did you mean 'train'?"),
        (["data"], [], "--over data: no section with parts to leave out; there is augment"),
        (["method"], [], "--over method: the experiment file does not set it, so there is nothing to leave out"),
        (["train.emma"], [], "train.emma is not removed: train.emma is not set; did you mean 'ema'?"),
        ([], ["rotat"], "override 'augment+=rotat': no augmentation 'rotat'; did you mean 'rotate'?"),
        (["mix"], ["none"], "there is nothing to leave out of mix, and nothing to add"),
    ],
)
def test_errors(write, over, add, message):
    with pytest.raises(ExperimentError) as error:
        designed(write, over=over, add=add)
    assert message in str(error.value)


def draws(experiment):
    """The parameters that each augmentation draws for some samples, with those of fired ones only."""
    pipeline = Pipeline(experiment.augment, {"size": (32, 32), "resize": 32})
    return [dict(pipeline.draw(40, 40, seeds.streams(0, 1, sample))[1].values) for sample in range(20)]


def test_the_other_augmentations_draw_the_same(write):
    file = open_experiment(write(CONFIG))
    result = design(file, (), ["augment"], ["color_jitter"])
    before = draws(result.baseline)
    assert all({"rotate", "translate", "rotate#1"} <= drawn.keys() for drawn in before)
    for variant in result.variants:
        after = draws(file.experiment(variant.overrides))
        assert after != before
        for drawn, changed in zip(before, after, strict=True):
            assert {name: changed[name] for name in drawn if name != variant.name} == {
                name: values for name, values in drawn.items() if name != variant.name
            }
