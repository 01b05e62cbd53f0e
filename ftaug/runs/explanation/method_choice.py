"""Choose the explainer of a run: the one with the best ROAD among those that depend on the weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import TypeAdapter

from ftaug.config.dump import to_plain
from ftaug.config.registry import Component, registry
from ftaug.config.schema import component_named
from ftaug.config.strict_json import dumps
from ftaug.engine.loading import seeds
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system import storage
from ftaug.engine.system.run_files import read_json
from ftaug.errors import BadData, ExperimentError, NotReached
from ftaug.runs.explanation import checks
from ftaug.runs.explanation.checks import Check, TestSample
from ftaug.runs.report import console

if TYPE_CHECKING:
    from ftaug.runs.explanation.explained_model import ExplainedModel
    from ftaug.runs.trained_model import TrainedModel

SAMPLES = 32
TIE = 0.02
"""Difference in ROAD, a share of probability, that says nothing about which method is better."""

RECORD = "report/explainers.json"
"""The checks of a run's explainers, which are reused while the weights are the same."""


@dataclass(frozen=True)
class MethodChoice:
    """The explainer to use, and the checks of all that were considered."""

    method: Component
    checks: Sequence[Check]

    @property
    def check(self) -> Check:
        """The check of the chosen method."""
        return next(check for check in self.checks if check.method == self.method.name)


def choose(opened: TrainedModel, model: ExplainedModel, method: Component | None) -> MethodChoice:
    """Check a method, or choose one; raises NotReached if it is refused, ExperimentError if it does not fit.

    Without a method every explainer of the modality is considered.
    """
    modality = opened.experiment.modality
    named = [method] if method else [component_named("explainer", n, modality) for n in registry("explainer", modality)]
    if not named:
        raise NotReached(f"there is no explainer for modality {modality} yet")
    tests = _Tests(opened, model)
    checked = [tests.check(component, compared=method is None) for component in named]
    usable = [pair for pair in zip(named, checked, strict=True) if not pair[1].refused]
    if usable:
        return MethodChoice(_best(usable), checked)
    if method and checked[0].correlation is None:
        raise ExperimentError(f"--method {method.name}: {checked[0].refused}; use --method auto")
    raise NotReached(*(f"{check.method}: {check.refused}" for check in checked))


def _best(usable: Sequence[tuple[Component, Check]]) -> Component:
    """Return the method with the highest ROAD; of those within TIE of it, the one with the sparsest maps."""
    highest = max(check.road or 0.0 for _, check in usable)
    tied = [pair for pair in usable if (pair[1].road or 0.0) >= highest - TIE]
    return max(tied, key=lambda pair: pair[1].sparseness or 0.0)[0]


def sentences(choice: MethodChoice) -> Iterable[str]:
    """Say which method was chosen and why, and why others were not considered."""
    others = [f"{c.method} {c.road:.2f}" for c in choice.checks if c.road is not None and c is not choice.check]
    beside = f"; {', '.join(others)}" if others else ""
    yield f"method: auto → {choice.method.name} (ROAD {choice.check.road or 0:.2f}{beside})"
    refused: dict[str, list[str]] = {}
    for check in choice.checks:
        if check.refused:
            refused.setdefault(check.refused, []).append(check.method)
    for reason, methods in refused.items():
        yield f"not considered: {', '.join(methods)}: {reason}"


class _Tests:
    """Checks of explainers on validation samples, those of the same weights from the run folder."""

    def __init__(self, opened: TrainedModel, model: ExplainedModel) -> None:
        self.opened, self.model = opened, model
        self.samples: list[TestSample] = []
        self.path = opened.folder / RECORD
        self.weights = model.digest()
        self.known = known_checks(self.path, self.weights)

    def check(self, method: Component, *, compared: bool) -> Check:
        """Return the check of a method, with its ROAD if wanted and not refused."""
        key = f"{method.name} {dumps(to_plain(method.settings))}" if method.settings else method.name
        known = self.known.get(key)
        check = known or checks.check_weights(method, self.model, self._drawn())
        if compared and check.road is None and not check.refused:
            check = checks.with_road(check, method, self.model, self._drawn(), self.opened)
        if check != known:
            self.known[key] = check
            self._write()
        return check

    def _drawn(self) -> list[TestSample]:
        if not self.samples:
            self.samples = draw_samples(self.opened, self.model)
            console.say(f"testing explainers on {len(self.samples)} samples, once for these weights")
        return self.samples

    def _write(self) -> None:
        content = {"weights": self.weights, "checks": {key: vars(check) for key, check in self.known.items()}}
        with storage.storage_errors(f"{self.path}: cannot be written"):
            self.path.parent.mkdir(exist_ok=True)
            storage.replace(self.path, f"{console.to_json(content)}\n".encode())


def known_checks(path: Path, weights: str) -> dict[str, Check]:
    """Read the checks that a run has of these weights; raises BadData."""
    try:
        record = read_json(path, {"weights": str, "checks": dict})
        if record is None or record["weights"] != weights:
            return {}
        return TypeAdapter(dict[str, Check]).validate_python(record["checks"])
    except (BadData, ValueError):
        raise BadData(f"{path}: is damaged; delete it, and the explainers are tested again") from None


def draw_samples(opened: TrainedModel, model: ExplainedModel) -> list[TestSample]:
    """Draw up to SAMPLES validation samples, else test or training samples, with the outputs that are predicted."""
    split = next(opened.splits[name] for name in ("val", "test", "train") if name in opened.splits)
    samples: list[TestSample] = []
    for position in _positions(opened, split):
        try:
            batch = opened.prepare([split.samples.read(int(split.ids[position]))]).to(opened.device.torch)
            inputs = model.inputs(batch)
        except BadData:  # evaluation reports it
            continue
        outputs = model.predict(inputs)[0]
        index = len(samples) % len(outputs) if opened.task.regression else int(outputs.argmax())
        samples.append(TestSample(inputs, index))
    if not samples:
        raise BadData(f"{opened.folder}: no sample of its data can be read, so explainers cannot be tested")
    return samples


def _positions(opened: TrainedModel, split: DataSplit) -> np.ndarray:
    rng = seeds.generator(opened.experiment.seed, "explain")
    return np.sort(rng.choice(len(split), min(SAMPLES, len(split)), replace=False))
