"""Weight averaging across runs: evaluate candidates on validation and write the best one as a run folder."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ftaug.config.dump import to_yaml, with_kept_plugins
from ftaug.config.strict_json import dumps
from ftaug.engine.loading.data_record import SAMPLES_FILE
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_files import MANIFEST, MODEL_FILE, ORIGIN_FOLDER, STATUS_FILE, read_json, step_of
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.system.storage import make_inside, storage_errors
from ftaug.engine.training import evaluate
from ftaug.engine.training.batchnorm import recompute_statistics, training_batches
from ftaug.engine.training.choose_best import rank
from ftaug.errors import ExperimentError, MissingInput
from ftaug.runs import thresholds
from ftaug.runs.earlier_samples import EARLIER_FILE, to_csv, trained_on_data
from ftaug.runs.initial_weights import initial_weights_of, weights_of
from ftaug.runs.open_run import open_run
from ftaug.runs.trained_model import TrainedModel

Weights = Mapping[str, Tensor]

MIXED, ANEW = "mixed", "measured anew"
"""Source of the BatchNorm statistics: averaged like the weights, or recomputed on training samples."""


@dataclass(frozen=True)
class Candidate:
    """Averaged weights with their validation metrics."""

    weights: Weights
    norms: str | None  # None where the statistics of BatchNorm are the same in all ingredients
    values: Mapping[str, float]
    score: float  # higher is better

    @property
    def rank(self) -> tuple[float, float]:
        """Sort key of candidates: the score, then the loss; NaN comes last."""
        return rank(self.score, self.values["loss"])


def open_ingredient(folder: Path, *, trust_plugins: bool) -> TrainedModel:
    """Load a run to average; raises ExperimentError if it has no validation samples to choose by."""
    opened = open_run(folder, trust_plugins=trust_plugins)
    opened.note_precision()
    if "val" not in opened.splits:
        raise ExperimentError(f"{folder}: its experiment has no data.val, by which mixes are chosen")
    return opened


def start_of(opened: TrainedModel, *, trust_plugins: bool) -> tuple[dict[str, Tensor], bool]:
    """Return the initial weights of a run, and whether they include a pretrained head.

    A newly initialized head is replaced by the run's trained one: interpolating with zeros is meaningless.
    """
    initial = initial_weights_of(opened, trust_plugins=trust_plugins)
    if initial.own_head:
        return dict(initial.weights), True
    head = {name: tensor for name, tensor in weights_of(opened).items() if initial.stages[-1].holds(name)}
    return {**initial.weights, **head}, False


def mean(average: Weights, weights: Weights, count: int) -> dict[str, Tensor]:
    """Update the running mean of `count` weights with one more; integer tensors are those of the last."""
    return between(average, weights, 1 / (count + 1))


def between(start: Weights, end: Weights, alpha: float) -> dict[str, Tensor]:
    """Interpolate: (1 − alpha) · start + alpha · end; integer tensors are those of `end`."""
    return {
        name: torch.lerp(start[name], tensor, alpha) if tensor.is_floating_point() else tensor
        for name, tensor in end.items()
    }


def differing_norms(opened: TrainedModel, first: Weights, second: Weights) -> list[str]:
    """List the BatchNorm modules whose running statistics differ between two state dicts."""
    return [
        name
        for name, module in opened.model.network.named_modules()
        if isinstance(module, _BatchNorm)
        and module.running_mean is not None
        and not all(
            torch.equal(first[f"{name}.{key}"], second[f"{name}.{key}"]) for key in ("running_mean", "running_var")
        )
    ]


def evaluate_weights(opened: TrainedModel, weights: Weights, norms: Sequence[str] = ()) -> list[Candidate]:
    """Evaluate weights on validation; if `norms` are named, also with their BatchNorm statistics recomputed."""
    network = opened.model.network
    network.load_state_dict(weights)
    candidates = [_evaluate(opened, weights, MIXED if norms else None)]
    if norms:
        feed = training_batches(
            opened.experiment, opened.splits["train"], opened.preprocessing, opened.workers, opened.device
        )
        modules: list[Any] = [network.get_submodule(name) for name in norms]
        recompute_statistics(opened.model, modules, feed, opened.device)
        candidates.append(_evaluate(opened, weights_of(opened), ANEW))
    return candidates


def _evaluate(opened: TrainedModel, weights: Weights, norms: str | None) -> Candidate:
    split: DataSplit = opened.splits["val"]
    values = opened.compute_metrics(opened.logits(split), split).values
    return Candidate(weights, norms, values, evaluate.score(opened.experiment, values))


def identity(kind: str, runs: Sequence[Path], *settings: object) -> str:
    """Hash everything that the average depends on to eight hex digits."""
    parts = [kind, *map(str, settings), *(_manifest(run) for run in runs)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def _manifest(run: Path) -> str:
    """Read the manifest that identifies a run's best weights; raises MissingInput."""
    path = run / "best" / MANIFEST
    if not path.is_file():
        raise MissingInput(f"{run}: not a run folder with a best checkpoint; `ftaug train` prints the folder it writes")
    return path.read_text()


def mix_folder(path: Path, opened: TrainedModel, digest: str) -> RunFolder:
    """Create or reopen the run folder of averaged weights, with the experiment of one ingredient."""
    status = read_json(path / STATUS_FILE)
    if status is not None and status.get("digest") != digest:
        raise ExperimentError(f"{path} holds another mix or a run; choose another --output")
    method = opened.experiment.method
    folded = method is not None and method.fact("learns") != "all"
    portable, plugins = with_kept_plugins(replace(opened.experiment, method=None if folded else method))
    return RunFolder.open(
        path,
        experiment_yaml=(opened.folder / "experiment.yaml").read_text(encoding="utf-8-sig"),
        resolved_yaml=to_yaml(portable),
        digest=digest,
        extra_files=plugins,
    )


def account(folder: Path, name: str) -> Any:
    """Read how the averaged weights of a folder were chosen."""
    return read_json(folder / "report" / f"{name}.json")


def complete(
    folder: RunFolder,
    opened: TrainedModel,
    runs: Sequence[Path],
    best: Candidate,
    name: str,
    account: Mapping[str, Any],
) -> None:
    """Complete the run folder: save the best candidate and write how it was chosen into the report."""
    step = step_of(opened.checkpoint) or 0
    about = {**(read_json(opened.folder / MODEL_FILE) or {}), "mixed": name}
    checkpoint.save(folder.checkpoints, step, {"model": best.weights}, {"mixed": dict(account)}, about)
    folder.set_best(step)
    folder.write(MODEL_FILE, dumps(about, indent=1) + "\n")
    with storage_errors(f"cannot write {folder.path}"):
        if (opened.folder / ORIGIN_FOLDER).is_dir():
            make_inside(folder.path / ORIGIN_FOLDER)
            shutil.copytree(opened.folder / ORIGIN_FOLDER, folder.path / ORIGIN_FOLDER, dirs_exist_ok=True)
        if (opened.folder / SAMPLES_FILE).is_file():
            shutil.copyfile(opened.folder / SAMPLES_FILE, folder.path / SAMPLES_FILE)
        make_inside(folder.path / "report")
    if keys := trained_on_data(runs, opened.experiment, opened.splits["train"].samples):
        folder.write(EARLIER_FILE, to_csv(keys))
    folder.write(f"report/{name}.json", dumps(account, indent=1) + "\n")
    if opened.experiment.evaluate.thresholds is not None:
        thresholds.tune(open_run(folder.path, trust_plugins=True))
    folder.finish(step, {"step": step, "metrics": dict(best.values)})
