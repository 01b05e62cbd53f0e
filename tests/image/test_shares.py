"""What a share, a largest amount or a deviation promises, for every op of the registry that has one.

The bounds are such that a right op passes in all but one of a million runs.
"""

import numpy as np
import pytest
import scipy.stats
from pictures import AUGMENTATIONS, augmentation, augmented, streams

from ftaug.augment.transform import each
from ftaug.config.registry import REGISTRIES
from ftaug.image.augmentations.transforms import Canvas
from ftaug.image.render import filters

ENTRIES = REGISTRIES["augmentation", "image"]
MANY = pytest.mark.parametrize("count", [2000, pytest.param(20_000, marks=pytest.mark.slow)])
CANVAS = Canvas(96, 128, (96, 128))
OWN = [name for name in AUGMENTATIONS if not name.startswith("torchvision.")]


def is_uniform(values, low, high):
    return scipy.stats.kstest(values, scipy.stats.uniform(low, high - low).cdf).pvalue > 1e-6


def has_mean(values, expected, share):
    """Whether the mean of independent draws is within a share of what is expected, or as near as chance lets it be."""
    return abs(np.mean(values) - expected) < max(share * expected, 4.9 * np.std(values) / np.sqrt(len(values)))


HIDING = [  # an op, its settings, the mean of the share that is hidden, and the least and the most
    ("coarse_dropout", {"share": 0.3}, 0.15, 0, 0.3),
    ("coarse_dropout", {"share": 0.02}, 0.01, 0, 0.02),
    ("coarse_dropout", {"share": 0.5, "size": 0.4}, 0.25, 0, 0.5),
    ("coarse_dropout", {"share": 1.0, "size": 1.0}, 0.5, 0, 1.0),
    ("salt_and_pepper", {"share": 0.05}, 0.025, 0, 0.05),
    ("salt_and_pepper", {"share": 0.02}, 0.01, 0, 0.02),
    ("grid_mask", {"share": 0.25}, 0.25, 0, 1),
    ("grid_mask", {"share": 0.6}, 0.6, 0, 1),
]


def test_every_share_of_a_picture_is_among_them():
    assert {name for name in OWN if "share" in ENTRIES[name].settings()} == {name for name, *_ in HIDING}


@MANY
@pytest.mark.parametrize(("name", "settings", "mean", "least", "most"), HIDING, ids=str)
def test_hides_its_share_everywhere(name, settings, mean, least, most, count):
    """Three independent ways to be wrong: the mean over draws, a single draw, a place of the picture."""
    gray = np.full((33, 46, 3), 128, np.uint8)
    fill = {"fill": "black"} if "fill" in ENTRIES[name].settings() else {}
    op = augmentation(name, probability=1.0, **settings, **fill)
    hidden = np.array([(augmented(gray, op, epoch=epoch) != 128).any(axis=2) for epoch in range(count)])
    shares = hidden.mean(axis=(1, 2))
    assert has_mean(shares, mean, 0.01)
    assert shares.max() <= most + 1e-9
    assert shares.min() > least
    per_place = hidden.sum(axis=0)
    fewest, most_often = scipy.stats.binom.interval(1 - 1e-6 / per_place.size, count, hidden.mean())
    assert fewest <= per_place.min() and per_place.max() <= most_often


@pytest.mark.parametrize("count", [1, 3])
def test_erases_areas_between_its_bounds(count):
    """But for the rounding of each side to whole pixels, and where rectangles overlap."""
    gray = np.full((120, 90, 3), 128, np.uint8)
    op = augmentation("random_erasing", probability=1.0, area=(0.1, 0.3), count=count, fill="black")
    shares = np.array([(augmented(gray, op, epoch=epoch) == 0).all(axis=2).mean() for epoch in range(600)])
    rounding = 0.02
    assert shares.max() <= 0.3 + rounding
    assert shares.min() >= (0.1 - rounding if count == 1 else 0.1 / count - rounding)
    if count == 1:
        assert is_uniform(shares, 0.1 - rounding / 4, 0.3 + rounding / 4)


UNIFORM = {  # by op and what it tells: from where to where it is drawn, by the default settings
    ("brightness", "factor"): (0.6, 1.4),
    ("contrast", "factor"): (0.6, 1.4),
    ("saturation", "factor"): (0.6, 1.4),
    ("hue", "turn"): (-0.1, 0.1),
    ("color_jitter", "brightness"): (0.6, 1.4),
    ("color_jitter", "contrast"): (0.6, 1.4),
    ("color_jitter", "saturation"): (0.6, 1.4),
    ("color_jitter", "hue"): (-0.1, 0.1),
    ("rgb_shift", "red"): (-0.1, 0.1),
    ("rgb_shift", "green"): (-0.1, 0.1),
    ("rgb_shift", "blue"): (-0.1, 0.1),
    ("temperature", "warmth"): (-0.3, 0.3),
    ("clahe", "share"): (0, 0.5),
    ("sharpness", "factor"): (0.5, 1.5),
    ("gaussian_blur", "sigma"): (0, 0.009),
    ("motion_blur", "length"): (0, 0.05),
    ("motion_blur", "degrees"): (0, 180),
    ("downscale", "factor"): (0.5, 1),
    ("gaussian_noise", "deviation"): (0, 0.1),
    ("shot_noise", "deviation"): (0, 0.1),
    ("fog", "thickness"): (0, 0.5),
    ("shadow", "taken"): (0, 0.5),
    ("rotate", "degrees"): (-15, 15),
    ("translate", "x"): (-0.1, 0.1),
    ("translate", "y"): (-0.1, 0.1),
    ("shear", "x"): (-10, 10),
    ("affine", "degrees"): (-15, 15),
    ("affine", "shear"): (-5, 5),
    ("affine", "x"): (-0.1, 0.1),
    ("affine", "y"): (-0.1, 0.1),
}
LOG_UNIFORM = {("scale", "factor"): (0.8, 1.25), ("affine", "scale"): (0.8, 1.25), ("gamma", "gamma"): (0.7, 1.4)}
WHOLE = {("jpeg", "quality"): range(50, 101), ("channel_shuffle", "order"): ["RBG", "GRB", "GBR", "BRG", "BGR"]}
WHOLE |= {("rotate90", "degrees"): [90, 180, 270]}


def told(name, value, count):
    op = augmentation(name, **({"probability": 1.0} if "probability" in ENTRIES[name].settings() else {}))
    drawn = (each(op(CANVAS, streams(epoch)(name))) for epoch in range(count))
    return [draw.values[value] for draws in drawn for draw in draws if value in draw.values]


@MANY
@pytest.mark.parametrize(("name", "value"), [*UNIFORM, *LOG_UNIFORM])
def test_what_is_called_uniform_is(name, value, count):
    values = told(name, value, count)
    ends = UNIFORM.get((name, value)) or np.log(LOG_UNIFORM[name, value])
    assert is_uniform(values if (name, value) in UNIFORM else np.log(values), *ends)


@MANY
@pytest.mark.parametrize(("name", "value"), WHOLE)
def test_each_of_a_few_is_as_likely(name, value, count):
    values = told(name, value, count)
    assert set(values) <= set(WHOLE[name, value])
    assert scipy.stats.chisquare([values.count(one) for one in WHOLE[name, value]]).pvalue > 1e-6


OTHERWISE = {  # ops whose random numbers are drawn in another way, of which the most are tested above
    *(name for name, *_ in [*HIDING, *LOG_UNIFORM, *WHOLE]), "random_erasing", "elastic", "motion_blur", "corruption",
    "one_of", "some_of", "apply", "shuffle", "trivial_augment", "rand_augment", "auto_augment", "augmix",
    "simclr", "moco", "three_augment", "random_crop", "random_resized_crop", "perspective", "grid_distortion",
}  # fmt: skip


def ranges(settings):
    """Ranges that a setting may mean: up to an amount, around 0 or 1, down to a factor, or between two ends."""
    for value in settings.values():
        if isinstance(value, tuple | list) and len(value) == 2:
            yield tuple(value)
        elif isinstance(value, float | int):
            yield from ((0, value), (-value, value), (1 - value, 1 + value), (1 - value, 1), (value, 1))


def is_of_a_range(values, settings):
    """Whether numbers are uniform over a range of the settings, which they reach to within 2 % at both ends."""
    low, high = min(values), max(values)
    return any(
        abs(low - start) + abs(high - end) < 0.04 * (end - start) and is_uniform(values, start, end)
        for start, end in ranges(settings)
    )


@pytest.mark.parametrize("name", sorted(set(OWN) - OTHERWISE))
def test_random_amounts_are_uniform_over_the_range_of_a_setting(name):
    """An op whose random numbers are drawn in another way is named in OTHERWISE, with a test of its own."""
    op = augmentation(name, **({"probability": 1.0} if "probability" in ENTRIES[name].settings() else {}))
    draws = [draw for epoch in range(600) for draw in each(op(CANVAS, streams(epoch)(name)))]
    recorded = {value for draw in draws for value in draw.values}
    for value in recorded:
        numbers = [draw.values[value] for draw in draws if value in draw.values]
        assert len(set(numbers)) == 1 or is_of_a_range(numbers, op.settings), value
    if not recorded:
        noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
        shown = {augmented(noise, op, epoch=epoch).tobytes() for epoch in range(5)}
        assert len(shown) == 1, "the op draws random numbers that with_params does not record"


@MANY
@pytest.mark.parametrize("shape", [(40, 60), (33, 20)])
@pytest.mark.parametrize("grid", [(3, 4), (8, 8), (2, 20)])
def test_elastic_deviates_as_much_everywhere(shape, grid, count):
    rng = np.random.default_rng(0)
    fields = np.array([filters.smooth_field(rng.standard_normal((*grid, 2)), *shape) for _ in range(count)])
    error = 1 / np.sqrt(2 * count)
    np.testing.assert_allclose(fields.std(axis=0), 1, atol=6.5 * error)  # of 4,800 values
    assert has_mean(np.square(fields).mean(axis=(1, 2, 3)), 1, 0.02)


def test_elastic_moves_by_its_strength():
    """A ramp tells how far every pixel was moved, up to its rounding."""
    y, x = np.mgrid[0:64, 0:64]
    ramp = np.stack([2 * x + 60, 2 * y + 60, 0 * x], axis=-1).astype(np.uint8)
    op = augmentation("elastic", probability=1.0, strength=0.05)
    moved = np.array([augmented(ramp, op, epoch=epoch)[20:44, 20:44, :2] for epoch in range(400)]).astype(float)
    squares = np.square((moved - ramp[20:44, 20:44, :2]) / 2).mean(axis=(1, 2, 3))
    assert has_mean(squares, (0.05 * 64) ** 2, 0.06)
