"""Backbones that methods and plans are tried on: families of torchvision, ftaug's own, and a small BERT."""

import torch
from torchvision.models import ConvNeXt, SwinTransformer, VisionTransformer
from torchvision.models.convnext import CNBlockConfig

from ftaug.image.backbones.resnet20 import resnet20
from ftaug.image.backbones.stages import by_rules
from ftaug.image.backbones.torchvision import _RULES, torchvision
from ftaug.interfaces.model import Backbone

CLASSES = ("a", "b", "c")
SIZES = {
    "resnet18": 32,
    "mobilenet_v3_small": 32,
    "squeezenet1_1": 64,
    "regnet_x_400mf": 32,
    "convnext": 32,
    "swin": 32,
    "vit": 32,
    "resnet20": 32,
    "bert": 0,
}

SMALL = {
    "vit": lambda: VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=len(CLASSES)),
    "swin": lambda: SwinTransformer([4, 4], 16, [1, 1, 1, 1], [1, 1, 2, 2], [2, 2], num_classes=len(CLASSES)),
    "convnext": lambda: ConvNeXt([CNBlockConfig(16, 24, 1), CNBlockConfig(24, None, 1)], num_classes=len(CLASSES)),
}
"""Small ones of families whose smallest is large."""


def small_bert() -> Backbone:
    """A BERT of two layers, as the text backbones make it."""
    from transformers import BertConfig, BertForSequenceClassification

    from ftaug.text.backbones import encoders
    from ftaug.text.network import Classifier

    config = BertConfig(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=16,
        num_labels=len(CLASSES),
    )
    network = Classifier(BertForSequenceClassification(config), has_types=True)
    return Backbone(network, encoders.stages(network), {}, lambda: None)


def backbone(name: str) -> Backbone:
    torch.manual_seed(0)
    if name == "bert":
        return small_bert()
    if name in SMALL:
        network = SMALL[name]()
        torch.nn.init.normal_(list(network.modules())[-1].weight)
        return Backbone(network, by_rules(network, _RULES[name]), {}, lambda: None)
    return resnet20(CLASSES, weights="none") if name == "resnet20" else torchvision(name, CLASSES, weights="none")


def inputs(name: str, seed: int, count: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    if name == "bert":
        ids = torch.randint(1, 60, (count, 1, 9), generator=generator)
        return torch.cat([ids, torch.ones_like(ids), torch.zeros_like(ids)], dim=1)
    return torch.randn(count, 3, SIZES[name], SIZES[name], generator=generator)
