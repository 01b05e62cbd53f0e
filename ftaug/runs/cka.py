"""Centered kernel alignment (CKA) of a network's features before and after training. Kornblith et al. 2019."""

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
"""Maximum number of samples; the unbiased estimate needs at least four."""


def alignment(first: Tensor, second: Tensor) -> float:
    """Compute the linear CKA of two feature sets from their Gram matrices (n, n): 1 if equal up to rotation and scale.

    Uses the unbiased estimate (Nguyen et al. 2021): the biased one tends to 1 for few samples of many features.
    """
    return float(_hsic(first, second) / (_hsic(first, first) * _hsic(second, second)).clamp(min=1e-30).sqrt())


def _hsic(first: Tensor, second: Tensor) -> Tensor:
    """Estimate HSIC without bias: Song et al. 2012, equation 5, up to a factor that depends on n alone."""
    n = len(first)
    k, m = (gram.double() - torch.diag(gram.double().diagonal()) for gram in (first, second))
    means = k.sum() * m.sum() / ((n - 1) * (n - 2))
    return (k * m).sum() + means - 2 / (n - 2) * (k.sum(0) @ m.sum(0))


@torch.inference_mode()
def grams(model: nn.Module, network: nn.Module, stages: Sequence[Stage], inputs: Any) -> dict[str, Tensor]:
    """Compute the Gram matrix (n, n) of each stage's output for a batch; skip stages that are not modules."""
    grams_by_stage: dict[str, Tensor] = {}
    samples = len(inputs)
    modules = dict(network.named_modules())

    def keep(stage: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            features = output[0] if isinstance(output, tuple) else output
            if isinstance(features, Tensor) and len(features) == samples:
                flat = features.flatten(1).float()
                grams_by_stage[stage] = (flat @ flat.T).cpu()

        return hook

    with ExitStack() as hooks:
        for stage in stages:
            for name in stage.modules:
                if name in modules:
                    hooks.enter_context(modules[name].register_forward_hook(keep(stage.name)))
        model.eval()(inputs)
    return grams_by_stage


def before_and_after(run: Path, *, trust_plugins: bool) -> dict[str, float]:
    """Compute for each stage the CKA of its features with the initial and with the best weights, on validation."""
    opened = open_run(run, trust_plugins=trust_plugins)
    start = initial_weights_of(opened, trust_plugins=trust_plugins)
    inputs = _samples(opened)
    after = grams(opened.model, opened.model.network, start.stages, inputs)
    opened.model.network.load_state_dict(start.weights)
    before = grams(opened.model, opened.model.network, start.stages, inputs)
    return {stage: alignment(before[stage], after[stage]) for stage in after}


def _samples(opened: TrainedModel) -> Tensor:
    """Collate evenly spaced samples of the validation split, else of the training split."""
    split = opened.splits.get("val", opened.splits["train"])
    count = min(SAMPLES, len(split))
    positions = torch.linspace(0, len(split) - 1, count).round().long().tolist()
    raw = [split.samples.read(int(split.ids[position])) for position in positions]
    return opened.prepare(raw).to(opened.device.torch)
