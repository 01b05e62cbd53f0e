"""The synthetic words: the same in every run, of voices that are in one split each."""

import numpy as np

from ftaug.audio.datasets.spoken import spoken, spoken_words

SPLITS = {"train": 20, "val": 10, "test": 20}


def test_splits_have_voices_of_their_own_that_say_each_word_once():
    voices = {}
    for split, count in SPLITS.items():
        samples = spoken(split)
        assert np.bincount(samples.targets).tolist() == [count] * 20
        assert len({*zip(samples.groups, samples.targets, strict=True)}) == len(samples)
        voices[split] = {*samples.groups}
        assert len(voices[split]) == count
    assert len(set.union(*voices.values())) == 50


def test_a_subset_is_of_the_same_sounds():
    whole, few = spoken("train"), spoken("train", per_class=3)
    assert len(few) == 60 and {few.name(i) for i in range(60)} < {whole.name(i) for i in range(len(whole))}
    assert few.fingerprint != whole.fingerprint == spoken("train").fingerprint
    again = next(i for i in range(len(whole)) if whole.name(i) == few.name(7))
    np.testing.assert_array_equal(few.read(7).source.wave, whole.read(again).source.wave)


def test_words_for_pretraining_are_others_by_other_voices():
    train, val, test = (spoken_words(split, voices=4) for split in SPLITS)
    assert len(train) == 4 * 206 and len(val) == len(test) == 5 * 206
    assert not {*train.task.classes} & {*spoken("train").task.classes}
    groups = [{*samples.groups} for samples in (train, val, test, *map(spoken, SPLITS))]
    assert sum(map(len, groups)) == len(set.union(*groups))
