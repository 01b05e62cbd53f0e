"""Random streams: draws do not depend on what an augmentation is called today."""

from types import SimpleNamespace

import numpy as np
import pytest

from ftaug.augment.random_streams import branches
from ftaug.engine.loading import seeds
from ftaug.engine.loading.seeds import FRESH, word


def of_key(key, seed=3, epoch=2, sample=5):
    """A generator at the position of a stream, made of the key alone."""
    rng = np.random.Generator(np.random.Philox(0))
    position = {"counter": (0, word(key), sample, epoch), "key": (seed, word("augment"))}
    rng.bit_generator.state = {**FRESH, "state": position}
    return rng


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("color_jitter", "colour_jitter"),
        ("color_jitter#1", "colour_jitter#1"),
        ("colors", "colours"),
        ("second of the pair: neighbors#1", "second of the pair: neighbours#1"),
        ("my_color_jitter", "my_color_jitter"),
        ("rotate", "rotate"),
    ],
)
def test_a_renamed_augmentation_draws_what_it_drew(name, key):
    np.testing.assert_array_equal(seeds.streams(3, 2, 5)(name).random(8), of_key(key).random(8))
    seed = int(np.random.default_rng(0).integers(2**63))
    inner = np.random.default_rng([seed, *key.encode()])
    np.testing.assert_array_equal(branches(np.random.default_rng(0))(name).random(8), inner.random(8))


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1, 2**32, 2**32 + 5, 2**62, 2**63 - 1])
def test_an_inner_op_draws_from_the_seed_and_its_name(seed):
    drawn = branches(SimpleNamespace(integers=lambda high: np.int64(seed)))("shear#1").random(8)
    np.testing.assert_array_equal(drawn, np.random.default_rng([seed, *b"shear#1"]).random(8))
