"""Decoded sounds from the cache: the bits of decoding, never those of another file."""

import errno
import pickle
import tempfile
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pytest
import soundfile
from sounds import augmentation, noise, preprocessing, streams

from ftaug.audio import samples
from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.clip import Clip, Content, Recording
from ftaug.audio.datasets.index import SoundSamples
from ftaug.audio.io import decode_cache
from ftaug.audio.io.decode_cache import DecodedSounds, decoders
from ftaug.audio.io.sound_file import frames
from ftaug.data.packed import Packed
from ftaug.errors import StorageError
from ftaug.interfaces.data import Task

FILES = ["stereo.wav", "lossless.flac", "lossy.ogg", "lossy.mp3", "short.wav"]
AUGMENT = (augmentation("shift", seconds=0.2), augmentation("speed"), augmentation("noise", probability=1.0))


@pytest.fixture
def source(tmp_path):
    for number, name in enumerate(FILES):
        sound = noise(0.2 if name == "short.wav" else 1.5, 44_100, seed=number)
        soundfile.write(tmp_path / name, np.stack([sound, sound[::-1]], axis=1), 44_100)
    targets = np.zeros(len(FILES), np.int64)
    paths = Packed.of([name.encode() for name in FILES])
    spans = np.array([[0.0, np.inf], [0.3, 1.2], [0.5, np.inf], [0.0, 1.0], [0.0, np.inf]])
    return SoundSamples(tmp_path, paths, targets, Task(("one", "two")), "fingerprint", spans=spans)


def prepared(source, epoch):
    """All sounds in training, or in evaluation without an epoch."""
    form = {**preprocessing(0.5, windows=3), "views": None}
    pipeline = Pipeline(AUGMENT if epoch is not None else (), form)
    for index in range(len(source)):
        yield pipeline.packed(source.read(index), None if epoch is None else streams(epoch, index))[0]


def no_decoder(*_):
    raise AssertionError("a sound was decoded")


def test_the_bits_are_those_of_decoding_and_no_sound_is_decoded_again(source, tmp_path, monkeypatch):
    cached = DecodedSounds(source, tmp_path / "cache", True)
    expected = {epoch: list(prepared(source, epoch)) for epoch in (None, 0, 1)}
    for epoch, rows in expected.items():
        for row, ours in zip(rows, prepared(cached, epoch), strict=True):
            np.testing.assert_array_equal(ours, row)
    monkeypatch.setattr(decode_cache, "frames", no_decoder)
    again = pickle.loads(pickle.dumps(cached))
    for epoch, rows in expected.items():
        for row, ours in zip(rows, prepared(again, epoch), strict=True):
            np.testing.assert_array_equal(ours, row)


def test_the_space_is_that_estimated(source, tmp_path):
    cached = DecodedSounds(source, tmp_path / "cache", True)
    for index in range(len(source)):
        clip = cached.read(index)
        expected = samples.footprint(source.read(index), None, ())
        assert (tmp_path / "cache" / "0" / str(index)).stat().st_size == expected + 32
        assert samples.footprint(clip, None, ()) == 0


def test_what_is_mapped_is_not_written_to(source, tmp_path):
    cached = DecodedSounds(source, tmp_path / "cache", True)
    cached.read(0)
    assert not cached.read(0).source.wave.flags.writeable


@pytest.mark.parametrize("damage", ["changed", "cut", "header", "empty"])
def test_a_changed_source_or_a_damaged_entry_is_decoded_again(source, tmp_path, damage):
    cached = DecodedSounds(source, tmp_path / "cache", True)
    cached.read(0)
    entry = tmp_path / "cache" / "0" / "0"
    if damage == "changed":
        soundfile.write(tmp_path / FILES[0], noise(0.7, 8000), 8000)
    else:
        entry.write_bytes(entry.read_bytes()[: {"cut": -4, "header": 9, "empty": 0}[damage]])
    for row, ours in zip(prepared(source, 0), prepared(cached, 0), strict=True):
        np.testing.assert_array_equal(ours, row)
    assert entry.stat().st_size == 32 + samples.footprint(source.read(0), None, ())


def test_a_sound_that_was_cut_is_cached_as_far_as_it_goes(source, tmp_path):
    path = tmp_path / FILES[3]
    path.write_bytes(path.read_bytes()[:9000])
    cached = DecodedSounds(replace(source, spans=None), tmp_path / "cache", True)
    expected, read = (each.read(3) for each in (cached.samples, cached))
    assert isinstance(read.source, Recording)
    np.testing.assert_array_equal(frames(read, 0, 10**9), frames(expected, 0, 10**9))


@pytest.mark.parametrize("fault", ["nan", "none", "missing"])
def test_bad_sounds_are_left_to_the_reader(source, tmp_path, fault):
    path = tmp_path / FILES[0]
    if fault == "nan":
        soundfile.write(path, np.full(9999, np.nan), 8000, subtype="FLOAT")
    elif fault == "none":
        path.write_bytes(b"no sound")
    else:
        path.unlink()
    index = FILES.index(path.name)
    cached = DecodedSounds(replace(source, spans=None), tmp_path / "cache", True)
    assert cached.read(index) == cached.samples.read(index)
    assert not (tmp_path / "cache" / "0" / str(index)).exists()


@pytest.mark.parametrize("must_keep", [True, False])
def test_a_full_disk_is_an_error_where_the_user_set_the_place(source, tmp_path, monkeypatch, must_keep):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    cached = DecodedSounds(source, tmp_path / "cache", must_keep)
    if not must_keep:
        assert isinstance(cached.read(0).source, Recording)
        return
    with pytest.raises(StorageError) as caught:
        cached.read(0)
    assert "cannot cache decoded samples: No space left on device; free some space" in str(caught.value)
    assert str(caught.value).endswith("or leave data.cache out")


def test_a_sound_in_an_archive_is_decoded_once(source, tmp_path, monkeypatch):
    class InArchive(SoundSamples):
        def read(self, index):
            path = tmp_path / FILES[index]
            return Clip(Content(path.name, ("archive", index), path.read_bytes), silent="keep")

    archived = InArchive(tmp_path, source.paths, source.targets, source.task, "archive")
    cached = DecodedSounds(archived, tmp_path / "cache", True)
    expected = list(prepared(archived, 0))
    for row, ours in zip(expected, prepared(cached, 0), strict=True):
        np.testing.assert_array_equal(ours, row)
    monkeypatch.setattr(decode_cache, "frames", no_decoder)
    for row, ours in zip(expected, prepared(cached, 0), strict=True):
        np.testing.assert_array_equal(ours, row)
    assert cached.read(0).silent == "keep"


def test_the_decoders_are_named():
    assert f"soundfile {version('soundfile')}" in decoders()
