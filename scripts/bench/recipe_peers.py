"""What people run to fine-tune on a small set, each by its published recipe, on the same weights, pictures and size.

All labeled pictures are trained on, and the accuracy is that of the last weights on the test split. They compute in
bf16 where the processor has units for it, in channels_last, with as many threads as OMP_NUM_THREADS says.

- probe: logistic regression on pooled features of the pictures as they are, its penalty by 5-fold cross-validation.
- loop: PyTorch's tutorial on transfer learning: SGD with momentum, 1e-3, a tenth of it every 7 epochs, 25 epochs,
  random resized crop and flip; batches of 32. `tutorial` is the same with the tutorial's own batches of 4.
- timm: the defaults of timm's train.py (its transforms, SGD with Nesterov momentum, 0.1 for batches of 256 and in
  proportion for others, 5 epochs of warm-up, cosine, label smoothing 0.1) with dropout 0.2 and batches of 32.
- timm_adamw: the same with AdamW, 5e-4 and weight decay 0.05.
- fastai: fastai itself: vision_learner and fine_tune with base_lr 2e-3, one epoch of the head, then all layers at
  rates from a hundredth on, presized pictures and aug_transforms.
- trainer: the image classification example of transformers: its Trainer, AdamW, 5e-5, linear, batches of 8, 5 epochs.
- lp_ft: the probe's weights as the head, then all layers at a low rate (Kumar et al. 2022): AdamW, 1e-4, with the
  pretrained statistics of BatchNorm, which the probe saw; by SGD and with new ones it falls below the probe.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from picture_sets import BACKBONE, CROP, MEAN, STD
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torchvision import transforms

from ftaug.engine.system.device import choose

Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Task:
    """What is to be done: the folder has train/CLASS and test/CLASS."""

    folder: Path
    weights: Path
    size: int
    epochs: int
    seed: int

    def split(self, name: str) -> tuple[list[Image.Image], torch.Tensor]:
        """The decoded pictures of a split and their classes."""
        classes = sorted(path.name for path in (self.folder / "train").iterdir())
        files = [
            (file, code)
            for code, label in enumerate(classes)
            for file in sorted((self.folder / name / label).iterdir())
        ]
        return [Image.open(file).convert("RGB") for file, _ in files], torch.tensor([code for _, code in files])

    @property
    def classes(self) -> int:
        return sum(1 for _ in (self.folder / "train").iterdir())

    def model(self, **settings: Any) -> nn.Module:
        """The pretrained network with a new head."""
        model: nn.Module = timm.create_model(BACKBONE, num_classes=self.classes, **settings)
        state = {key: tensor for key, tensor in load_file(self.weights).items() if not key.startswith("classifier.")}
        missing, unexpected = model.load_state_dict(state, strict=False)
        if unexpected or set(missing) != {"classifier.weight", "classifier.bias"}:
            raise SystemExit(f"{self.weights} does not fit {BACKBONE}: {missing} {unexpected}")
        return model.to(memory_format=torch.channels_last)

    @property
    def evaluation(self) -> Callable[[Image.Image], torch.Tensor]:
        """The preprocessing that the weights expect, as timm has it."""
        resize = transforms.Resize(int(self.size / CROP), transforms.InterpolationMode.BICUBIC)
        return transforms.Compose([resize, transforms.CenterCrop(self.size), *FINISH])

    @property
    def cropping(self) -> Callable[[Image.Image], torch.Tensor]:
        """Random resized crop and flip, torchvision's defaults."""
        return transforms.Compose([transforms.RandomResizedCrop(self.size), transforms.RandomHorizontalFlip(), *FINISH])

    def precision(self) -> Any:
        """bf16 where ftaug would choose it."""
        return choose("cpu", "auto").autocast()

    def outputs(self, run: Callable[[torch.Tensor], torch.Tensor], pictures: list[Image.Image]) -> torch.Tensor:
        """What a network in evaluation mode gives for the pictures."""
        transform = self.evaluation
        with torch.inference_mode(), self.precision():
            parts = [pictures[start : start + 32] for start in range(0, len(pictures), 32)]
            return torch.cat([run(stacked([transform(one) for one in part])).float() for part in parts])


FINISH = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]


def autocast() -> Any:
    """bf16 where ftaug would choose it."""
    return choose("cpu", "auto").autocast()


def batches(pictures: list[Image.Image], labels: torch.Tensor, size: int, transform: Any) -> Iterator[Batch]:
    """An epoch of transformed batches in random order; a single picture left over is dropped, because of BatchNorm."""
    for chosen in torch.randperm(len(labels)).split(size):
        if len(chosen) > 1:
            yield stacked([transform(pictures[index]) for index in chosen]), labels[chosen]


def stacked(pictures: list[torch.Tensor]) -> torch.Tensor:
    return torch.stack(pictures).contiguous(memory_format=torch.channels_last)


def accuracy(task: Task, model: nn.Module) -> float:
    """The share of the test split that is right."""
    pictures, labels = task.split("test")
    return (task.outputs(model.eval(), pictures).argmax(1) == labels).double().mean().item()


def with_frozen_statistics(model: nn.Module) -> None:
    """Train mode, but for the statistics of BatchNorm."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def train(
    task: Task,
    model: nn.Module,
    optimizer: Any,
    rate_at: Any,
    batch: int,
    transform: Any,
    loss: nn.Module,
    set_mode: Callable[[nn.Module], object] = nn.Module.train,
) -> None:
    """Train for the epochs; `rate_at(done)` is the factor of every rate, with the epochs that are done."""
    pictures, labels = task.split("train")
    peaks = [group["lr"] for group in optimizer.param_groups]
    set_mode(model)
    steps = max(1, -(-len(labels) // batch))
    for epoch in range(task.epochs):
        for step, (inputs, targets) in enumerate(batches(pictures, labels, batch, transform)):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * rate_at(epoch + step / steps)
            with task.precision():
                logits = model(inputs)
            optimizer.zero_grad()
            loss(logits.float(), targets).backward()
            optimizer.step()


# recipes: each returns the accuracy and its settings


def pooled(task: Task, model: nn.Module, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Features before the head, of the pictures as they are."""
    pictures, labels = task.split(split)
    model.eval()
    network: Any = model
    found = task.outputs(lambda x: network.forward_head(network.forward_features(x), pre_logits=True), pictures)
    return found.numpy(), labels.numpy()


def logistic(inputs: np.ndarray, targets: np.ndarray) -> tuple[Any, float]:
    """Logistic regression, with the penalty that does best in cross-validation."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    folds = StratifiedKFold(max(2, min(5, int(np.bincount(targets).min()))), shuffle=True, random_state=0)
    penalties = {"C": [10.0**power for power in range(-4, 3)]}
    search = GridSearchCV(LogisticRegression(max_iter=2000), penalties, cv=folds).fit(inputs, targets)
    return search.best_estimator_, search.best_params_["C"]


def probe(task: Task) -> tuple[float, dict[str, Any]]:
    model = task.model()
    regression, penalty = logistic(*pooled(task, model, "train"))
    return float(regression.score(*pooled(task, model, "test"))), {"C": penalty}


def loop(task: Task, batch: int = 32) -> tuple[float, dict[str, Any]]:
    model = task.model()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    train(task, model, optimizer, lambda done: 0.1 ** (int(done) // 7), batch, task.cropping, nn.CrossEntropyLoss())
    return accuracy(task, model), {"optimizer": "sgd", "lr": 1e-3, "batch": batch, "schedule": "0.1 every 7 epochs"}


def tutorial(task: Task) -> tuple[float, dict[str, Any]]:
    return loop(task, batch=4)


def by_timm(task: Task, name: str = "sgd", rate: float = 0.1 * 32 / 256, decay: float = 2e-5) -> tuple[float, Any]:
    from timm.data import create_transform
    from timm.loss import LabelSmoothingCrossEntropy
    from timm.optim import create_optimizer_v2

    model = task.model(drop_rate=0.2)
    transform = create_transform(task.size, is_training=True, color_jitter=0.4, mean=MEAN, std=STD)
    optimizer = create_optimizer_v2(model, name, lr=rate, weight_decay=decay, momentum=0.9)
    warm = min(5, task.epochs / 4)

    def rate_at(done: float) -> float:
        cosine = 0.5 * (1 + np.cos(np.pi * done / task.epochs))
        return float(max(1e-3, done / warm) if done < warm else cosine)

    train(task, model, optimizer, rate_at, 32, transform, LabelSmoothingCrossEntropy(0.1))
    settings = {"optimizer": name, "lr": rate, "weight_decay": decay, "batch": 32, "warmup": warm, "drop": 0.2}
    return accuracy(task, model), settings


def timm_adamw(task: Task) -> tuple[float, dict[str, Any]]:
    return by_timm(task, "adamw", 5e-4, 0.05)


def lp_ft(task: Task) -> tuple[float, dict[str, Any]]:
    model = task.model()
    regression, penalty = logistic(*pooled(task, model, "train"))
    head: Any = model.get_submodule("classifier")
    with torch.no_grad():
        if task.classes > 2:
            head.weight.copy_(torch.from_numpy(regression.coef_))
            head.bias.copy_(torch.from_numpy(regression.intercept_))
        else:
            head.weight.copy_(torch.from_numpy(np.concatenate([-regression.coef_, regression.coef_]) / 2))
            head.bias.copy_(torch.from_numpy(np.concatenate([-regression.intercept_, regression.intercept_]) / 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)

    def rate_at(done: float) -> float:
        return float(0.5 * (1 + np.cos(np.pi * done / task.epochs)))

    train(task, model, optimizer, rate_at, 32, task.cropping, nn.CrossEntropyLoss(), with_frozen_statistics)
    return accuracy(task, model), {"C": penalty, "optimizer": "adamw", "lr": 1e-4, "batch": 32, "schedule": "cosine"}


def by_fastai(task: Task) -> tuple[float, dict[str, Any]]:
    from fastai.vision.all import Callback, ImageDataLoaders, Normalize, Resize, aug_transforms

    torch.set_default_device("cpu")
    count = sum(1 for _ in (task.folder / "train").glob("*/*"))
    batch = min(64, max(8, count // 4))
    loaders = ImageDataLoaders.from_folder(
        task.folder,
        train="train",
        valid="test",
        bs=batch,
        num_workers=0,
        item_tfms=Resize(2 * task.size),
        batch_tfms=[*aug_transforms(size=task.size, min_scale=0.75), Normalize.from_stats(MEAN, STD)],
    )

    class LowPrecision(Callback):
        """The network in bf16, as MixedPrecision has it for CUDA alone."""

        def before_batch(self) -> None:
            self.context = autocast()
            self.context.__enter__()

        def after_pred(self) -> None:
            self.learn.pred = self.pred.float()
            self.context.__exit__(None, None, None)

    learner = fastai_learner(task, loaders)
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(task.epochs, cbs=[LowPrecision(), no_validation()])
        predictions, targets = learner.get_preds(dl=loaders.valid, cbs=[LowPrecision()])
    right = (predictions.argmax(1) == targets).double().mean().item()
    return right, {"base_lr": 2e-3, "freeze_epochs": 1, "batch": batch}


def fastai_learner(task: Task, loaders: Any, **settings: Any) -> Any:
    """fastai's learner, its own head on the pretrained network."""
    from fastai.vision.all import vision_learner

    learner = vision_learner(loaders, BACKBONE, pretrained=False, normalize=False, **settings)
    state = {key: tensor for key, tensor in load_file(task.weights).items() if not key.startswith("classifier.")}
    learner.model[0].model.load_state_dict(state)
    learner.model.to(memory_format=torch.channels_last)
    return learner


def no_validation() -> Any:
    """A callback against an evaluation after every epoch, for the test split is there to be looked at once."""
    from fastai.vision.all import Callback, CancelValidException

    class NoValidation(Callback):  # type: ignore[misc]
        def before_validate(self) -> None:
            raise CancelValidException

    return NoValidation()


class WithLoss(nn.Module):
    """A network as the Trainer calls it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        with autocast():
            logits = self.model(pixel_values.contiguous(memory_format=torch.channels_last))
        return {"loss": nn.functional.cross_entropy(logits.float(), labels), "logits": logits}


class Transformed(torch.utils.data.Dataset[dict[str, Any]]):
    """Pictures in memory, transformed when they are read."""

    def __init__(self, task: Task) -> None:
        self.pictures, self.labels = task.split("train")
        self.transform = task.cropping

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"pixel_values": self.transform(self.pictures[index]), "labels": self.labels[index]}


def by_trainer(task: Task) -> tuple[float, dict[str, Any]]:
    from transformers import Trainer

    model = task.model()
    Trainer(WithLoss(model), arguments(task.epochs, task.seed, 8), train_dataset=Transformed(task)).train()
    return accuracy(task, model), {"optimizer": "adamw", "lr": 5e-5, "batch": 8, "schedule": "linear"}


def arguments(epochs: int, seed: int, batch: int, **others: Any) -> Any:
    """The Trainer's defaults (AdamW, 5e-5, linear, no warm-up) but for `others`, without its files and its bar."""
    from transformers import TrainingArguments

    return TrainingArguments(
        **others,
        output_dir=str(Path(tempfile.gettempdir(), "ftaug-recipes-trainer")),
        per_device_train_batch_size=batch,
        num_train_epochs=epochs,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        seed=seed,
        use_cpu=True,
    )


PEERS: dict[str, tuple[Callable[[Task], tuple[float, dict[str, Any]]], int]] = {
    "probe": (probe, 1),
    "loop": (loop, 25),
    "tutorial": (tutorial, 25),
    "timm": (by_timm, 50),
    "timm_adamw": (timm_adamw, 30),
    "fastai": (by_fastai, 10),
    "trainer": (by_trainer, 5),
    "lp_ft": (lp_ft, 20),
}
"""Each with the epochs that are published for it, or that its users choose where it has none."""
