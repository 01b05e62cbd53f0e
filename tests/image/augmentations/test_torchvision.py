"""torchvision's transforms under their own names: all of them, with torchvision's results."""

import inspect

import numpy as np
import pytest
import torch
from pictures import AUGMENTATIONS, augmentation, streams, texture
from torchvision.transforms import v2

from ftaug.errors import ExperimentError
from ftaug.experiment_file import load
from ftaug.image.augmentations.torchvision import LEFT_OUT, OF_FLOATS, TRANSFORMS, _built
from ftaug.image.augmentations.transforms import Canvas

NAMES = [name for name in AUGMENTATIONS if name.startswith("torchvision.")]


def test_every_class_is_here_or_left_out_for_a_reason():
    classes = {name for name, value in vars(v2).items() if inspect.isclass(value) and issubclass(value, v2.Transform)}
    left_out = {name for names in LEFT_OUT.values() for name in names}
    assert classes - left_out == set(TRANSFORMS)
    assert not left_out & set(TRANSFORMS)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_settings_are_the_parameters_with_their_defaults(name):
    theirs = inspect.signature(getattr(v2, name)).parameters
    for key, (_, default) in TRANSFORMS[name].items():
        expected = theirs[key].default
        if default is inspect.Parameter.empty or expected is inspect.Parameter.empty:
            assert default is expected
        else:
            plain = getattr(expected, "value", expected)
            plain = tuple(plain) if isinstance(plain, list) else plain
            assert plain == default or (plain == 0 and default == 0.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("epoch", range(4))
def test_gives_what_the_transform_gives(name, epoch):
    picture, op = texture(60, 80), augmentation(name)
    before = torch.get_rng_state()
    drawn = op(Canvas(60, 80, (48, 48)), streams(epoch)(name))
    found = drawn.apply(picture)
    assert torch.equal(torch.get_rng_state(), before)
    tensor = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
    floats = name.partition(".")[2] in OF_FLOATS
    with torch.random.fork_rng():
        torch.manual_seed(drawn.values["seed"])
        expected = _built(name.partition(".")[2], op.settings)(tensor / 255 if floats else tensor)
    expected = (255 * expected).round().clamp(0, 255).to(torch.uint8) if floats else expected
    np.testing.assert_array_equal(found, expected.expand(3, -1, -1).permute(1, 2, 0).numpy())
    assert drawn.size in (None, found.shape[:2])


@pytest.mark.parametrize(
    ("op", "words"),
    [
        ("{torchvision.GaussianBlur: {kernel_size: 4}}", "kernel_size must be an odd whole number of 1 or more"),
        ("{torchvision.RandomSolarize: {threshold: -1}}", "threshold must be a number of 0 or more; got -1"),
        (
            "torchvision.RandomRotatoin",
            "no augmentation 'torchvision.RandomRotatoin'; did you mean 'torchvision.RandomRotation'",
        ),
        ("torchvision.RandomCrop", "missing key 'size' in augment.0"),
    ],
)
def test_bad_settings_are_errors_with_their_place(tmp_path, op, words):
    file = tmp_path / "a.yaml"
    file.write_text(f"data: {{train: digits}}\nbackbone: resnet20\naugment:\n  - {op}\n")
    with pytest.raises(ExperimentError) as caught:
        load(file)
    (problem,) = caught.value.problems
    assert f"{file}:4:" in str(problem)
    assert words in str(problem)
