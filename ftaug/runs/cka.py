"""How alike a network's features are before and after training: centred kernel alignment. Kornblith et al. 2019."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ftaug.interfaces.model import Stage
from ftaug.runs.initial_weights import initial_weights_of
from ftaug.runs.open_run import open_run
from ftaug.runs.trained_model import TrainedModel

SAMPLES = 128
"""Samples that are looked at, at most; fewer than four tell nothing."""


def alignment(one: Tensor, other: Tensor) -> float:
    """Linear CKA of two sets of features by their Gram matrices (n, n): 1 where they are alike but for turning.

    The unbiased estimate (Nguyen et al. 2021), which few samples of many features do not drive to 1.
    """
    return float(_hsic(one, other) / (_hsic(one, one) * _hsic(other, other)).clamp(min=1e-30).sqrt())


def _hsic(one: Tensor, other: Tensor) -> Tensor:
    """Song et al. 2012, equation 5, but for a factor of the number of samples alone."""
    n = len(one)
    k, m = (gram.double() - torch.diag(gram.double().diagonal()) for gram in (one, other))
    means = k.sum() * m.sum() / ((n - 1) * (n - 2))
    return (k * m).sum() + means - 2 / (n - 2) * (k.sum(0) @ m.sum(0))


@torch.inference_mode()
def grams(model: nn.Module, network: nn.Module, stages: Sequence[Stage], inputs: Any) -> dict[str, Tensor]:
    """The Gram matrix (n, n) of what each stage gives for a batch; stages that are no modules are left out."""
    found: dict[str, Tensor] = {}
    modules = dict(network.named_modules())

    def keep(stage: str) -> Any:
        def hook(module: nn.Module, given: Any, answer: Any) -> None:
            features = answer[0] if isinstance(answer, tuple) else answer
            if isinstance(features, Tensor) and len(features) == len(inputs):
                flat = features.flatten(1).float()
                found[stage] = (flat @ flat.T).cpu()

        return hook

    with ExitStack() as hooks:
        for stage in stages:
            for name in stage.modules:
                if name in modules:
                    hooks.enter_context(modules[name].register_forward_hook(keep(stage.name)))
        model.eval()(inputs)
    return found


def before_and_after(run: Path, *, trust_plugins: bool) -> dict[str, float]:
    """For each stage how alike its features are at the start and with the best weights, on validation samples."""
    opened = open_run(run, trust_plugins=trust_plugins)
    start = initial_weights_of(opened, trust_plugins=trust_plugins)
    inputs = _samples(opened)
    after = grams(opened.model, opened.model.network, start.stages, inputs)
    opened.model.network.load_state_dict(start.weights)
    before = grams(opened.model, opened.model.network, start.stages, inputs)
    return {stage: alignment(before[stage], after[stage]) for stage in after}


def _samples(opened: TrainedModel) -> Tensor:
    """Some samples, spread over validation, or over training where there is none."""
    portion = opened.portions.get("val", opened.portions["train"])
    count = min(SAMPLES, len(portion))
    positions = torch.linspace(0, len(portion) - 1, count).round().long().tolist()
    raw = [portion.samples.read(int(portion.ids[position])) for position in positions]
    return opened.prepare(raw).to(opened.device.torch)
