"""A small model of each modality to export, with batches for it."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from ftaug.config.experiment import ModelInput
from ftaug.engine.training.activated_model import ActivatedModel
from ftaug.engine.training.state import Model
from ftaug.image import samples as image
from ftaug.image.backbones.timm import timm
from ftaug.image.export.source import read_by_pillow
from ftaug.image.io.decode import opened
from ftaug.interfaces.data import Task
from ftaug.interfaces.export import Bundle, SampleBatch
from ftaug.text import samples as text
from ftaug.text.backbones import tiny_text
from ftaug.text.types import Text

TASK = Task(("cat", "dog", "ré\nd"))
PIXELS = {"mean": [0.5] * 3, "std": [0.25] * 3, "size": [16, 16], "resize": None, "interpolation": "bilinear"}
TEXTS = ("", "files", "a list of files", "Return " * 200, "the message's headers, if any; else None")
"""From no word at all to more than the model takes."""


@dataclass
class Case:
    """A bundle, batches as its modality collates them, and what is to be found in what is written."""

    bundle: Bundle
    batches: list[SampleBatch]
    head: nn.Linear
    beside: set[str]  # the files that go with an artifact
    inputs: dict[str, dict[str, Any]]


class Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.network(inputs.float() / 64 - 2)


def pictures(n: int) -> torch.Tensor:
    """As the modality collates: uint8, channels_last."""
    generator = torch.Generator().manual_seed(n)
    batch = torch.randint(0, 256, (n, 3, 16, 16), dtype=torch.uint8, generator=generator)
    return batch.to(memory_format=torch.channels_last)


def of_image() -> Case:
    model = Convolutions().to(memory_format=torch.channels_last).eval()
    model.network[1].running_mean.uniform_(-1, 1)
    export_signature = image.export_signature(model, PIXELS, partial(ActivatedModel, activation="softmax"))
    bundle = Bundle(model, pictures(1), TASK, "softmax", PIXELS, "pets", export_signature)
    inputs = {"images": {"shape": ["batch", "height", "width", 3], "type": "uint8"}}
    return Case(bundle, [of_pixels(pictures(n)) for n in (1, 2, 7)], model.network[5], set(), inputs)


def of_timm(activation: str = "softmax") -> Case:
    """A network of timm, and photos of several sizes."""
    torch.manual_seed(0)
    backbone = timm("timm/test_vit", TASK.classes, ModelInput(size=64), weights="none")
    head = backbone.network.head
    nn.init.normal_(head.weight)
    model = Model(image.normalizer(backbone.preprocessing), backbone.network, nn.Identity()).eval()
    samples = [opened(content) for content in image.synthetic(backbone.preprocessing)]
    way = image.pipeline((), backbone.preprocessing)
    batch = image.collate([image.prepare(one, way, None)[0] for one in samples])
    task = Task(TASK.classes, activation == "sigmoid", activation == "identity")
    export_signature = image.export_signature(
        model, backbone.preprocessing, partial(ActivatedModel, activation=activation)
    )
    bundle = Bundle(
        model,
        batch[:1],
        task,
        activation,
        backbone.preprocessing,
        "pets",
        export_signature,
        backbone.save,
        reading=read_by_pillow(None),
    )
    return Case(bundle, [SampleBatch(samples, batch)], head, set(), {})


def of_pixels(batch: torch.Tensor) -> SampleBatch:
    """Pictures that have the model's size already."""
    return SampleBatch(list(batch.permute(0, 2, 3, 1).numpy()), batch)


def tokens(preprocessing: Any, *texts: str) -> torch.Tensor:
    """As the modality collates: ids, mask and types, padded to the longest."""
    pipeline = text.pipeline((), preprocessing)
    return text.collate([text.prepare(Text(one), pipeline, None)[0] for one in texts])


def of_text(monkeypatch: Any) -> Case:
    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    monkeypatch.setattr(tiny_text, "SHAPE", {**small, "initializer_range": 0.5})
    torch.manual_seed(0)
    backbone = tiny_text.tiny_text(TASK.classes, weights="none", max_length=64)
    made = backbone.preprocessing
    model = Model(text.normalizer(made), backbone.network, nn.Identity()).eval()
    batches = [tokens(made, one) for one in TEXTS] + [tokens(made, *TEXTS), tokens(made, *TEXTS[:3])]
    batches.append(batches[2][:, :, :1])  # a single token
    export_signature = text.export_signature(model, made, partial(ActivatedModel, activation="softmax"))
    bundle = Bundle(model, batches[2], TASK, "softmax", made, "pets", export_signature, backbone.save)
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = {name: {"shape": ["batch", "length"], "type": "int64"} for name in names}
    return Case(
        bundle,
        [SampleBatch([], batch) for batch in batches],
        backbone.network.model.classifier,
        {"tokenizer.json"},
        inputs,
    )
