"""LoRA: freeze the weights and train a low-rank update beside them."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import Annotated

from pydantic import Field

from ftaug.components.peft.adapters import loader_of
from ftaug.config.kinds import method
from ftaug.config.types import Count, FilePath, Positive, Text, Wording
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.interfaces.model import Backbone, PeftModel

Patterns = Annotated[tuple[Text, ...], Field(min_length=1), Wording("a list of names of stages and globs on modules")]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False), Wording("a share from 0 to below 1")]


@method.register(learns="head")
def lora(
    backbone: Backbone,
    learning: frozenset[str],
    *,
    rank: Count = 8,
    alpha: Positive = 16.0,
    targets: Patterns | None = None,
    dropout: Share = 0.0,
    weights: FilePath | None = None,
) -> PeftModel:
    """LoRA: freeze the weights and train low-rank updates of them; the head is trained fully.

    The weights are W + alpha / rank · B A; B is 0 at first. In a grouped convolution each group has its own B and A.

    Settings:
        rank: the rank of an update; a higher one has more capacity and a larger adapter
        alpha: the scale of the updates, divided by the rank
        targets: the layers to update: stage names and patterns of module names; unless set all but those that
            `unfreeze` names
        dropout: the dropout rate of the inputs of an update
        weights: an adapter to start from, as `ftaug export RUN --format adapter` writes it

    It applies to PyTorch's Linear, Conv2d and MultiheadAttention, except layers with no more weights than an update.
    Wherever the model is used, the updates are merged into its weights; `ftaug export RUN --format adapter` writes them
    alone. Hu et al. 2021.
    """
    from ftaug.components.peft.layers import add_low_rank, inside_attention, weights_to_change

    fitting = {
        name: layer
        for name, layer in weights_to_change(backbone.network, rank).items()
        if not backbone.stages[-1].holds(name)
    }
    if targets is None:
        chosen = {name: layer for name, layer in fitting.items() if name not in learning}
        if not chosen:
            raise ExperimentError(
                f"method.lora: no layer is left for an update of rank {rank} besides those that unfreeze trains; "
                "freeze more of the network, or lower the rank"
            )
    else:
        names = {name for pattern in targets for name in _named(pattern, fitting, backbone, rank)}
        chosen = {name: layer for name, layer in fitting.items() if name in names}
        _refuse_learning(chosen, learning)
    inside = inside_attention(backbone.network)
    if dropout and (within := next((name for name in chosen if _layer(name) in inside), None)):
        raise ExperimentError(
            f"method.lora.dropout: is not supported in {_layer(within)}, whose weights are used inside an attention; "
            "set it to 0, or leave that layer out of targets"
        )
    folds = [add_low_rank(layer, _layer(name) in inside, rank, alpha / rank, dropout) for name, layer in chosen.items()]

    def merge() -> None:
        for fold in folds:
            fold()

    factors = {f"{_layer(name)}.lora.{factor}": name for name in chosen for factor in "ab"}
    return PeftModel(factors, loader_of(weights, backbone, "method.lora.weights"), merge)


def _layer(weight: str) -> str:
    """Return the name of the layer that a weight belongs to."""
    return weight.rpartition(".")[0]


def _named(pattern: str, fitting: Iterable[str], backbone: Backbone, rank: int) -> list[str]:
    """Return the weights of layers that match a pattern; raises ExperimentError if there are none."""
    modules = [name for name, _ in backbone.network.named_modules() if name]
    staged = [stage for stage in backbone.stages if fnmatchcase(stage.name, pattern)]
    matches = [n for n in fitting if any(stage.holds(n) for stage in staged) or _fits(_layer(n), pattern)]
    if matches:
        return matches
    if staged or any(_fits(name, pattern) for name in modules):
        text = f"'{pattern}' names no Linear or Conv2d outside the head that is larger than a change of rank {rank}"
        raise ExperimentError(f"method.lora.targets: {text}; choose other layers, or lower the rank")
    near = did_you_mean(pattern, [*(stage.name for stage in backbone.stages), *modules])
    stages = ", ".join(stage.name for stage in backbone.stages)
    hint = near if "did you mean" in near else ""
    raise ExperimentError(f"method.lora.targets: no stage or layer '{pattern}'{hint}; the stages are {stages}")


def _fits(name: str, pattern: str) -> bool:
    """Whether a glob matches the name of a module or of one of its parents."""
    return any(fnmatchcase(part, pattern) for part in accumulate(name.split("."), "{}.{}".format))


def _refuse_learning(chosen: Iterable[str], learning: frozenset[str]) -> None:
    for name in chosen:
        if name in learning:
            text = f"{_layer(name)} is trained fully by unfreeze, so that an update of it has no effect"
            raise ExperimentError(f"method.lora.targets: {text}; remove it from one of the two")
