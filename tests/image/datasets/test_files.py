"""Pictures without labels."""

import numpy as np
from PIL import Image

from ftaug.image.datasets.files import image_files
from ftaug.image.io.decode import decode


def test_pictures_are_read_and_have_no_class(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    samples = image_files("train", path=tmp_path)
    assert len(samples) == 3 and samples.task.classes == () and samples.groups is None
    assert [samples.key(index) for index in range(3)] == ["0.png", "1.png", "2.png"]
    assert samples.name(0) == f"{tmp_path}/0.png"
    assert all((decode(samples.read(index)) == pictures[index]).all() for index in range(3))
    scaled = image_files("train", path=tmp_path, value_range=(0, 100))
    assert scaled.fingerprint != samples.fingerprint
