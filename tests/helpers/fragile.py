"""A loss that is not finite on some batches, and runs that are trained with it, without the command line."""

import os
import signal
from dataclasses import replace

import torch
from small_training import state_of
from torch.nn.functional import cross_entropy

from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.system.signals import StopRequests
from ftaug.runs.train_session import Session
from ftaug.runs.training import train_loop

EXPERIMENT = """
data: {train: {digits: {per_class: 4}}, val: {split: 10}, batch_size: 8, workers: 0}
backbone: {resnet20: {weights: none}}
lr: {peak: 5e-3}
train: {epochs: 3, precision: fp32, ema: 0.9}
"""


def fragile(divisor, figure="loss"):
    """Cross-entropy whose value or gradient is NaN where the sum of the targets is divisible."""

    def loss(logits, targets):
        value = cross_entropy(logits.float(), targets)
        if int(targets.sum()) % divisor:
            return value
        zero = torch.sqrt(logits.float().sum() * 0)  # its gradient is 0 / 0
        return value + (zero / 0 if figure == "loss" else zero)

    return loss


def fragile_state(folder, *overrides, divisor=5, figure="loss", text=EXPERIMENT):
    folder.mkdir(exist_ok=True)
    return replace(state_of(folder, text, *overrides), loss=fragile(divisor, figure))


def train_fragile(folder, *overrides, kill_at=None, **options):
    """Train or resume the run `folder / "run"`; `kill_at` is a step after which the process kills itself."""
    state = fragile_state(folder, *overrides, **options)
    with (
        RunFolder.open(folder / "run", experiment_yaml="", resolved_yaml="{}", digest="0123") as run,
        StopRequests(None, folder / "stop") as stop,
    ):
        latest = checkpoint.newest(run.checkpoints)
        session = Session.begin(state, run) if latest is None else Session.resume(state, run, latest)
        if kill_at is not None:
            proceed = session.should_continue

            def should_continue(requests):
                if session.progress.step == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return proceed(requests)

            session.should_continue = should_continue
        train_loop(session, stop)
    return session
