"""Average the weights of several runs, keeping those that improve validation. Wortsman et al. 2022."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftaug.errors import ExperimentError
from ftaug.runs import weight_mixing
from ftaug.runs.earlier_samples import overlapping
from ftaug.runs.initial_weights import weights_of
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.trained_model import TrainedModel
from ftaug.runs.weight_mixing import Candidate, Weights

ALL = "all of them"


@dataclass
class Soup:
    """Search a model soup; memory holds the weights of one run and at most two means at any time."""

    host: TrainedModel
    runs: Sequence[Path]
    trust_plugins: bool
    rows: list[dict[str, Any]] = field(default_factory=list)

    def best_soup(self) -> tuple[Candidate, dict[str, Any]]:
        """Return the better of the greedy soup and the mean of all runs, with a report of all candidates."""
        with ProgressBar(2 * len(self.runs), 0, unit="mix") as progress_bar:
            order, every, norms = self._alone(progress_bar)
            best, members = self._greedy(order, norms, progress_bar)
            if not any(row["soup"] == ALL for row in self.rows):
                candidates = weight_mixing.evaluate_weights(self.host, every, norms)
                better = _best(candidates).rank > best.rank
                self._note(ALL, candidates, better)
                best, members = (_best(candidates), order) if better else (best, members)
        return best, {"ingredients": [str(run) for run in members], "norms": best.norms, "rows": self.rows}

    def _alone(self, progress_bar: ProgressBar) -> tuple[list[Path], Weights, list[str]]:
        """Evaluate each run; return the runs best first, their mean, and BatchNorms with differing statistics."""
        ranks: dict[Path, tuple[float, float]] = {}
        first = every = weights_of(self.host)
        norms: list[str] = []
        for count, run in enumerate(self.runs):
            weights = first if count == 0 else self._weights(run)
            norms += [name for name in weight_mixing.differing_norms(self.host, first, weights) if name not in norms]
            every = weight_mixing.mean(every, weights, count)
            candidates = weight_mixing.evaluate_weights(self.host, weights)
            ranks[run] = candidates[0].rank
            self._note(str(run), candidates, in_soup=False)
            progress_bar.advance()
            progress_bar.status(str(run))
        return sorted(self.runs, key=lambda run: ranks[run], reverse=True), every, norms

    def _greedy(
        self, order: Sequence[Path], norms: Sequence[str], progress_bar: ProgressBar
    ) -> tuple[Candidate, list[Path]]:
        """Greedy soup: start with the best run and add each one that does not lower the score of the mean."""
        mean = self._weights(order[0])
        (best,) = weight_mixing.evaluate_weights(self.host, mean)
        members = [order[0]]
        for run in order[1:]:
            tried = weight_mixing.mean(mean, self._weights(run), len(members))
            candidates = weight_mixing.evaluate_weights(self.host, tried, norms)
            better = _best(candidates).rank[0] >= best.rank[0]
            if better:
                best, mean, members = _best(candidates), tried, [*members, run]
            tried_all = len(members) + (not better) == len(self.runs)
            self._note(ALL if tried_all else f"the mean with {run}", candidates, better)
            progress_bar.advance()
            progress_bar.status(f"the mean with {run}")
        return best, members

    def _weights(self, run: Path) -> Weights:
        if run == self.runs[0]:
            return weights_of(weight_mixing.open_ingredient(run, trust_plugins=self.trust_plugins))
        opened = weight_mixing.open_ingredient(run, trust_plugins=self.trust_plugins)
        _require_alike(self.host, opened)
        return weights_of(opened)

    def _note(self, name: str, candidates: Sequence[Candidate], in_soup: bool) -> None:
        for candidate in candidates:
            row = {"soup": name, "norms": candidate.norms, "metrics": dict(candidate.values)}
            self.rows.append({**row, "kept": in_soup and candidate is _best(candidates)})


def _best(candidates: Sequence[Candidate]) -> Candidate:
    return max(candidates, key=lambda candidate: candidate.rank)


def _require_alike(first: TrainedModel, other: TrainedModel) -> None:
    """Raise ExperimentError if two runs cannot be averaged, or have no common validation samples to choose by."""
    here, there = first.experiment, other.experiment
    ours, theirs = (
        {name: tensor.shape for name, tensor in run.model.network.state_dict().items()} for run in (first, other)
    )
    if here.modality != there.modality or here.backbone.name != there.backbone.name or ours != theirs:
        raise ExperimentError(
            f"{other.folder}: its network, {there.backbone.name}, does not have the shape of that of {first.folder}, "
            f"{here.backbone.name}: their weights cannot be averaged; use runs of one network"
        )
    for name, wanted, actual in (
        ("classes", first.task, other.task),
        ("preprocessing", first.preprocessing, other.preprocessing),
        ("kind of loss", first.activation, other.activation),
    ):
        if wanted != actual:
            raise ExperimentError(f"{other.folder}: its {name} is not that of {first.folder}; use runs of one task")
    if first.splits["val"].fingerprint != other.splits["val"].fingerprint:
        raise ExperimentError(
            f"{other.folder}: its validation samples are not those of {first.folder}, so that each may be trained on "
            "validation samples of the other; train them with the same seed, or give them a data.val of its own"
        )
    if overlaps := overlapping(other.folder, here, first.splits):
        raise ExperimentError(
            f"{'; '.join(map(str, overlaps))} are held out by {first.folder} and among those that {other.folder} was "
            "trained on; train them with the same seed, or give them a data.val and data.test of their own"
        )
