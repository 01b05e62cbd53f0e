"""Weights mixed of several: what they are worth on the validation samples, and a run folder with the best of them."""

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
from ftaug.engine.system.run_folder import RunFolder, read_json
from ftaug.engine.system.storage import make_inside, storage_errors
from ftaug.engine.training import evaluate
from ftaug.engine.training.batchnorm import recompute_statistics, training_batches
from ftaug.engine.training.choose_best import rank
from ftaug.errors import ExperimentError, MissingInput
from ftaug.runs import thresholds
from ftaug.runs.earlier_samples import EARLIER_FILE, to_csv, trained_on_data
from ftaug.runs.initial_weights import initial_weights_of, weights_of
from ftaug.runs.open_run import open_run
from ftaug.runs.trained_model import MODEL_FILE, ORIGIN_FOLDER, TrainedModel

Weights = Mapping[str, Tensor]

MIXED, ANEW = "mixed", "measured anew"
"""Where the statistics of BatchNorm come from: from the ingredients, or from training samples that the mix has seen."""


@dataclass(frozen=True)
class Candidate:
    """Weights and what they are worth."""

    weights: Weights
    norms: str | None  # None where the statistics of BatchNorm are the same in all ingredients
    values: Mapping[str, float]
    score: float  # higher is better

    @property
    def rank(self) -> tuple[float, float]:
        """By what candidates are compared: the score, then the loss; what is not a number comes last."""
        return rank(self.score, self.values["loss"])


def open_ingredient(folder: Path, *, trust_plugins: bool) -> TrainedModel:
    """Open a run that has validation samples to choose by; raises ExperimentError where it has none."""
    opened = open_run(folder, trust_plugins=trust_plugins)
    opened.note_precision()
    if "val" not in opened.portions:
        raise ExperimentError(f"{folder}: its experiment has no data.val, and mixes are chosen by validation samples")
    return opened


def start_of(opened: TrainedModel, *, trust_plugins: bool) -> tuple[dict[str, Tensor], bool]:
    """The weights that a run started from, and whether their head was more than a fresh one.

    Where it was fresh the run's own stands in its place: a fresh head knows no class.
    """
    start = initial_weights_of(opened, trust_plugins=trust_plugins)
    if start.own_head:
        return dict(start.weights), True
    own = {name: tensor for name, tensor in weights_of(opened).items() if start.stages[-1].holds(name)}
    return {**start.weights, **own}, False


def mean(sums: Weights, one: Weights, count: int) -> dict[str, Tensor]:
    """Take one more into a mean of `count`; whole numbers stay as they are."""
    return between(sums, one, 1 / (count + 1))


def between(start: Weights, end: Weights, alpha: float) -> dict[str, Tensor]:
    """(1 − alpha) · start + alpha · end; whole numbers are those of the end."""
    return {
        name: torch.lerp(start[name], tensor, alpha) if tensor.is_floating_point() else tensor
        for name, tensor in end.items()
    }


def differing_norms(opened: TrainedModel, one: Weights, other: Weights) -> list[str]:
    """The BatchNorms whose statistics are not the same in both."""
    return [
        name
        for name, module in opened.model.network.named_modules()
        if isinstance(module, _BatchNorm)
        and module.running_mean is not None
        and not all(
            torch.equal(one[f"{name}.{key}"], other[f"{name}.{key}"]) for key in ("running_mean", "running_var")
        )
    ]


def measured(opened: TrainedModel, weights: Weights, norms: Sequence[str] = ()) -> list[Candidate]:
    """What weights are worth: as they are, and with the statistics of `norms` measured anew where there are some."""
    network = opened.model.network
    network.load_state_dict(weights)
    found = [_judged(opened, weights, MIXED if norms else None)]
    if norms:
        feed = training_batches(
            opened.experiment, opened.portions["train"], opened.preprocessing, opened.workers, opened.device
        )
        modules: list[Any] = [network.get_submodule(name) for name in norms]
        recompute_statistics(opened.model, modules, feed, opened.device)
        found.append(_judged(opened, weights_of(opened), ANEW))
    return found


def _judged(opened: TrainedModel, weights: Weights, norms: str | None) -> Candidate:
    portion: DataSplit = opened.portions["val"]
    values = opened.compute_metrics(opened.logits(portion), portion).values
    return Candidate(weights, norms, values, evaluate.score(opened.experiment, values))


def identity(kind: str, runs: Sequence[Path], *settings: object) -> str:
    """Eight hex digits over all that a mix depends on."""
    said = [kind, *map(str, settings), *(_manifest(run) for run in runs)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:8]


def _manifest(run: Path) -> str:
    """What tells a run's best weights apart from all others."""
    path = run / "best" / checkpoint.MANIFEST
    if not path.is_file():
        raise MissingInput(f"{run}: no run folder with a best checkpoint; `ftaug train` prints the one it writes")
    return path.read_text()


def mix_folder(path: Path, opened: TrainedModel, digest: str) -> RunFolder:
    """Create, or open again, the run folder of a mix; it holds the experiment of one of the ingredients."""
    status = read_json(path / "status.json")
    if status is not None and status.get("digest") != digest:
        raise ExperimentError(f"{path} holds something else: another mix, or a run; choose another --output")
    method = opened.experiment.method
    folded = method is not None and method.fact("learns") != "all"
    portable, kept = with_kept_plugins(replace(opened.experiment, method=None if folded else method))
    return RunFolder.open(
        path,
        experiment_yaml=(opened.folder / "experiment.yaml").read_text(encoding="utf-8-sig"),
        resolved_yaml=to_yaml(portable),
        digest=digest,
        kept=kept,
    )


def account(folder: Path, name: str) -> Any:
    """How the mix in a folder came about."""
    return read_json(folder / "report" / f"{name}.json")


def complete(
    folder: RunFolder, opened: TrainedModel, runs: Sequence[Path], best: Candidate, name: str, said: Mapping[str, Any]
) -> None:
    """Write the best of a mix of runs into its folder, and how it came about into the report."""
    step = checkpoint.step_of(opened.checkpoint) or 0
    about = {**(read_json(opened.folder / MODEL_FILE) or {}), "mixed": name}
    checkpoint.save(folder.checkpoints, step, {"model": best.weights}, {"mixed": dict(said)}, about)
    folder.set_best(step)
    folder.write(MODEL_FILE, dumps(about, indent=1) + "\n")
    with storage_errors(f"cannot write {folder.path}"):
        if (opened.folder / ORIGIN_FOLDER).is_dir():
            make_inside(folder.path / ORIGIN_FOLDER)
            shutil.copytree(opened.folder / ORIGIN_FOLDER, folder.path / ORIGIN_FOLDER, dirs_exist_ok=True)
        if (opened.folder / SAMPLES_FILE).is_file():
            shutil.copyfile(opened.folder / SAMPLES_FILE, folder.path / SAMPLES_FILE)
        make_inside(folder.path / "report")
    if keys := trained_on_data(runs, opened.experiment, opened.portions["train"].samples):
        folder.write(EARLIER_FILE, to_csv(keys))
    folder.write(f"report/{name}.json", dumps(said, indent=1) + "\n")
    if opened.experiment.evaluate.thresholds is not None:
        thresholds.tune(open_run(folder.path, trust_plugins=True))
    folder.finish(step, {"step": step, "metrics": dict(best.values)})
