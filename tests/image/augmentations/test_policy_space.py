"""Operations of policies against torchvision's, and AugMix's against its authors'."""

import numpy as np
import pytest
import torch
from pictures import texture, torchvision_name
from torchvision.transforms import InterpolationMode, v2

from ftaug.augment.transform import each
from ftaug.image.augmentations.pipeline import apply
from ftaug.image.augmentations.policy_space import AUGMIX, AUTO, CHOSEN, OPERATIONS, WIDE
from ftaug.image.augmentations.transforms import Canvas
from ftaug.image.io.decode import opened

CANVAS = Canvas(224, 224, (224, 224))


SPACES = {AUTO: v2.RandAugment._AUGMENTATION_SPACE, WIDE: v2.TrivialAugmentWide._AUGMENTATION_SPACE}


@pytest.mark.parametrize("name", CHOSEN)
@pytest.mark.parametrize("space", [AUTO, WIDE], ids=["auto", "wide"])
@pytest.mark.parametrize("bin", [0, 9, 30])
@pytest.mark.parametrize("sign", [1, -1])
def test_operations_are_torchvisions(space, name, bin, sign):
    picture = texture(224, 224, finest=16)
    magnitudes, signed = SPACES[space][torchvision_name(name)]
    magnitudes = magnitudes(31, 224, 224) if magnitudes.__code__.co_argcount == 3 else magnitudes(31)
    magnitude = 0.0 if magnitudes is None else float(magnitudes[bin]) * (sign if signed else 1)
    policy = v2.RandAugment()
    tensor = torch.from_numpy(picture).permute(2, 0, 1)
    expected = policy._apply_image_or_video_transform(
        tensor, torchvision_name(name), magnitude, interpolation=InterpolationMode.BILINEAR, fill=policy._fill
    )
    draw = OPERATIONS[name](space, sign * bin / 30, CANVAS, "constant")
    result = apply(each(draw), opened(picture), "bilinear")
    difference = np.abs(result.astype(int) - expected.permute(1, 2, 0).numpy())
    if name.startswith(("translate", "shear", "rotate")):  # theirs by whole pixels, and another edge
        assert np.median(difference) <= 2
        assert np.mean(difference > 8) < 0.03
    elif name == "solarize":  # theirs inverts 255 where ours inverts nothing
        assert (difference > 1).mean() < 0.02
    else:
        assert difference.max() <= 2


@pytest.mark.parametrize("level", [0.01, 0.2, 0.249, 0.25, 0.3, 0.49, 0.5, 0.74, 0.75, 0.99])
def test_augmix_keeps_as_many_bits_as_its_authors(level):
    """Theirs takes off int(4 × level) of four."""
    draw = OPERATIONS["posterize"](AUGMIX, -level, CANVAS, "constant")
    assert draw.values["bits"] == 4 - int(4 * level)
