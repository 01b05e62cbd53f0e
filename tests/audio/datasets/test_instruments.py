"""The synthetic notes: the same in every run, disjoint in their splits, and of the classes that they say."""

import numpy as np

from ftaug.audio.datasets.instruments import COUNTS, instruments
from ftaug.audio.datasets.synthesis import INSTRUMENTS


def test_splits_are_disjoint_and_balanced():
    splits = {split: instruments(split) for split in COUNTS}
    numbers = np.concatenate([samples.numbers for samples in splits.values()])
    assert len(np.unique(numbers)) == len(numbers) == 750
    for split, samples in splits.items():
        assert np.bincount(samples.targets).tolist() == [COUNTS[split]] * 10
        assert samples.task.classes == tuple(sorted(INSTRUMENTS))


def test_a_subset_is_of_the_same_sounds():
    whole, few = instruments("train"), instruments("train", per_class=3)
    assert len(few) == 30
    assert set(few.numbers) < set(whole.numbers)
    assert few.fingerprint != whole.fingerprint
    assert few.name(0) == f"instruments[{few.numbers[0]}]"
    np.testing.assert_array_equal(few.read(0).source.wave, few.read(0).source.wave)
