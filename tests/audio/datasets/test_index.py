"""Names and keys of sounds."""

from pathlib import Path

import numpy as np

from ftaug.audio.datasets.index import SoundSamples, fingerprint_with
from ftaug.data.packed import Packed
from ftaug.interfaces.data import Task


def test_a_whole_file_has_the_key_of_its_path():
    spans = np.array([[0, np.inf], [0.5, 2]])
    paths, task = Packed.of([b"x/1.wav", b"x/1.wav"]), Task(("x", "y"))
    samples = SoundSamples(Path("/a"), paths, np.zeros(2, np.int64), task, "f", spans=spans)
    assert [samples.key(i) for i in range(2)] == ["x/1.wav", "x/1.wav[0.5:2]"]
    assert samples.read(0).end is None
    assert fingerprint_with("f", "mix") == "f"
