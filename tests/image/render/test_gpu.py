"""Pictures finished by torch on the device are those of the processor, but for rounding."""

import copy
import pickle

import numpy as np
import pytest
import torch
from pictures import AUGMENTATIONS, augmentation, jpeg, preprocessing, streams, texture
from PIL import Image

from ftaug.engine.loading.batches import BatchRequest, PreparedDataset, batches, to_device
from ftaug.engine.loading.split import whole
from ftaug.engine.system.device import choose
from ftaug.errors import ExperimentError
from ftaug.image import samples
from ftaug.image.datasets.arrays import ArraySamples
from ftaug.interfaces.data import Task

CERTAIN = [name for name in AUGMENTATIONS if not name.startswith("torchvision.") or "Flip" in name]
FULL = ["random_resized_crop", "horizontal_flip", "rotate", "translate", "scale", "shear"]
FULL += ["brightness", "contrast", "saturation", "hue"]


def both(raws, ops, size=(48, 40), epoch=0, **changes):
    """The batch by the processor and by torch: uint8 (N, H, W, 3) each."""
    pipeline = samples.pipeline(ops, preprocessing(*size, **changes))
    expected = [samples.prepare(raw, pipeline, streams(epoch, i))[0] for i, raw in enumerate(raws)]
    plans = [samples.plan(raw, pipeline, streams(epoch, i))[0]() for i, raw in enumerate(raws)]
    finished = samples.finished(samples.collate_plans(plans))
    assert finished.dtype == torch.uint8
    assert finished.is_contiguous(memory_format=torch.channels_last)
    return np.stack(expected).astype(int), finished.permute(0, 2, 3, 1).numpy().astype(int)


def assert_close(expected, found):
    difference = np.abs(expected - found)
    assert difference.mean() < 0.5
    assert np.quantile(difference, 0.99) <= 3


@pytest.mark.parametrize("name", CERTAIN)
def test_every_op_alone(name):
    pictures = [texture(60 + 10 * i, 80 - 5 * i, seed=i) for i in range(4)]
    for epoch in range(3):
        assert_close(*both(pictures, [augmentation(name)], epoch=epoch))


@pytest.mark.parametrize("size", [(16, 16), (48, 40), (224, 224)])
def test_a_full_pipeline_on_jpegs_of_every_way_up(size):
    exif = Image.Exif()
    pictures = []
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        pictures.append(jpeg(texture(150, 200, seed=orientation), exif=exif))
    for epoch in range(2):
        assert_close(*both(pictures, [augmentation(name) for name in FULL], size, epoch))


@pytest.mark.parametrize("border", ["constant", "reflect", "replicate", "inside"])
@pytest.mark.parametrize("name", ["rotate", "perspective", "translate"])
def test_borders(name, border):
    strong = {
        "rotate": {"degrees": 80.0},
        "perspective": {"distortion": 0.6, "probability": 1.0},
        "translate": {"x": 0.5},
    }
    op = augmentation(name, border=border, **strong[name])
    pictures = [texture(60, 80, seed=i) for i in range(4)]
    assert_close(*both(pictures, [op, augmentation("brightness")]))


def test_what_is_black_outside_stays_black():
    ops = [augmentation("rotate", degrees=45.0), augmentation("invert", probability=1.0)]
    expected, found = both([np.full((60, 60, 3), 200, np.uint8)] * 4, ops, (60, 60))
    assert set(np.unique(found)) <= {0, 55}
    assert_close(expected, found)


def test_single_pixels_and_what_follows_them():
    ops = [augmentation(n) for n in ("rotate", "gaussian_noise", "perspective", "solarize", "hue")]
    pictures = [texture(60, 80, seed=i) for i in range(4)]
    for epoch in range(4):
        assert_close(*both(pictures, ops, epoch=epoch))


def test_pictures_of_one_pixel():
    assert_close(*both([texture(1, 1), texture(1, 9), texture(9, 1)], [augmentation("rotate", border="reflect")]))


@pytest.fixture
def prepared():
    pictures = np.stack([texture(30, 40, seed=i) for i in range(12)])
    task = Task(("one", "two"))
    source = ArraySamples("test", pictures, np.arange(12) % 2, task, np.arange(12), "fingerprint")
    pipeline = samples.pipeline([augmentation(name) for name in FULL], preprocessing(32))
    return PreparedDataset(whole("train", source, task), "image", pipeline, seed=0, plans=True)


@pytest.mark.parametrize("workers", [0, 2])
def test_through_the_workers(prepared, workers):
    requests = [BatchRequest(np.arange(start, start + 4), 1, 0, 0, 1.0) for start in (0, 4, 8)]
    found = list(batches(prepared, requests, workers, pin=False))
    plain = list(batches(PreparedDataset(**{**vars(prepared), "plans": False}), requests, 0, pin=False))
    for planned, expected in zip(found, plain, strict=True):
        inputs = samples.finished(to_device(planned.inputs, torch.device("cpu")))
        assert_close(expected.inputs.numpy().astype(int), inputs.numpy().astype(int))
        assert torch.equal(planned.targets, expected.targets)


def test_evaluation_plans_nothing(prepared):
    (batch,) = batches(prepared, [BatchRequest(np.arange(4), None, 0, 0, 1.0)], 0, pin=False)
    assert isinstance(batch.inputs, torch.Tensor)


def test_plans_travel(prepared):
    (batch,) = batches(prepared, [BatchRequest(np.arange(4), 0, 0, 0, 1.0)], 0, pin=False)
    again = pickle.loads(pickle.dumps(batch.inputs))
    assert torch.equal(samples.finished(again), samples.finished(copy.deepcopy(batch.inputs)))


def test_where_it_is_done():
    assert not choose("cpu", "fp32", "auto").augments
    assert choose("cpu", "fp32", "auto").reasons["augment_device"] == "the network is on the GPU"
    with pytest.raises(ExperimentError, match=r"data.augment_device: cuda needs the network on a CUDA device"):
        choose("cpu", "fp32", "cuda")


@pytest.mark.cuda
def test_on_a_gpu_as_on_the_processor(prepared):
    (batch,) = batches(prepared, [BatchRequest(np.arange(12), 0, 0, 0, 1.0)], 0, pin=True)
    on_gpu = samples.finished(to_device(batch.inputs, torch.device("cuda")))
    assert on_gpu.device.type == "cuda"
    assert_close(samples.finished(batch.inputs).numpy().astype(int), on_gpu.cpu().numpy().astype(int))
