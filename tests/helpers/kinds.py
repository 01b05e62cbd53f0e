"""What the tests of commands must know of pictures and texts to try the same on both."""

import csv
import errno
import json
import os
from pathlib import Path

import numpy as np
from PIL import Image
from text_desk import EXPERIMENT

from ftaug.runs import augmented_dataset as written

COUNTS = {"cat": 8, "dog": 12, "left arrow": 4}
PICTURES = """
name: animals
seed: 3
data:
  train: {image_folder: {path: photos}}
  val: {split: 25%}
  workers: 0
backbone: {resnet20: {weights: none}}
augment:
  - horizontal_flip
  - rotate
  - random_resized_crop
"""


def rows(path):
    with (path / "provenance.csv").open(newline="") as file:
        return list(csv.DictReader(file))


class Pictures:
    """A folder of noisy pictures."""

    files = ("animals.yaml", "photos")
    sometimes, always = "horizontal_flip", {"rotate", "random_resized_crop"}
    unknown_setting = "augment.0.horizontal_flip.excep=[cat]"

    def __init__(self, folder, shared):
        rng = np.random.default_rng(0)
        for name, count in COUNTS.items():
            for number in range(count):
                (folder / "photos" / name).mkdir(parents=True, exist_ok=True)
                pixels = rng.integers(256, size=(40, 48, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / "photos" / name / f"{number}.png")
        self.experiment = folder / "animals.yaml"
        self.experiment.write_text(PICTURES)

    def label_of(self, source):
        return Path(source).parent.name

    def same(self, path, row, seen, data):
        """Whether what was written is what training sees."""
        return np.array_equal(np.asarray(Image.open(path / row["path"])), seen)

    def damage(self, path):
        """Change one written sample and take away another."""
        changed, gone, *_ = sorted(path.rglob("*.png"))
        changed.write_bytes(changed.read_bytes()[:-20])
        gone.unlink()

    def fill_disk(self, patched):
        opened = written.open_inside

        def full(file, flags):
            if file.name.endswith("-001.png") and "cat" in file.parts:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
            return opened(file, flags)

        patched.setattr(written, "open_inside", full)


class Texts:
    """Texts in JSON Lines, read by a plugin."""

    files = ("animals.yaml", "texts.jsonl")
    sometimes, always = "shout", {"drop"}
    unknown_setting = "augment.0.shout.shar=0.5"

    def __init__(self, folder, shared):
        rng = np.random.default_rng(0)
        words = [
            "the",
            "quick",
            "fox,",
            "jumps",
            "over",
            "a",
            "“lazy”",
            "dog\n",
            "and\tnaïve",
            "猫",
            "it's",
            "never",
            "cats",
        ]
        lines = [
            {"label": name, "text": " ".join(rng.choice(words, 12)) + f" {name} {number}"}
            for name, count in COUNTS.items()
            for number in range(count)
        ]
        (folder / "texts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.labels = [line["label"] for line in lines]
        self.experiment = folder / "animals.yaml"
        self.experiment.write_text(EXPERIMENT.replace("path: encoder", f"path: {shared / 'encoder'}"))

    def label_of(self, source):
        return self.labels[int(source.removeprefix("texts.jsonl:")) - 1]

    def same(self, path, row, seen, data):
        text = row["text"] if "text" in row else (path / row["path"]).read_bytes().decode()
        return np.array_equal(data.pipeline.encoder.tokenizer.encode(text).ids, seen[0])

    def damage(self, path):
        table = path / "provenance.csv"
        lines = table.read_text().splitlines(keepends=True)
        place = next(i for i, line in enumerate(lines) if i > 1 and "cat" in line)
        lines[place] = lines[place].replace("cat", "hat", 1)
        table.write_text("".join(lines))
        for file in sorted(path.rglob("*.txt"))[1:3]:
            file.write_text("something else")

    def fill_disk(self, patched):
        written, count = csv.DictWriter.writerow, iter(range(100))

        def full(writer, row):
            if next(count) == 7:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "provenance.csv")
            return written(writer, row)

        patched.setattr(csv.DictWriter, "writerow", full)
