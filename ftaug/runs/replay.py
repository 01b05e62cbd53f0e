"""Repeat a training step of a run from the checkpoint before it, and look at its samples one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.system.run_files import MODEL_FILE, path_of, read_json, steps
from ftaug.engine.training.feature_cache import fill, missing, open_feature_cache
from ftaug.engine.training.fit import accumulate_gradients, batch_feed, fit, gradient_norm, set_rates, stage_norms
from ftaug.engine.training.sample_losses import sample_losses
from ftaug.engine.training.state import TrainingState
from ftaug.errors import BadData
from ftaug.interfaces.data_health import SheetRow
from ftaug.runs.assemble import assemble
from ftaug.runs.checkpointing import roll_back
from ftaug.runs.doctor.scan import data_health
from ftaug.runs.process_group import FollowedRunFolder
from ftaug.runs.replay_file import ReplayFile
from ftaug.runs.train_session import Session
from ftaug.runs.trained_model import load_experiment
from ftaug.runs.training import unchanged_data
from ftaug.runs.verification.checkpoints import checkpoint_defect, read_state

ABREAST, MOST = 8, 64
"""Samples in a row of the contact sheet, and on it."""


@dataclass(frozen=True)
class ReplayedSample:
    """A sample of the step."""

    position: int  # in the split
    epoch: int  # that selects its augmentation
    loss: float | None  # by itself, see `sample_losses`
    name: str
    label: str


@dataclass(frozen=True)
class Replay:
    """A repeated step."""

    record: ReplayFile
    origin: str  # the checkpoint that was continued from, or the initial weights
    repeated: int  # number of steps before it that were repeated, too
    note: str  # what differs from the machine of training, as a checkpoint records it
    loss: float
    gradient_norm: float | None
    stage_norms: Mapping[str, float]
    samples: Sequence[ReplayedSample]  # those with the largest loss, or one that is not finite, first

    @property
    def is_same(self) -> bool:
        """Whether loss and gradient norm have the bits that were recorded."""
        norm = None if self.gradient_norm is None else str(self.gradient_norm)
        return (str(self.loss), norm) == (self.record.loss, self.record.gradient_norm)

    @property
    def verdict(self) -> str:
        """Say which samples are not finite by themselves, and what that means."""
        losses = [sample.loss for sample in self.samples if sample.loss is not None]
        bad = sum(not math.isfinite(loss) for loss in losses)
        if not losses:
            return "the objective learns without labels, so that no sample has a loss by itself"
        if bad == len(losses):
            return "the loss of every sample is not finite: weights or settings are the cause, not the data"
        if bad:
            return f"the loss of {bad} of {len(losses)} samples is not finite by itself: look at these samples"
        return "every sample has a finite loss by itself: the batch as a whole, or the backward pass, is the cause"


def replay(run: Path, record: ReplayFile, device: str, *, trust_plugins: bool = False) -> tuple[Replay, bytes | None]:
    """Repeat a step; return its figures, and a contact sheet of its samples if they can be drawn.

    Raises BadData, DataChanged, MissingInput.
    """
    experiment = _with_parts(load_experiment(run, trust_plugins=trust_plugins), record)
    with _session_before(run, experiment, record, device) as (session, start):
        state, target = session.state, record.step - 1
        origin = f"checkpoint of step {start.step}" if start.path else "initial weights"
        state.plan.apply(state.model.network, target)
        set_rates(state, target, session.progress)
        loss, *_ = accumulate_gradients(state, target, batch_feed(state, target))
        norms = {stage: norm.item() for stage, norm in stage_norms(state).items()}
        norm = gradient_norm(state)
        samples = _samples(state, target)
        result = Replay(
            record,
            origin,
            target - start.step,
            session.origin if start.path else "",
            loss.item(),
            None if norm is None else norm.item(),
            norms,
            samples,
        )
        return result, _sheet(state, result)


def _with_parts(experiment: Experiment, record: ReplayFile) -> Experiment:
    """Return the experiment with as many parts a step as processes trained, where that was their number."""
    parts = 1 + max(each.part for each in record.micro_batches)
    return replace(experiment, data=replace(experiment.data, parts=parts), loggers=())


@dataclass(frozen=True)
class Start:
    """Where a replay starts."""

    step: int
    path: Path | None  # None: the initial weights


@contextmanager
def _session_before(
    run: Path, experiment: Experiment, record: ReplayFile, device: str
) -> Iterator[tuple[Session, Start]]:
    """Restore the run to the state before a step: load the newest checkpoint before it, and train from there."""
    target = record.step - 1
    start = newest_before(run / "checkpoints", target, record.digest)
    chosen = (read_json(run / MODEL_FILE) or {}).get("chosen", {})
    with ExitStack() as stack:
        folder = ReplayFolder(run, record.digest, Path(stack.enter_context(TemporaryDirectory(prefix="ftaug-replay-"))))
        assembled = assemble(
            experiment,
            device,
            unchanged_data(experiment, run),
            pretrained=start.path is None,
            micro_batch=chosen.get("micro_batch"),
        )
        state, _ = stack.enter_context(assembled)
        session = Session.begin(state, folder) if start.path is None else Session.resume(state, folder, start.path)
        features = stack.enter_context(open_feature_cache(state, start.step))
        session.state = replace(state, features=features)
        if features is not None:
            for purpose, views in missing(state, features, start.step).items():
                for _ in fill(state, features, purpose, views, carry_on=lambda: True):
                    pass
        train_until(session, target)
        yield session, start


class ReplayFolder(FollowedRunFolder):
    """A run folder that is read; the checkpoints that steps roll back to are saved in a temporary folder."""

    def __init__(self, path: Path, digest: str, temporary: Path) -> None:
        """Open a run folder."""
        super().__init__(path, digest)
        self.checkpoints = temporary

    def metrics_text(self) -> str:
        """Return no metrics, as a replay computes none."""
        return ""

    def checkpoints_with(self, step: int | None) -> Path:
        """Return the folder with the checkpoint of a step, which is of this replay or of the run."""
        is_repeated = step is not None and path_of(self.checkpoints, step).is_dir()
        return self.checkpoints if is_repeated else self.path / "checkpoints"


def newest_before(checkpoints: Path, step: int, digest: str) -> Start:
    """Return the newest good checkpoint up to a step, or the initial weights.

    The checkpoint that it may roll back to must be there, too.
    """
    for candidate in reversed(steps(checkpoints)):
        path = path_of(checkpoints, candidate)
        if candidate > step or checkpoint_defect(path, digest):
            continue
        target = read_state(path)["progress"].get("rollback_step")
        if target in (None, candidate) or not checkpoint_defect(path_of(checkpoints, target), digest):
            return Start(candidate, path)
    return Start(0, None)


def train_until(session: Session, target: int) -> None:
    """Repeat the steps up to `target`, including what `train.on_nonfinite` did; raises BadData."""
    assert isinstance(session.folder, ReplayFolder)
    _mark_rollback_point(session)
    if session.progress.step >= target:
        return
    for step in fit(session.state, session.progress):
        if step.nonfinite is not None:
            if session.progress.step < step.number:
                raise BadData(f"the {step.nonfinite.figure} of step {step.number} is {step.nonfinite.value} already")
            if session.progress.rollback_step is not None:
                points = session.folder.checkpoints_with(session.progress.rollback_step)
                roll_back(session.state, session.progress, points)
        _mark_rollback_point(session)
        if session.progress.step >= target:
            return


def _mark_rollback_point(session: Session) -> None:
    session.mark_rollback_point()
    if session.progress.rollback_step == session.progress.step:
        session.save()


def _samples(state: TrainingState, target: int) -> list[ReplayedSample]:
    """Describe the samples of a step, those whose loss is not finite and the largest losses first."""
    split = state.splits["train"]
    samples = [
        ReplayedSample(*each, split.samples.name(int(split.ids[each.position])), split.describe(each.position))
        for each in sample_losses(state, target)
    ]
    return sorted(samples, key=_rank, reverse=True)


def _rank(sample: ReplayedSample) -> tuple[bool, float]:
    loss = sample.loss
    return (False, 0.0) if loss is None else (not math.isfinite(loss), loss if math.isfinite(loss) else 0.0)


def _sheet(state: TrainingState, result: Replay) -> bytes | None:
    """Draw the augmented samples of the step with their losses; None for samples that cannot be drawn."""
    data, verbs = state.prepared("train"), modality_of(state.experiment)
    cells = []
    for sample in result.samples[:MOST]:
        raw, streams, labels = data.read(sample.position, sample.epoch)
        seen = verbs.as_seen(raw, data.pipeline, streams, labels)
        loss = "" if sample.loss is None else f"loss {sample.loss:.4g}, "
        cells.append((seen, f"{loss}{sample.label}: {Path(sample.name).name}"))
    places = np.arange(0, len(cells), ABREAST).tolist()
    rows = [SheetRow(f"samples {place + 1} …", "by their loss", cells[place : place + ABREAST]) for place in places]
    subtitle = f"as the model saw them, augmented and before mixing; {result.verdict}"
    return data_health(state.experiment.modality).sheet(rows, f"step {result.record.step}", subtitle)
