"""The identities of samples, by which splits choose."""

import numpy as np

from ftaug.engine.loading.sample_keys import identities


def test_samples_of_the_same_key_that_are_in_no_group_are_told_apart():
    words = identities(["a", "b", "a", "a"], None)
    assert len(set(words.tolist())) == 4
    assert words[:2].tolist() == identities(["a", "b"], None).tolist()


def test_samples_of_a_group_have_the_identity_of_its_smallest_key():
    words = identities(["b", "c", "a", "d"], np.array([7, 1, 7, 3]))
    alone = identities(["a", "c", "d"], None)
    assert words.tolist() == [alone[0], alone[1], alone[0], alone[2]]
