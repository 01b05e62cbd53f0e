import io

import numpy as np
from pictures import augmentation, preprocessing, streams, texture
from PIL import Image

from ftaug.image.preview.preview import galleries
from ftaug.interfaces.preview import PreviewRequest, Row


def request(*augment, mix=None):
    rows = [
        Row(texture(32, 32, seed), (label,), lambda epoch, seed=seed: streams(epoch, seed), f"photos/{seed}.png", label)
        for seed, label in enumerate(("cat", "dog"))
    ]
    return PreviewRequest("name", 2, rows, augment, preprocessing(32), mix, np.random.default_rng(0))


def test_each_sample_as_stored_after_each_augmentation_and_after_all():
    flip, invert = augmentation("horizontal_flip", probability=1.0), augmentation("invert", probability=1.0)
    cat, dog = galleries(request(flip, invert))
    assert (cat.caption, dog.caption) == ("cat; 0.png", "dog; 1.png")
    assert [item.caption.partition(":")[0] for item in cat.items] == [
        *("original", "horizontal_flip", "invert", "epoch 1", "epoch 2")
    ]
    original, flipped, inverted, both, again = (
        np.asarray(Image.open(io.BytesIO(item.content)).convert("RGB")).astype(int) for item in cat.items
    )
    assert original.shape == (160, 160, 3)
    for expected, shown in ((original[:, ::-1], flipped), (255 - original, inverted), (255 - flipped, both)):
        assert np.abs(expected - shown).mean() < 6  # JPEG
    np.testing.assert_array_equal(both, again)
