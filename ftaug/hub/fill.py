"""Load weights into encoders of transformers."""

from __future__ import annotations

from typing import Any

from ftaug.errors import BadData
from ftaug.interfaces.model import Stage
from ftaug.weight_matching import misfit
from ftaug.weights import WeightFile, copy, fill_by_order, without_prefixes


def fill_encoder(
    network: Any, file: WeightFile, *, same_classes: bool, predicts_tokens: bool = False
) -> dict[str, Any]:
    """Load an encoder's weights into the network, ignoring name prefixes; raises BadData.

    The head is loaded too if it has the same classes or predicts masked tokens; with `match: order` neither head nor
    pooler is. Return human-readable notes for `Backbone.facts`.
    """
    prefix = f"model.{network.model.base_model_prefix}."
    state = network.state_dict()
    head = Stage("head", tuple(key for key in state if not key.startswith(prefix) or ".pooler." in key))
    if file.match == "order":
        return fill_by_order(network, file, head)
    checkpoint = {_bare(key, prefix): tensor for key, tensor in without_prefixes(file.tensors, network).items()}
    targets = {
        key: tensor
        for key, tensor in state.items()
        if tensor.is_floating_point() and (key.startswith(prefix) or same_classes or predicts_tokens)
    }
    matched = {key: checkpoint[_bare(key, prefix)] for key in targets if _bare(key, prefix) in checkpoint}
    has_head = not predicts_tokens and any(not key.startswith(prefix) for key in matched)
    needed = (key for key in targets if (key.startswith(prefix) and ".pooler." not in key) or has_head)
    problems = [f"{key} is missing" for key in needed if key not in matched]
    shapes = ((key, list(tensor.shape), list(targets[key].shape)) for key, tensor in matched.items())
    problems += [
        f"{key} is {shape} instead of {expected_shape}"
        for key, shape, expected_shape in shapes
        if shape != expected_shape
    ]
    if problems:
        full_names = {_bare(key, prefix): key for key in state}
        by_full_name = {full_names.get(key, key): tensor for key, tensor in checkpoint.items()}
        raise BadData(misfit(file.source, problems, state, by_full_name, head))
    copy(file.source, matched, targets)
    return {"notes": list(file.notes)} if file.notes else {}


def _bare(key: str, prefix: str) -> str:
    """Strip the prefix (`model.bert.` or `bert.`) from a tensor name and translate legacy LayerNorm names."""
    short = prefix.removeprefix("model.")
    bare = key.removeprefix("model.").removeprefix(short)
    return bare.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
