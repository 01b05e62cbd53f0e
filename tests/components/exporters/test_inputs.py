"""Inputs of an exported model: decoded pictures where it has its preprocessing built in, else prepared samples."""

import numpy as np
import pytest
import torch
from export_cases import of_image, of_text

from ftaug.components.exporters.inputs import (
    built_in,
    dynamic_axes,
    example_of,
    feeds_of,
    metadata_of,
    preprocessor_of,
)
from ftaug.errors import ExperimentError


@pytest.fixture(scope="module")
def image():
    return of_image()


def test_pictures_may_be_decoded_or_prepared(image):
    assert preprocessor_of(image.bundle, "onnx", None) is image.bundle.export_signature.preprocessor is not None
    assert preprocessor_of(image.bundle, "onnx", "images") is image.bundle.export_signature.preprocessor
    assert preprocessor_of(image.bundle, "onnx", "pixels") is None


def test_texts_have_no_such_choice(monkeypatch):
    bundle = of_text(monkeypatch).bundle
    assert preprocessor_of(bundle, "onnx", None) is None
    assert example_of(bundle).shape == (2, *bundle.example.shape[1:])
    with pytest.raises(ExperimentError, match=r"exporter 'onnx': .*input_ids, attention_mask, token_type_ids"):
        preprocessor_of(bundle, "onnx", "pixels")


def test_the_metadata_has_the_inputs_that_the_model_takes(image):
    whole = metadata_of(image.bundle, built_in(image.bundle, "images"))
    assert whole["inputs"] == {"images": {"shape": ["batch", "height", "width", 3], "type": "uint8"}}
    prepared = metadata_of(image.bundle, None)
    assert list(prepared["inputs"]) == ["pixels"]
    assert whole["classes"] == prepared["classes"] == list(image.bundle.task.classes)


def test_an_example_is_a_batch_of_two(image):
    example = example_of(image.bundle)
    assert torch.equal(example, torch.cat([image.bundle.example] * 2))
    assert example.is_contiguous()


def test_pictures_are_fed_one_by_one_and_prepared_samples_together(image):
    batch = image.batches[1]
    feeds = list(feeds_of(image.bundle, "images")(batch))
    assert [list(feed) for feed in feeds] == [["images"]] * len(batch.samples)
    for feed, sample in zip(feeds, batch.samples, strict=True):
        np.testing.assert_array_equal(feed["images"], sample[None])
    (feed,) = feeds_of(image.bundle, "pixels", name="x")(batch)
    assert list(feed) == ["x"]
    assert len(feed["x"]) == len(batch.samples)


def test_axes_with_equal_names_are_one_dimension():
    ids, mask = dynamic_axes({"ids": {0: "batch", 1: "length"}, "mask": {0: "batch", 1: "length"}}, {"length": 64})
    assert ids[0] is mask[0] and ids[1] is mask[1]
    assert (ids[0].__name__, ids[1].__name__, ids[1].max) == ("batch", "length", 64)
