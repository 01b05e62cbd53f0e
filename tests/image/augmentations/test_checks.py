"""Augmentations that cannot do what they are set to are errors with their place, before any data is read."""

import pytest

from ftaug.errors import ExperimentError
from ftaug.experiment_file import load

HEAD = "data: {train: {image_folder: {path: nowhere}}}\nbackbone: resnet18\naugment:\n"


def problems(tmp_path, *ops):
    file = tmp_path / "experiment.yaml"
    file.write_text(HEAD + "".join(f"  - {op}\n" for op in ops))
    try:
        load(file)
    except ExperimentError as error:
        return [str(problem).removeprefix(f"{file}:") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("ops", "expected"),
    [
        (["rotate: {probability: 1.5}"], "augment.0.rotate.probability must be a probability from 0 to 1; got 1.5"),
        (
            ["one_of: {choices: []}"],
            "augment.0.one_of.choices must be a list of at least one augmentation; got an empty",
        ),
        (["one_of"], "missing key 'choices' in augment.0: it must be a list of at least one augmentation"),
        (["one_of: {choices: [rotat]}"], "no augmentation 'rotat'; did you mean 'rotate'?"),
        (
            ["one_of: {choices: [{rotate: {degrees: -1}}]}"],
            "augment.0.one_of.choices.0.rotate.degrees must be an angle from 0 to 360 degrees; got -1",
        ),
        (
            ["one_of: {choices: [rotate, hue], weights: [1]}"],
            "augment.0.one_of.weights must be one number for each of the 2 choices; got 1",
        ),
        (
            ["apply: {ops: [{some_of: {choices: [rotate, hue], count: 3}}]}"],
            "augment.0.apply.ops.0.some_of.count must be at most the 2 choices; got 3",
        ),
        (
            ["rotate: {severity: 0.5, degrees: 3}"],
            "augment.0.rotate.degrees is set by severity as well; leave one of them out",
        ),
        (["rotate: {severity: 2}"], "augment.0.rotate.severity must be a severity from 0 to 1, or null; got 2"),
        (
            ["resize: {size: 64, mode: squash}", "random_crop: {size: 96}"],
            "augment.1.random_crop.size must fit into the 64×64 pixels that the ops before it leave; got 96×96",
        ),
        (
            ["random_resized_crop: {size: 64}", "rotate", "center_crop: {size: [32, 65]}"],
            "augment.2.center_crop.size must fit into the 64×64 pixels that the ops before it leave; got 32×65",
        ),
    ],
    ids=str,
)
def test_is_an_error_with_its_place(tmp_path, ops, expected):
    (found,) = problems(tmp_path, *ops)
    line, column, words = found.split(":", 2)
    assert int(line) >= 4
    assert int(column) > 1
    assert words.strip().startswith(expected)


@pytest.mark.parametrize(
    "ops",
    [
        ["random_crop: {size: 96}"],
        ["resize: {size: 64}", "random_crop: {size: 96}"],
        ["resize: {size: 64, mode: squash}", "random_crop: {size: 64, padding: 0.1}"],
        ["resize: {size: 64, mode: squash}", "random_crop: {size: 70, padding: 0.1}"],
        ["resize: {size: 64, mode: squash}", "resize: {size: 128, mode: squash}", "random_crop: {size: 96}"],
        ["resize: {size: [40, 80], mode: squash}", "rotate90", "center_crop: {size: [80, 40]}"],
        ["one_of: {choices: [rotate, {hue: {severity: 1}}], weights: [1, 2]}"],
    ],
    ids=str,
)
def test_what_can_be_is_none(tmp_path, ops):
    assert problems(tmp_path, *ops) == []


OWN_LOSS = """
from ftaug.config.kinds import loss

@loss.register(soft_targets=False)
def of_index(logits, targets, counts):
    \"\"\"Take class indices only.\"\"\"
"""


def experiment_problems(tmp_path, text):
    (tmp_path / "own.py").write_text(OWN_LOSS)
    file = tmp_path / "experiment.yaml"
    file.write_text("data: {train: {image_folder: {path: nowhere}}}\nbackbone: resnet18\n" + text)
    with pytest.raises(ExperimentError) as caught:
        load(file)
    return [str(problem).removeprefix(f"{file}:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mix: cutmx\n", "no mix 'cutmx'; did you mean 'cutmix'?"),
        ("mix: {one_of: {choices: []}}\n", "mix.one_of.choices must be a list of at least one mix"),
        (
            "mix: {one_of: {choices: [mixup, cutmix], weights: [1]}}\n",
            "mix.one_of.weights must be one number for each of the 2 choices; got 1",
        ),
        ("train: {mix_until: 80%}\n", "train.mix_until ends mixing, but mix is null; set mix, or leave it out"),
        (
            "plugins: [own.py]\nmix: mixup\nloss: of_index\n",
            "mix mixes targets, which the loss of_index does not support; change one",
        ),
        ("objective: jensen_shannon\n", "objective compares views, but no augmentation makes them differ"),
        ("augment: [augmix]\nmix: mixup\nobjective: jensen_shannon\n", "objective and mix cannot be combined"),
        ("augment: [mixup]\n", "'mixup' is a mix, not an augmentation"),
    ],
    ids=str,
)
def test_mixing_that_cannot_be(tmp_path, text, expected):
    (found,) = experiment_problems(tmp_path, text)
    assert expected in found
    assert int(found.split(":")[0]) >= 3
