"""Load a trained model from a run folder: its experiment, best weights and data splits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from ftaug.config.dump import to_plain
from ftaug.config.experiment import Experiment
from ftaug.engine.loading.batches import PreparedDataset
from ftaug.engine.loading.data_record import RecordedData
from ftaug.engine.loading.prepare import evaluation_preprocessing, modality_of, prepare_split, training_length
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.workers import processes
from ftaug.engine.system import checkpoint
from ftaug.engine.system import device as devices
from ftaug.engine.system.device import Device
from ftaug.engine.system.ranks import ALONE, Ranks
from ftaug.engine.system.run_files import MODEL_FILE, read_json
from ftaug.engine.training import evaluate, unfreeze
from ftaug.engine.training.activated_model import ActivatedModel
from ftaug.engine.training.build import bind_loss, build_model, place_model
from ftaug.engine.training.peft import adapt, adapter_of
from ftaug.engine.training.state import Model
from ftaug.engine.training.target_scaling import TargetScaler, fold, in_fp32, scale_from
from ftaug.errors import BadData, ExperimentError, MissingInput, as_known
from ftaug.experiment_file import load
from ftaug.interfaces.data import Input, Task
from ftaug.interfaces.export import Bundle, Reading
from ftaug.interfaces.model import Adapter, Construction, Stage
from ftaug.runs import thresholds
from ftaug.runs.calibration_file import Calibration
from ftaug.runs.export.calibration import CalibrationSamples
from ftaug.runs.export.provenance import provenance
from ftaug.runs.prediction import Prediction, predict
from ftaug.runs.report import console

PrepareSplit = Callable[[DataSplit], PreparedDataset]


@dataclass
class TrainedModel:
    """A trained run with its best checkpoint loaded."""

    folder: Path
    experiment: Experiment
    checkpoint: Path
    task: Task
    activation: str
    preprocessing: dict[str, Any]
    class_counts: np.ndarray
    train_samples: int
    scale: TargetScaler | None  # of the regression targets
    model: Model  # on the device, in eval mode
    device: Device
    save: Callable[[Path], None] | None = None  # save the network in its library's own format
    construction: Construction | None = None
    calibration: Calibration | None = None  # of the probabilities
    stages: tuple[Stage, ...] = ()  # of the network, from stem to head
    ranks: Ranks = ALONE  # the processes that share the work, and have the same results

    def shared_by(self, ranks: Ranks) -> Self:
        """Return the model with its predictions shared by several processes."""
        return replace(self, ranks=ranks)

    @cached_property
    def splits(self) -> Mapping[str, DataSplit]:
        """The data splits of the run by name, with the classes of training."""
        return recorded_data(self.folder, self.experiment, self.task)

    def select_split(self, name: str | None) -> DataSplit:
        """Return the split to evaluate on: the one named, else `test`, else `val`; raises ExperimentError."""
        names = [name] if name else ["test", "val"]
        for purpose in names:
            if purpose in self.splits:
                return self.splits[purpose]
        raise ExperimentError(
            f"{self.folder}: the experiment has no data.{' and no data.'.join(names)}; add one or use --split train"
        )

    def logits(self, split: DataSplit, prepare: PrepareSplit | None = None) -> np.ndarray:
        """Predict the logits of a data split: float32 (n, classes); in regression the predicted numbers, float64.

        `prepare` builds the dataset of model inputs, by default that of `evaluate.tta`.
        """
        data = (prepare or self._prepare_views)(split)
        logits = evaluate.predict_all(self.model, data, self.batch_size, self.device, self.workers, ranks=self.ranks)
        assert logits is not None
        return logits

    def _prepare_views(self, split: DataSplit) -> PreparedDataset:
        preprocessing = evaluation_preprocessing(self.experiment, self.preprocessing)
        return prepare_split(self.experiment, split, (), preprocessing)

    def prepare_single_view(self, split: DataSplit) -> PreparedDataset:
        """Build the dataset of a split without test-time augmentation."""
        return prepare_split(self.experiment, split, (), self.preprocessing)

    def compute_metrics(self, logits: np.ndarray, split: DataSplit) -> evaluate.Measurement:
        """Compute the experiment's loss and metrics from logits (n, classes) of a data split.

        Metrics are those of calibrated probabilities, the loss that of the logits, as in training.
        """
        loss = bind_loss(self.experiment, self.class_counts, self.train_samples, self.scale)
        predictions = self.probabilities(logits)
        return evaluate.compute_metrics(self.experiment, logits, predictions, split.targets, self.task, loss)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Turn logits (n, classes) into probabilities, calibrated if the run is; numbers of a regression stay."""
        if self.calibration is not None:
            return self.calibration.probabilities(logits, self.activation)
        return evaluate.probabilities(logits, self.activation)

    def prepare(self, raw: Sequence[Any]) -> torch.Tensor:
        """Preprocess and collate raw samples into a batch, as in evaluation."""
        verbs = modality_of(self.experiment)
        pipeline = verbs.pipeline((), self.preprocessing)
        return verbs.collate([verbs.prepare(sample, pipeline, None)[0] for sample in raw])

    @torch.inference_mode()
    def predict_batch(self, batch: torch.Tensor, samples: int) -> np.ndarray:
        """Predict logits, in regression numbers, averaged over the views of each sample: (samples, classes)."""
        with self.device.autocast():
            logits = self.model(batch.to(self.device.torch))
        return evaluate.over_views(evaluate.at_least_float32(logits), samples).cpu().numpy()

    def predict(self, samples: Iterable[Any]) -> np.ndarray:
        """Predict samples in memory, images as uint8 (H, W, 3) or texts: probabilities (n, classes).

        In regression the predicted numbers. Raises BadData for the first invalid sample.
        """
        modality, train = modality_of(self.experiment), self.experiment.data.train
        raw = (Input(f"sample {i}", partial(modality.as_raw, sample, train)) for i, sample in enumerate(samples))
        return self._stacked(predict(self, raw))

    def predict_files(self, paths: Iterable[str | Path]) -> np.ndarray:
        """Predict files and folders as `ftaug predict` does: probabilities (n, classes), in regression numbers.

        Raises BadData for the first unreadable file, MissingInput.
        """
        inputs = modality_of(self.experiment).inputs([str(path) for path in paths], self.experiment.data.train)
        return self._stacked(predict(self, inputs))

    def _stacked(self, predictions: Iterable[Prediction]) -> np.ndarray:
        """Stack predictions (n, classes); raises BadData for the first that failed."""
        rows: list[np.ndarray] = []
        for prediction in predictions:
            if prediction.output is None:
                raise BadData(f"{prediction.name}: {prediction.error}")
            rows.append(prediction.output)
        return np.stack(rows) if rows else np.empty((0, len(self.task.classes)), np.float32)

    def note_precision(self) -> None:
        """Print a note on stderr if predictions are not computed in fp32, as exports are."""
        if self.device.precision != "fp32":
            console.say(f"{self.folder}: predictions are computed in {self.device.precision} (evaluate.precision)")

    @property
    def batch_size(self) -> int:
        """Batch size for inference: `evaluate.batch_size`, else `data.batch_size`."""
        return self.experiment.evaluate.batch_size or self.experiment.data.batch_size

    @property
    def workers(self) -> int:
        """Number of data loading processes."""
        return processes(self.experiment.data.workers)

    def bundle(self, example: torch.Tensor) -> Bundle:
        """Build an exporter's input: the model on the CPU in fp32, the target scale in its last layer if possible."""
        model = in_fp32(self.model)
        scaler = self.scale
        if scaler is not None and fold(model.network, scaler, model.normalizer(example)):
            model.units, scaler = torch.nn.Identity(), None
        calibration = None if self.calibration is None else self.calibration.facts
        export_signature = modality_of(self.experiment).export_signature(
            model,
            self.preprocessing,
            partial(ActivatedModel, activation=self.activation, calibration=calibration),
        )
        description = (self.task, self.activation, self.preprocessing, self.experiment.name)
        scale = None if scaler is None else {"mean": scaler.mean, "std": scaler.std}
        return Bundle(
            model,
            example,
            *description,
            export_signature,
            self.save,
            scale,
            self._adapter(),
            ordered=self.experiment.loss.fact("ordered"),
            provenance=self.provenance(),
            reading=self.reading(),
            training_samples=self.training_samples,
            construction=self.construction,
            calibration=calibration,
        )

    def training_samples(self, count: int) -> CalibrationSamples:
        """Draw at most `count` training samples, always the same ones; raises MissingInput, BadData."""
        return CalibrationSamples.drawn(self.splits["train"], count, self.experiment.seed, self.prepare)

    def reading(self) -> Reading:
        """Describe how other programs read and preprocess samples, for the metadata of an export."""
        return modality_of(self.experiment).reading(self.preprocessing, self.experiment.data.train)

    def provenance(self) -> dict[str, Any]:
        """Describe the model's origin (network, weights, checkpoint, data) for the metadata of an export."""
        return provenance(self, read_json(self.folder / MODEL_FILE) or {})

    def _adapter(self) -> Adapter | None:
        """Return the trained PEFT adapter of the run without the base weights; None if it has none."""
        backbone, model = build_model(self.experiment, self.task, self.scale)
        method = adapt(backbone, self.experiment)
        if not method.parameters:
            return None
        load_weights(model.network, _weights(self.checkpoint), self.checkpoint)
        length = training_length(self.experiment, self.train_samples)
        plan = unfreeze.plan(backbone, self.experiment, length, method.parameters)
        return adapter_of(model, plan, length, to_plain(self.experiment.method, path=lambda file: file.name))


def recorded_data(folder: Path, experiment: Experiment, task: Task | None = None) -> RecordedData:
    """Load the recorded data splits of a run with its task; raises BadData if none were recorded."""
    facts = read_json(folder / MODEL_FILE)
    if facts is None or "data" not in facts:
        raise BadData(f"{folder}: its training samples are unknown; train it again with --fresh")
    if "data_task" in facts:  # the objective has outputs of its own
        task = Task(**{**facts["data_task"], "classes": tuple(facts["data_task"]["classes"])})
    return RecordedData(folder, experiment.data, task or _task(folder, facts), facts["data"])


def _task(folder: Path, facts: Mapping[str, Any]) -> Task:
    classes = tuple(facts["classes"])
    return Task(classes, facts["multi_label"], facts.get("regression", False), thresholds.read(folder, classes))


def load_experiment(folder: Path, *, trust_plugins: bool = False) -> Experiment:
    """Load the experiment of a single run and import its plugins; raises MissingInput, ExperimentError."""
    _check_run_folder(folder)
    facts = read_json(folder / MODEL_FILE) or {}
    return load(folder / "resolved.yaml", facts.get("built_from", []), trust_plugins=trust_plugins)


def _check_run_folder(folder: Path) -> None:
    if not (folder / "resolved.yaml").is_file():
        raise MissingInput(f"{folder}: not a run folder (no resolved.yaml); `ftaug train` prints the folder it writes")


def open_single_run(folder: Path, device: str = "auto", *, trust_plugins: bool = False) -> TrainedModel:
    """Load the model of a single run with its best checkpoint, else its newest; raises MissingInput, BadData."""
    _check_run_folder(folder)
    facts = read_json(folder / MODEL_FILE)
    chosen, weights = best_weights(folder)
    if facts is None:
        raise MissingInput(f"{folder}: has no {MODEL_FILE}; run `ftaug train` on its experiment first")
    experiment = load_experiment(folder, trust_plugins=trust_plugins)
    task = _task(folder, facts)
    scale = scale_from(facts.get("target_mean"), facts.get("target_std"))
    chosen_device = devices.choose_for_evaluation(device, experiment)
    devices.prepare_process(chosen_device)
    backbone, model = build_model(experiment, task, scale)
    method = adapt(backbone, experiment)
    load_weights(model.network, weights, chosen)
    method.merge()
    return TrainedModel(
        folder=folder,
        experiment=experiment,
        checkpoint=chosen,
        task=task,
        activation=facts["activation"],
        preprocessing=facts["preprocessing"],
        class_counts=np.array(facts["class_counts"], np.int64),
        train_samples=facts.get("train_samples", sum(facts["class_counts"])),
        scale=scale,
        model=place_model(model, chosen_device).eval(),
        device=chosen_device,
        save=backbone.save,
        construction=backbone.construction,
        stages=backbone.stages,
    )


def best_weights(folder: Path) -> tuple[Path, dict[str, torch.Tensor]]:
    """Load the weights of a run's best checkpoint, else its newest; raises MissingInput, BadData.

    A run that is still training may delete the checkpoint after `best` was resolved and before it is read; `best` then
    points to another one, so try again.
    """
    while True:
        chosen = checkpoint.best(folder) or checkpoint.newest(folder / "checkpoints")
        if chosen is None:
            raise MissingInput(f"{folder}: has no checkpoint yet; run `ftaug train` on its experiment first")
        try:
            return chosen, _weights(chosen)
        except BadData:
            if chosen.exists():
                raise
            if (checkpoint.best(folder) or chosen) == chosen:
                raise MissingInput(
                    f"{folder}: the checkpoint {chosen.name} is missing; restore it, or delete the link `best` "
                    "to take the newest checkpoint"
                ) from None


def load_weights(network: torch.nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Load a checkpoint's state dict into a network; raises BadData if names or shapes do not match."""
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        if as_known(error):  # out of memory
            raise
        reason = str(error).strip().splitlines()[-1].strip()
        raise BadData(
            f"{path}: does not fit the network that {MODEL_FILE} and resolved.yaml describe: {reason}"
        ) from None


def _weights(path: Path) -> dict[str, torch.Tensor]:
    """Load the weights of a checkpoint: averaged weights (EMA, SWA) if present, else the model's."""
    tensors, _ = checkpoint.load(path)
    return tensors.get("ema") or tensors["model"]
