"""The same fine-tuning as users of other tools run it: photos/train, measured on photos/test after every epoch.

Every contender has the same network and starting weights, AdamW, constant rate, batches of 32, RandomResizedCrop and
flip, two data workers, and freezes what does not learn. Each returns the last accuracy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
BATCH, RATE, WORKERS, CLASSES = 32, 1e-3, 2, 6


@dataclass(frozen=True)
class Network:
    """A network as torchvision or timm has it."""

    make: Callable[[], nn.Module]
    head: str
    last: tuple[str, ...]  # the last stage, and what stands between it and the head
    adapted: str  # the layers that LoRA changes, as peft matches them


def _resnet18() -> nn.Module:
    from torchvision.models import resnet18

    return resnet18(num_classes=CLASSES)


def _vit() -> nn.Module:
    import timm

    model: nn.Module = timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES)
    return model


NETWORKS = {
    "resnet18": Network(_resnet18, "fc", ("layer4",), r"layer\d\.\d\.conv\d"),
    "vit_tiny": Network(_vit, "head", ("blocks.11", "norm"), r"blocks\.\d+\.(attn\.(qkv|proj)|mlp\.fc\d)"),
}


@dataclass(frozen=True)
class Task:
    """What is to be done."""

    folder: Path
    network: Network
    what: str  # head, last, all or lora
    epochs: int
    seed: int
    device: str

    def model(self) -> tuple[nn.Module, list[nn.Module]]:
        """The network with all but what learns frozen, and the modules that are trained as such."""
        torch.manual_seed(self.seed)
        model = self.network.make()
        model.load_state_dict(torch.load(self.folder / "start.pth"), strict=False)
        if self.what == "all":
            return model.to(self.device), [model]
        if self.what == "lora":
            import peft

            settings = peft.LoraConfig(
                r=8, lora_alpha=16, target_modules=self.network.adapted, modules_to_save=[self.network.head]
            )
            adapted = peft.get_peft_model(model, settings)  # type: ignore[arg-type]
            return adapted.to(self.device), []
        learning = [self.network.head, *(self.network.last if self.what == "last" else ())]
        model.requires_grad_(False)
        for name in learning:
            model.get_submodule(name).requires_grad_(True)
        return model.to(self.device), [model.get_submodule(name) for name in learning]


def mode(model: nn.Module, learning: list[nn.Module]) -> None:
    """What learns into training mode, what is frozen out of it."""
    model.eval()
    for module in learning:
        module.train()


def datasets() -> tuple[Any, Any]:
    """torchvision's transforms for training and for measuring."""
    from torchvision.transforms import v2

    finish = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
    train = v2.Compose([v2.ToImage(), v2.RandomResizedCrop(224), v2.RandomHorizontalFlip(), *finish])
    return train, v2.Compose([v2.ToImage(), v2.Resize(256), v2.CenterCrop(224), *finish])


def folders(task: Task) -> list[Any]:
    from torchvision.datasets import ImageFolder

    return [
        ImageFolder(str(task.folder / "photos" / split), transform)
        for split, transform in zip(("train", "test"), datasets(), strict=True)
    ]


def by_hand(task: Task) -> float:
    """A loop as tutorials show it, in fp32."""
    train, test = folders(task)
    loader = DataLoader(train, BATCH, shuffle=True, num_workers=WORKERS)
    measured = DataLoader(test, BATCH, num_workers=WORKERS)
    return _loop(task, loader, measured)


def by_timm(task: Task) -> float:
    """The parts of timm's train.py: its dataset, loader, transforms and optimizer."""
    from timm.data import create_dataset, create_loader
    from timm.optim import create_optimizer_v2

    loaders = []
    for split in ("train", "test"):
        training = split == "train"
        loaders.append(
            create_loader(
                create_dataset("", root=str(task.folder / "photos" / split), is_training=training),
                input_size=(3, 224, 224),
                batch_size=BATCH,
                is_training=training,
                use_prefetcher=task.device == "cuda",
                color_jitter=None,
                interpolation="bilinear",
                mean=tuple(MEAN),
                std=tuple(STD),
                num_workers=WORKERS,
                crop_pct=0.875,
                persistent_workers=True,
                device=torch.device(task.device),
            )
        )
    return _loop(task, *loaders, optimizer=lambda model: create_optimizer_v2(model, "adamw", lr=RATE, weight_decay=0.0))


def _loop(task: Task, train: Any, test: Any, optimizer: Callable[[nn.Module], Any] | None = None) -> float:
    model, learning = task.model()
    learnable = [p for p in model.parameters() if p.requires_grad]
    stepper = optimizer(model) if optimizer else torch.optim.AdamW(learnable, lr=RATE)
    criterion = nn.CrossEntropyLoss()
    right = 0
    for _ in range(task.epochs):
        mode(model, learning)
        for images, labels in train:
            loss = criterion(model(images.to(task.device)), labels.to(task.device))
            stepper.zero_grad()
            loss.backward()
            stepper.step()
        model.eval()
        with torch.no_grad():
            right = sum(
                int((model(images.to(task.device)).argmax(1) == labels.to(task.device)).sum())
                for images, labels in test
            )
    return right / len(test.dataset)


class _WithLoss(nn.Module):
    """A network as the Trainer calls it."""

    def __init__(self, model: nn.Module, learning: list[nn.Module]) -> None:
        super().__init__()
        self.model = model
        self.learning = learning

    def train(self, on: bool = True) -> "_WithLoss":
        super().train(on)
        if on:
            mode(self.model, [module for module in self.model.modules() if any(module is one for one in self.learning)])
        return self

    def forward(self, pixel_values: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = self.model(pixel_values)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def by_trainer(task: Task) -> float:
    """The Trainer of transformers with torchvision's transforms."""
    import numpy as np
    from transformers import Trainer, TrainingArguments

    train, test = folders(task)
    arguments = TrainingArguments(
        output_dir=str(task.folder / "trainer"),
        per_device_train_batch_size=BATCH,
        per_device_eval_batch_size=BATCH,
        learning_rate=RATE,
        lr_scheduler_type="constant",
        num_train_epochs=task.epochs,
        eval_strategy="epoch",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_num_workers=WORKERS,
        remove_unused_columns=False,
        seed=task.seed,
        use_cpu=task.device == "cpu",
    )
    if task.device == "cpu":
        torch.set_num_threads(_cores())

    def collate(samples: list[Any]) -> dict[str, torch.Tensor]:
        images, labels = zip(*samples, strict=True)
        return {"pixel_values": torch.stack(images), "labels": torch.tensor(labels)}

    def accuracy(found: Any) -> dict[str, float]:
        return {"accuracy": float(np.mean(found.predictions.argmax(1) == found.label_ids))}

    model, learning = task.model()
    trainer = Trainer(_WithLoss(model, learning), arguments, collate, train, test, compute_metrics=accuracy)  # type: ignore[arg-type]
    trainer.train()
    return float([row["eval_accuracy"] for row in trainer.state.log_history if "eval_accuracy" in row][-1])


def by_lightning(task: Task) -> float:
    """A LightningModule and its Trainer, with torchvision's transforms."""
    import lightning

    train, test = folders(task)
    network, learning = task.model()

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.right = self.seen = 0

        def on_train_epoch_start(self) -> None:
            mode(self.network, learning)

        def training_step(self, batch: Any, number: int) -> torch.Tensor:
            return nn.functional.cross_entropy(self.network(batch[0]), batch[1])

        def on_validation_epoch_start(self) -> None:
            self.right = self.seen = 0

        def validation_step(self, batch: Any, number: int) -> None:
            self.right += int((self.network(batch[0]).argmax(1) == batch[1]).sum())
            self.seen += len(batch[1])

        def configure_optimizers(self) -> Any:
            return torch.optim.AdamW([p for p in self.parameters() if p.requires_grad], lr=RATE)

    module = Module()
    trainer = lightning.Trainer(
        max_epochs=task.epochs,
        accelerator="gpu" if task.device == "cuda" else "cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    loaders = [DataLoader(data, BATCH, shuffle=data is train, num_workers=WORKERS) for data in (train, test)]
    trainer.fit(module, *loaders)
    return module.right / module.seen


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0))


PEERS: dict[str, tuple[Callable[[Task], float], tuple[str, ...]]] = {
    "by hand": (by_hand, ()),
    "timm": (by_timm, ("timm",)),
    "Trainer": (by_trainer, ("transformers", "accelerate")),
    "Lightning": (by_lightning, ("lightning",)),
}
"""Each with the packages that it needs."""
