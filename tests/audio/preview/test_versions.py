"""Versions of sounds that are shown."""

from functools import partial

from sounds import augmentation, clip, noise, preprocessing, streams

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.preview.versions import by_severity, first_that_fires, overview
from ftaug.interfaces.preview import Row

ROWS = [Row(clip(noise(0.6, seed=seed)), ("a",), partial(streams, sample=seed)) for seed in range(2)]


def test_each_heading_is_what_is_shown():
    ops = [augmentation("gain"), augmentation("noise", probability=0.05)]
    shown = list(overview(ROWS, ops, preprocessing(0.5), 2))
    assert [each.heading for each in shown] == ["as read", "gain", "noise", "epoch 1", "epoch 2"]
    assert all(each.packed.shape[0] == len(each.captions) == 2 for each in shown)
    assert all("snr" in caption for caption in shown[2].captions)
    assert shown[0].pictures(preprocessing(0.5))[0].shape[2] == 3


def test_the_first_epoch_in_which_an_op_fires():
    rare = Pipeline((augmentation("noise", probability=0.05),), preprocessing())
    epoch = first_that_fires(rare, ROWS[0])
    assert epoch > 0 and rare.draw(1.0, streams(epoch))[0] and not rare.draw(1.0, streams(epoch - 1))[0]
    assert first_that_fires(Pipeline((augmentation("noise", probability=0.0),), preprocessing()), ROWS[0]) == 0


def test_severities_grow():
    shown = list(by_severity(ROWS[0], [augmentation("noise")], preprocessing(0.5)))
    changes = [((each.packed - shown[0].packed) ** 2).sum() for each in shown]
    assert changes == sorted(changes) and changes[-1] > 0
