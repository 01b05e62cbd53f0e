"""K-fold cross-validation: a folder with a run per fold, their mean metrics, and the ensemble of their models."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from rich.table import Table
from torch import Tensor, nn

from ftaug.config.strict_json import dumps
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system import storage
from ftaug.engine.system.ranks import Ranks
from ftaug.engine.system.run_files import FOLDS_FILE, OUT_OF_FOLD, fold_folder, read_json
from ftaug.engine.system.storage import make_inside
from ftaug.engine.training.activated_model import ActivatedModel
from ftaug.engine.training.evaluate import at_least_float32
from ftaug.engine.training.state import Model
from ftaug.engine.training.target_scaling import in_fp32
from ftaug.errors import ExperimentError, MissingInput, RunFolderTaken
from ftaug.interfaces.export import Bundle
from ftaug.runs.export.calibration import CalibrationSamples
from ftaug.runs.report import console
from ftaug.runs.trained_model import PrepareSplit, TrainedModel, open_single_run


def begin(path: Path, digest: str, count: int, *, fresh: bool) -> None:
    """Create the cross-validation folder, or check that it belongs to the same experiment and number of folds."""
    known = read_json(path / FOLDS_FILE)
    if known is not None and (known["digest"], known["folds"]) != (digest, count):
        what = f"{known['folds']} folds" if known["folds"] != count else "folds of another experiment"
        raise ExperimentError(f"{path} holds {what}: use --fresh or another --run-dir")
    for link in path.glob("fold-*"):
        make_inside(link)
    if known is None:
        if path.exists() and any(path.iterdir()):
            raise RunFolderTaken(f"{path}: is not empty and holds no folds; choose another --run-dir")
        with storage.storage_errors(f"{path}: cannot be written"):
            path.mkdir(parents=True, exist_ok=True)
            _write(path, {"digest": digest, "folds": count, "complete": False, "fresh": fresh})


def fail(path: Path) -> None:
    """Record a failed attempt, so that the next `--fresh` starts a new folder instead of continuing this one."""
    if (known := read_json(path / FOLDS_FILE)) is not None:
        _write(path, {**known, "fresh": False})


def abandon(path: Path) -> None:
    """Remove the folder if it holds no fold."""
    if not any(path.glob("fold-*")):
        (path / FOLDS_FILE).unlink(missing_ok=True)
        with suppress(OSError):
            path.rmdir()
            path.parent.rmdir()  # also `runs`, if empty


def finish(path: Path, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Write mean and standard deviation of the folds' metrics to folds.json; return its content."""
    known = read_json(path / FOLDS_FILE) or {}
    each = {name: [float(result["metrics"][name]) for result in results] for name in results[0]["metrics"]}
    done = {
        **known,
        "complete": True,
        "metrics": {name: float(np.mean(values)) for name, values in each.items()},
        "sd": {name: float(np.std(values, ddof=1)) for name, values in each.items()},
        "each": each,
    }
    with storage.storage_errors(f"{path}: cannot be written"):
        _write(path, done)
    return done


def _write(path: Path, content: Mapping[str, Any]) -> None:
    storage.replace(path / FOLDS_FILE, (dumps(content, indent=1) + "\n").encode())


def table(done: Mapping[str, Any]) -> Table:
    """Build the human-readable table of the folds' metrics, with mean and standard deviation."""
    names = list(done["metrics"])
    rows: list[tuple[Any, ...]] = [
        (f"fold {number + 1}", *(f"{done['each'][name][number]:.4f}" for name in names))
        for number in range(done["folds"])
    ]
    rows.append(("mean ± sd", *(f"{done['metrics'][name]:.4f} ± {done['sd'][name]:.4f}" for name in names)))
    return console.table(("", *(f"val {name}" for name in names)), rows)


class EnsembleNetwork(nn.Module):
    """Average the predicted probabilities (in regression the numbers) of several networks."""

    def __init__(self, members: Sequence[nn.Module], activation: str) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.activation = activation

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (batch, classes) whose softmax or sigmoid is the mean probability; in regression the mean."""
        logits = torch.stack([at_least_float32(member(inputs)) for member in self.members])
        if self.activation == "softmax":
            return logits.log_softmax(dim=2).logsumexp(dim=0) - float(np.log(len(self.members)))
        if self.activation == "sigmoid":
            positive = nn.functional.logsigmoid(logits).logsumexp(dim=0)
            return positive - nn.functional.logsigmoid(-logits).logsumexp(dim=0)
        return logits.mean(dim=0)


@dataclass
class Ensemble(TrainedModel):
    """The ensemble of all folds' models; for training samples it predicts out of fold."""

    members: Sequence[TrainedModel] = field(default_factory=list)

    def shared_by(self, ranks: Ranks) -> Self:
        """Return the ensemble with its predictions shared by several processes."""
        return replace(self, ranks=ranks, members=[member.shared_by(ranks) for member in self.members])

    @cached_property
    def splits(self) -> dict[str, DataSplit]:
        """The test split, if any, and the training samples as `val`, to be predicted out of fold."""
        folds = [member.splits["val"] for member in self.members]
        order = np.argsort(np.concatenate([fold.ids for fold in folds]))
        ids = np.concatenate([fold.ids for fold in folds])[order]
        targets = np.concatenate([fold.targets for fold in folds])[order]
        tests = {"test": self.members[0].splits["test"]} if "test" in self.members[0].splits else {}
        splits = {**tests, "val": replace(folds[0], purpose=OUT_OF_FOLD, ids=ids, targets=targets)}
        return {name: replace(split, task=self.task) for name, split in splits.items()}

    def logits(self, split: DataSplit, prepare: PrepareSplit | None = None) -> np.ndarray:
        """Predict logits (n, classes): the ensemble's, or out of fold those of the model not trained on the sample."""
        if split.purpose != OUT_OF_FOLD:
            return super().logits(split, prepare)
        logits = np.empty((len(split), len(self.task.classes)), np.float64 if self.task.regression else np.float32)
        for member in self.members:
            fold = member.splits["val"]
            logits[np.searchsorted(split.ids, fold.ids)] = member.logits(fold, prepare)
        return logits

    def bundle(self, example: torch.Tensor) -> Bundle:
        """Build an exporter's input: all models as one network, on the CPU in fp32."""
        model = in_fp32(self.model)
        export_signature = modality_of(self.experiment).export_signature(
            model, self.preprocessing, partial(ActivatedModel, activation=self.activation)
        )
        description = (self.task, self.activation, self.preprocessing, self.experiment.name)
        return Bundle(
            model,
            example,
            *description,
            export_signature,
            networks=len(self.members),
            ordered=self.experiment.loss.fact("ordered"),
            provenance=self.provenance(),
            reading=self.reading(),
            training_samples=self.training_samples,
        )

    def training_samples(self, count: int) -> CalibrationSamples:
        """Draw at most `count` samples that the folds were trained on."""
        return CalibrationSamples.drawn(self.splits["val"], count, self.experiment.seed, self.prepare)

    def provenance(self) -> dict[str, Any]:
        """Describe the origin of the ensemble: that of the first model, with all checkpoints."""
        each = [member.provenance() for member in self.members]
        return {**each[0], "checkpoint": None, "folds": [origin["checkpoint"] for origin in each]}


def open_folds(path: Path, device: str, *, trust_plugins: bool) -> Ensemble:
    """Load the ensemble of a cross-validation; raises MissingInput while a fold is incomplete."""
    known = read_json(path / FOLDS_FILE) or {}
    if not known.get("complete"):
        raise MissingInput(
            f"{path}: not all of its folds are trained; run the same `ftaug train --folds` command again"
        )
    members = [
        open_single_run(fold_folder(path, number), device, trust_plugins=trust_plugins)
        for number in range(1, known["folds"] + 1)
    ]
    first = members[0]
    networks = [nn.Sequential(member.model.network, member.model.units) for member in members]
    model = Model(first.model.normalizer, EnsembleNetwork(networks, first.activation), nn.Identity())
    thresholds = [member.task.thresholds for member in members if member.task.thresholds is not None]
    mean = tuple(np.mean(thresholds, axis=0).tolist()) if len(thresholds) == len(members) else None
    shared = ("experiment", "activation", "preprocessing", "class_counts", "train_samples")
    return Ensemble(
        folder=path,
        checkpoint=Path(f"the {len(members)} folds"),
        scale=first.scale,
        model=model.eval(),
        device=first.device,
        members=members,
        task=replace(first.task, thresholds=mean),
        **{name: getattr(first, name) for name in shared},
    )
