"""Explain the predictions for samples named on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ftaug.config.registry import Component
from ftaug.engine.loading.prepare import evaluation_preprocessing, modality_of
from ftaug.errors import ExperimentError, FtaugError, did_you_mean
from ftaug.interfaces.data import Input, Task
from ftaug.interfaces.explanation import Attribution, ExplainedOutput, Explanation
from ftaug.runs.prediction import Prediction
from ftaug.runs.report.predictions import form

if TYPE_CHECKING:
    from ftaug.runs.explanation.explained_model import ExplainedModel
    from ftaug.runs.trained_model import TrainedModel

TOLERANCE = 0.05
"""Completeness error from which steps are doubled, as a share of the change of the output."""

MOST_STEPS = 1024


def refined(method: Component, output: ExplainedOutput, sample: Any) -> Attribution:
    """Explain an output, doubling the setting that makes it exact while the completeness error is too large."""
    setting = method.fact("refined_by")
    while True:
        attribution: Attribution = method(output, sample)
        if setting is None or attribution.figures.get("completeness_error", 0.0) < TOLERANCE:
            return attribution
        doubled = 2 * method.settings[setting]
        if doubled > MOST_STEPS:
            return attribution
        method = replace(method, settings={**method.settings, setting: doubled})


def output_index(task: Task, name: str | None) -> int | None:
    """Return the index of a class or target; None without a name. Raises ExperimentError for an unknown one."""
    if name is None:
        return None
    if name not in task.classes:
        noun = "target" if task.regression else "class"
        raise ExperimentError(f"--class {name}: the run has no {noun} '{name}'{did_you_mean(name, task.classes)}")
    return task.classes.index(name)


@dataclass(frozen=True)
class Explainer:
    """A method, bound to the model of a run and to the output that is asked for."""

    opened: TrainedModel
    model: ExplainedModel
    method: Component
    index: int | None  # of the class or target; None: what is predicted

    def explain(self, inputs: Iterable[Input]) -> Iterator[Explanation | Prediction]:
        """Yield explanations of each input, lazily; for an unreadable one a `Prediction` with the error."""
        for source in inputs:
            try:
                raw = source.read()
                yield from self._explained(source.name, raw)
            except ExperimentError:
                raise
            except FtaugError as error:
                yield Prediction(source.name, error=str(error))

    def _explained(self, name: str, raw: Any) -> Iterator[Explanation]:
        opened = self.opened
        verbs = modality_of(opened.experiment)
        pipeline = verbs.pipeline((), evaluation_preprocessing(opened.experiment, opened.preprocessing))
        views = verbs.collate([verbs.prepare(raw, pipeline, None)[0]])
        logits = opened.predict_batch(views, 1)
        predicted = opened.probabilities(logits)[0]
        sample = self.model.inputs(opened.prepare([raw]).to(opened.device.torch))
        for index in self._outputs(predicted):
            attribution = refined(self.method, self.model.output(index), sample)
            facts = {
                "name": name,
                **form(opened.task, None).plain(Prediction(name, predicted, logits[0])),
                "explained": opened.task.classes[index],
                "output": float(predicted[index]),
                "method": self.method.name,
                **attribution.figures,
                **verbs.explanation.locate(raw, attribution, opened.preprocessing),
            }
            yield Explanation(
                name,
                raw,
                described(opened.task, predicted),
                _named(opened.task, predicted, index),
                self.method.name,
                attribution,
                facts,
            )

    def _outputs(self, predicted: np.ndarray) -> list[int]:
        """Return what is explained: the asked class, else all labels present or the top class, or all targets."""
        task = self.opened.task
        if self.index is not None:
            return [self.index]
        if task.regression:
            return list(range(len(task.classes)))
        present = np.flatnonzero(task.present(predicted)).tolist() if task.multi_label else []
        return present or [int(predicted.argmax())]


def described(task: Task, predicted: np.ndarray) -> str:
    """Describe a prediction: the class with its probability, the labels with theirs, or the numbers."""
    if task.regression:
        indices = list(range(len(task.classes)))
    elif task.multi_label:
        indices = np.flatnonzero(task.present(predicted)).tolist()
    else:
        indices = [int(predicted.argmax())]
    return "predicted " + (", ".join(_named(task, predicted, index) for index in indices) or "no label")


def _named(task: Task, predicted: np.ndarray, index: int) -> str:
    value = float(predicted[index])
    return f"{task.classes[index]} {value:.4g}" if task.regression else f"{task.classes[index]} ({value:.3f})"
