"""Policies: which operations they choose, how often and how strong."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pictures import AUGMENTATIONS, augmentation, augmented, streams, texture

from ftaug.augment.transform import each
from ftaug.config.registry import REGISTRIES
from ftaug.image.augmentations.autoaugment_policies import subpolicies
from ftaug.image.augmentations.pipeline import apply
from ftaug.image.augmentations.policy_space import CHOSEN, UNLIKE_CORRUPTIONS
from ftaug.image.augmentations.transforms import Canvas, PixelFunction
from ftaug.image.io.decode import opened

CANVAS = Canvas(224, 224, (224, 224))


def drawn(name, epoch, **settings):
    return each(augmentation(name, **settings)(CANVAS, streams(epoch)(name)))


def operations(name, epoch, **settings):
    return [next(iter(draw.values)).partition(".")[0] for draw in drawn(name, epoch, **settings)]


def test_trivial_augment_chooses_all_alike_and_every_strength():
    count = 1400
    chosen = Counter((operations("trivial_augment", epoch) or ["identity"])[0] for epoch in range(count))
    assert set(chosen) == set(CHOSEN)
    assert all(60 < number < 145 for number in chosen.values())
    draws = [draw.values for epoch in range(count) for draw in drawn("trivial_augment", epoch)]
    angles = [values["rotate.degrees"] for values in draws if "rotate.degrees" in values]
    assert min(angles) < -120
    assert max(angles) > 120
    np.testing.assert_allclose(np.array(angles) / 135 * 30, np.rint(np.array(angles) / 135 * 30), atol=1e-9)


def test_rand_augment_does_so_many_of_one_strength():
    for epoch in range(30):
        assert len(operations("rand_augment", epoch, ops=4)) <= 4
    angles = {
        abs(round(draw.values["rotate.degrees"], 6))
        for epoch in range(200)
        for draw in drawn("rand_augment", epoch, magnitude=15.0)
        if "rotate.degrees" in draw.values
    }
    assert angles == {15.0}


def test_auto_augment_does_steps_of_one_of_its_pairs():
    for epoch in range(100):
        done = operations("auto_augment", epoch, policy="svhn")
        pairs = [[step.operation for step in pair] for pair in subpolicies("svhn")]
        assert any(done in (pair, pair[:1], pair[1:], []) for pair in pairs)


def test_augmix_is_the_mean_of_its_versions():
    picture = texture(224, 224)
    (mixed,) = drawn("augmix", 3)
    assert isinstance(mixed, PixelFunction)
    versions, shares, kept = mixed.apply.args
    expected = kept * picture.astype(float)
    for draws, share in zip(versions, shares, strict=True):
        expected += (1 - kept) * share * apply(draws, opened(picture), "bilinear")
    assert sum(shares) == pytest.approx(1)
    assert np.abs(mixed.apply(picture) - expected).max() <= 0.51


def test_augmix_leaves_out_what_resembles_corruptions():
    done = Counter()
    for epoch in range(60):
        versions = drawn("augmix", epoch)[0].apply.args[0]
        done.update(next(iter(draw.values)).partition(".")[0] for draws in versions for draw in draws)
        assert len(versions) == 3
        assert all(1 <= len(draws) <= 3 for draws in versions)
    assert set(done) == set(UNLIKE_CORRUPTIONS)


def test_three_augment_does_each_of_its_three():
    done = Counter(operations("three_augment", epoch)[0] for epoch in range(300))
    assert set(done) == {"grayscale", "solarize", "gaussian_blur"}
    assert min(done.values()) > 70


@pytest.mark.parametrize("name", ["simclr", "moco"])
def test_views_for_contrast(name):
    done = Counter()
    for epoch in range(400):
        done.update(set(operations(name, epoch)))
    shares = {key: number / 400 for key, number in done.items()}
    expected = {"random_resized_crop": 1, "horizontal_flip": 0.5, "color_jitter": 0.8, "grayscale": 0.2}
    assert shares == pytest.approx({**expected, "gaussian_blur": 0.5}, abs=0.08)
    assert augmented(texture(300, 200), augmentation(name, size=40)).shape == (40, 40, 3)


def test_every_op_has_its_source():
    page = (Path(__file__).parents[3] / "docs" / "definitions.md").read_text()
    registry = REGISTRIES["augmentation", "image"]
    ours = [name for name in AUGMENTATIONS if not name.startswith("torchvision.")]
    named = [name for name in ours if f"`{name}`" in page or "Source: " in (registry[name].function.__doc__ or "")]
    assert set(ours) - set(named) == set(), "say `Source: …` in its docstring, or add a row to docs/definitions.md"
