"""Decoded pictures from the cache: the bits of decoding, never those of another file."""

import errno
import os
import pickle
import tempfile
from dataclasses import replace

import numpy as np
import pytest
from pictures import augmentation, jpeg, preprocessing, streams, texture
from PIL import Image

from ftaug.data.packed import Packed
from ftaug.errors import StorageError
from ftaug.image import samples
from ftaug.image.datasets.index import FileSamples
from ftaug.image.io.decode_cache import DecodedSamples
from ftaug.interfaces.data import Task

FILES = [b"wide.jpg", b"turned.jpg", b"gray.jpg", b"plain.png", b"tiny.png"]
OPS = [augmentation("random_resized_crop", scale=[0.2, 1.0]), augmentation("horizontal_flip"), augmentation("rotate")]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    contents = {"wide.jpg": jpeg(texture(301, 403)), "turned.jpg": jpeg(texture(203, 155), exif=exif)}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    Image.fromarray(texture(120, 90)[..., 0]).save(folder / "gray.jpg")
    Image.fromarray(texture(70, 90)).save(folder / "plain.png")
    Image.fromarray(texture(2, 1)).save(folder / "tiny.png")
    targets = np.zeros(len(FILES), np.int64)
    return FileSamples(folder, Packed.of(FILES), targets, Task(("one", "two")), "fingerprint")


def unread(index):
    raise AssertionError("the source was read")


def prepared(source, epoch, size=40):
    pipeline = samples.pipeline(OPS, preprocessing(size))
    return [samples.prepare(source.read(index), pipeline, streams(epoch, index))[0] for index in range(len(source))]


def without_source(decoded):
    class Unreadable(FileSamples):
        read = staticmethod(unread)

    return replace(decoded, samples=Unreadable(**vars(decoded.samples)))


@pytest.mark.parametrize("size", [16, 40, 200])
def test_gives_the_bits_of_decoding_and_reads_no_source_again(source, tmp_path, size):
    decoded = DecodedSamples(source, tmp_path / "cache", True)
    for epoch in range(6):
        for ours, plain in zip(prepared(decoded, epoch, size), prepared(source, epoch, size), strict=True):
            np.testing.assert_array_equal(ours, plain)
    again = without_source(pickle.loads(pickle.dumps(decoded)))
    for epoch in range(6):
        for ours, plain in zip(prepared(again, epoch, size), prepared(source, epoch, size), strict=True):
            np.testing.assert_array_equal(ours, plain)


def test_keeps_no_finer_scale_than_was_asked_for(source, tmp_path):
    decoded = DecodedSamples(source, tmp_path / "cache", True)
    training = samples.pipeline([], preprocessing(40))
    for index in range(len(source)):
        samples.prepare(decoded.read(index), training, streams())[0]
    kept = sorted(path.name for path in (tmp_path / "cache" / "0").iterdir())
    assert kept == [f"{i}.{n}" for i, scale in enumerate((4, 2, 2, 1, 1)) for n in (0, scale)]
    expected = samples.footprint(source.read(0), training, [streams()])
    assert (tmp_path / "cache" / "0" / "0.4").stat().st_size == expected + 64


def test_what_is_returned_can_be_written_to_and_stays_as_it_was(source, tmp_path):
    decoded = DecodedSamples(source, tmp_path / "cache", True)
    decoded.read(3).load(1)
    pixels = decoded.read(3).load(1)
    before = pixels.copy()
    pixels[:] = 0
    np.testing.assert_array_equal(decoded.read(3).load(1), before)


def test_a_changed_source_is_decoded_anew(source, tmp_path):
    decoded = DecodedSamples(source, tmp_path / "cache", True)
    prepared(decoded, 0)
    path = source.root / "plain.png"
    Image.fromarray(texture(70, 90, seed=5)).save(path)
    os.utime(path, ns=(1, 1))
    np.testing.assert_array_equal(decoded.read(3).load(1), texture(70, 90, seed=5))
    np.testing.assert_array_equal(decoded.read(3).load(1), texture(70, 90, seed=5))


@pytest.mark.parametrize("length", [0, 10, 64, 1000])
def test_a_damaged_entry_is_made_again(source, tmp_path, length):
    decoded = DecodedSamples(source, tmp_path / "cache", True)
    prepared(decoded, 0)
    for path in (tmp_path / "cache" / "0").iterdir():
        path.write_bytes(path.read_bytes()[:length])
    for ours, plain in zip(prepared(decoded, 0), prepared(source, 0), strict=True):
        np.testing.assert_array_equal(ours, plain)


def test_a_full_disk_is_an_error_only_where_the_place_was_asked_for(source, tmp_path, monkeypatch):
    def full(**options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    plain = prepared(source, 0)
    for ours, theirs in zip(prepared(DecodedSamples(source, tmp_path / "cache", False), 0), plain, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(StorageError, match="cannot cache decoded samples: No space left on device; free some space"):
        prepared(DecodedSamples(source, tmp_path / "cache", True), 0)
