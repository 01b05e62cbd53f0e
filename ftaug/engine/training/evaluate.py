"""The evaluation loop: predict every sample once, in order, unaugmented; compute loss and metrics.

It draws no random numbers, so evaluating does not change training.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.batches import Batch, Source, batches, once
from ftaug.engine.system.device import Device
from ftaug.engine.system.ranks import ALONE, Ranks
from ftaug.engine.system.rounds import Rounds
from ftaug.interfaces.data import Task


@dataclass(frozen=True)
class Measurement:
    """Predictions on a split, with their loss and metrics."""

    logits: np.ndarray  # float32 (n, classes), in regression float64
    probabilities: np.ndarray  # float32 (n, classes); in regression the predictions, float64
    targets: np.ndarray
    values: dict[str, float]  # `loss` and the experiment's metrics, by name


@torch.inference_mode()
def logits_of(
    model: nn.Module, source: Source, batch_size: int, device: Device, workers: int, ranks: Ranks = ALONE
) -> Iterator[tuple[Batch, Tensor]]:
    """Yield every batch with its logits on the CPU: float32 (batch, classes), in regression float64.

    Logits of several views of a sample (test-time augmentation) are averaged. Of several processes each takes its
    share of the batches.
    """
    model.eval()
    requests = islice(once(len(source.split), batch_size, source.sizes), ranks.rank, None, ranks.size)
    for batch in batches(source, requests, workers, pin=device.torch.type == "cuda"):
        with device.autocast():
            logits = model(batch.inputs.to(device.torch, non_blocking=True))
        yield batch, over_views(at_least_float32(logits), len(batch.request.ids)).cpu()


def at_least_float32(logits: Tensor) -> Tensor:
    """Convert logits to float32; float64 stays as it is."""
    return logits if logits.dtype == torch.float64 else logits.float()


def over_views(logits: Tensor, samples: int) -> Tensor:
    """Average the logits over the views of each sample: (samples · views, classes) → (samples, classes)."""
    return logits.view(samples, -1, logits.shape[1]).mean(dim=1)


def predict_all(
    model: nn.Module,
    source: Source,
    batch_size: int,
    device: Device,
    workers: int,
    carry_on: Callable[[], bool] = lambda: True,
    ranks: Ranks = ALONE,
) -> np.ndarray | None:
    """Return the logits of all samples, (n, classes); None if `carry_on` returned false on any process.

    Several processes share the work, and each returns all logits, with the same bits as a single process.
    """
    collected: np.ndarray | None = None
    rounds = Rounds(ranks, logits_of(model, source, batch_size, device, workers, ranks), carry_on)
    for batch, logits in rounds:
        if collected is None:
            collected = np.zeros((len(source.split), logits.shape[1]), logits.numpy().dtype)
        collected[batch.request.ids] = logits.numpy()
    return None if rounds.stopped else ranks.merge(collected, len(source.split))


def compute_metrics(
    experiment: Experiment,
    logits: np.ndarray,
    predictions: np.ndarray,
    targets: np.ndarray,
    task: Task,
    loss: Callable[[Tensor, Tensor], Tensor],
) -> Measurement:
    """Compute the loss from logits (n, classes), and every metric of the experiment from predictions (n, classes).

    `loss` takes CPU tensors.
    """
    labels = torch.from_numpy(targets)
    values = {"loss": float(loss(torch.from_numpy(logits), labels.float() if task.multi_label else labels))}
    for metric in experiment.evaluate.metrics:
        values[metric.name] = float(metric(predictions, targets, task))
    return Measurement(logits, predictions, targets, values)


def probabilities(logits: np.ndarray, activation: str) -> np.ndarray:
    """Turn logits (n, classes) into probabilities by `softmax` or `sigmoid`; `identity` leaves numbers as they are."""
    if activation == "identity":
        return logits
    tensor = torch.from_numpy(logits)
    return (torch.softmax(tensor, dim=1) if activation == "softmax" else torch.sigmoid(tensor)).numpy()


def score(experiment: Experiment, values: dict[str, float]) -> float:
    """Return the value that selects the best checkpoint, negated where lower is better."""
    best = experiment.evaluate.best
    if best == "loss":
        return -values["loss"]
    metric = next(m for m in experiment.evaluate.metrics if m.name == best)
    return values[best] if metric.fact("higher_is_better") else -values[best]
