"""What people run to classify texts with a pretrained encoder, on the same weights and texts.

- probe: logistic regression on embeddings, the mean over the tokens, its penalty by 5-fold cross-validation.
- trainer: the Trainer of transformers with its defaults: AdamW, 5e-5, linear, batches of 8, 3 epochs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recipe_peers import arguments, autocast, logistic

LENGTH = 256  # tokens


@dataclass(frozen=True)
class Task:
    """What is to be done: the folder has train/CLASS and test/CLASS."""

    folder: Path
    weights: Path  # the folder of the encoder
    size: int
    epochs: int
    seed: int

    def split(self, name: str) -> tuple[list[str], list[int]]:
        """The texts of a split and their classes."""
        classes = sorted(path.name for path in (self.folder / "train").iterdir())
        files = [
            (file, k) for k, label in enumerate(classes) for file in sorted((self.folder / name / label).iterdir())
        ]
        return [file.read_text(encoding="utf-8") for file, _ in files], [code for _, code in files]

    @property
    def tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.weights, model_max_length=LENGTH)


def embedded(task: Task, split: str) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the last hidden states over the tokens of each text."""
    from transformers import AutoModel

    model, tokenizer = AutoModel.from_pretrained(task.weights).eval(), task.tokenizer
    texts, labels = task.split(split)
    found = []
    for start in range(0, len(texts), 32):
        inputs = tokenizer(texts[start : start + 32], padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode(), autocast():
            states = model(**inputs).last_hidden_state.float()
        mask = inputs["attention_mask"][:, :, None]
        found.append((states * mask).sum(1) / mask.sum(1))
    return torch.cat(found).numpy(), np.array(labels)


def probe(task: Task) -> tuple[float, dict[str, Any]]:
    regression, penalty = logistic(*embedded(task, "train"))
    return float(regression.score(*embedded(task, "test"))), {"C": penalty}


def by_trainer(task: Task) -> tuple[float, dict[str, Any]]:
    from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding, Trainer

    tokenizer = task.tokenizer
    sets = []
    for split in ("train", "test"):
        texts, labels = task.split(split)
        encoded = tokenizer(texts, truncation=True)["input_ids"]
        sets.append([{"input_ids": ids, "labels": label} for ids, label in zip(encoded, labels, strict=True)])
    classes = len(set(task.split("train")[1]))
    model = AutoModelForSequenceClassification.from_pretrained(task.weights, num_labels=classes)
    trainer = Trainer(
        model, arguments(task.epochs, task.seed, 8), DataCollatorWithPadding(tokenizer), train_dataset=sets[0]
    )
    with autocast():
        trainer.train()
        found = trainer.predict(sets[1])
    right = float(np.mean(found.predictions.argmax(1) == found.label_ids))
    return right, {"optimizer": "adamw", "lr": 5e-5, "batch": 8, "schedule": "linear"}


PEERS: dict[str, tuple[Callable[[Task], tuple[float, dict[str, Any]]], int]] = {
    "probe": (probe, 1),
    "trainer": (by_trainer, 3),
}
"""Each with its published epochs."""
