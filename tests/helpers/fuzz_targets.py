"""What is fuzzed: the readers of everything that a user, or somebody else, may hand to ftaug."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from fuzzing import Target
from odd_pictures import odd_pictures
from passages import OPS, augmentation, draws, passage
from safetensors.torch import save as to_safetensors
from table_files import write_rows

from ftaug import weights
from ftaug.augment.transform import after
from ftaug.components import metrics  # noqa: F401
from ftaug.config.registry import REGISTRIES
from ftaug.engine.system.run_files import read_rows
from ftaug.engine.system.run_state import read_state
from ftaug.experiment_file import import_components, open_experiment
from ftaug.image.io.decode import decode
from ftaug.runs import compared_runs
from ftaug.runs.export.card_results import read_results
from ftaug.runs.open_run import open_calibrated_run
from ftaug.runs.run_report.collect import AFTER_TRAINING, report_of
from ftaug.runs.run_report.open_reported import open_reported
from ftaug.runs.trained_model import load_experiment

ROOT = Path(__file__).parents[2]
MODALITIES = ("image", "text")
NEED_FILES = ("synonyms", "paraphrases", "masked_lm", "back_translation")
"""Ops for texts that read a file."""


def experiments(folder: Path) -> Target:
    """Experiment files."""
    path = folder / "experiment.yaml"

    def read(data: bytes) -> object:
        path.write_bytes(data)
        return open_experiment(path, plugins=False).experiment()

    return Target([file.read_bytes() for file in sorted((ROOT / "configs").glob("*.yaml"))], read)


def overrides(folder: Path) -> Target:
    """Overrides, one a line, of an experiment file."""
    opened = open_experiment(ROOT / "configs" / "quickstart.yaml", plugins=False)
    lines = (
        "train.epochs=1\nlr.peak=5e-4",
        "~augment\naugment+=horizontal_flip\naugment.0.rotate.degrees=5",
        'data.train={digits: {}}\nevaluate.metrics=[accuracy, "f1"]',
        "unfreeze=[head, layer3]\noptimizer.sgd.momentum=0.9",
    )

    def read(data: bytes) -> object:
        return opened.experiment(data.decode(errors="surrogateescape").split("\n"))

    return Target([text.encode() for text in lines], read)


def tables(folder: Path) -> Target:
    """Tables in each format, for texts and images; the first byte of an input chooses the format and the reader."""
    for modality in MODALITIES:
        import_components(modality)
    readers = [REGISTRIES["dataset", m][n].function for m, n in (("image", "image_table"), ("text", "text_table"))]
    suffixes = (".csv", ".tsv", ".jsonl", ".parquet")
    rows = [
        {"path": f"{i}.png", "text": f"text, {i} 'quoted'\n", "label": name, "group": str(i)}
        for i, name in enumerate(("a b", "ä", "2", "1.0"))
    ]
    for row in rows:
        (folder / row["path"]).write_bytes(b"")
    corpus = []
    for number, suffix in enumerate(suffixes):
        content = write_rows(folder / f"corpus{suffix}", rows).read_bytes()
        corpus += [bytes([2 * number + reader]) + content for reader in range(2)]

    def read(data: bytes) -> object:
        choice = data[0] % 8 if data else 0
        path = folder / f"table{suffixes[choice // 2]}"
        path.write_bytes(data[1:])
        return readers[choice % 2]("train", path=path)

    return Target(corpus, read)


def images(folder: Path) -> Target:
    """Image files of every kind."""
    return Target(list(odd_pictures().values()), decode)


def texts(folder: Path) -> Target:
    """Texts through an augmentation, which the first byte chooses."""
    ops = [augmentation(name) for name in OPS if name not in NEED_FILES]
    passages = ("The good movie wasn't bad; it cost $1,250.", "我喜欢这部电影。 👍🏽 e\u0301", "Ça va? שלום!\n\n  x")
    corpus = [bytes([number]) + text.encode() for number in range(len(ops)) for text in passages]

    def read(data: bytes) -> object:
        op = ops[data[0] % len(ops)] if data else ops[0]
        seen = passage(data[1:].decode(errors="replace"))
        return after(seen, draws(seen, op)).text.encode()

    return Target(corpus, read)


def weight_files(folder: Path) -> Target:
    """Weight files, safetensors or of torch.save; the first byte chooses the suffix."""
    tensors = {"a.weight": torch.zeros(3, 2), "a.bias": torch.ones(3, dtype=torch.float16), "n": torch.tensor(1)}
    new, old = io.BytesIO(), io.BytesIO()
    torch.save({"state_dict": tensors}, new)
    torch.save(tensors, old, _use_new_zipfile_serialization=False)
    stored = to_safetensors(tensors, {"ftaug": json.dumps({"license": "mit"})})
    corpus = [b"\x00" + stored, b"\x01" + new.getvalue(), b"\x01" + old.getvalue()]

    def read(data: bytes) -> object:
        suffix = ".pt" if data and data[0] % 2 else ".safetensors"
        path = folder / f"weights{suffix}"
        path.write_bytes(data[1:])
        weights.license_in(str(path))
        weights.preprocessing_in(str(path))
        return weights.read(str(path))

    return Target(corpus, read)


def run_folders(folder: Path, run: Path) -> Target:
    """Files of a run folder, one damaged; the first byte chooses which."""
    copy = folder / "run"
    shutil.copytree(run, copy, symlinks=True)
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.suffix not in (".png", ".html", ".log"))
    files = [path for path in files if path.name not in ("optimizer.safetensors", "ema.safetensors")][:256]
    originals = [path.read_bytes() for path in files]
    readers: tuple[Callable[[], object], ...] = (
        lambda: read_state(copy),
        lambda: read_rows(copy / "metrics.jsonl"),
        lambda: load_experiment(copy),
        lambda: compared_runs.read_records(compared_runs.read_settings(copy), "test"),
        lambda: open_calibrated_run(copy, "cpu"),
        lambda: read_results(open_calibrated_run(copy, "cpu")),
        lambda: report_of(open_reported(copy, "test", trust_plugins=False), AFTER_TRAINING),
    )

    def read(data: bytes) -> None:
        number = data[0] % len(files) if data else 0
        files[number].write_bytes(data[1:])
        try:
            reader_of(data)()
        finally:
            files[number].write_bytes(originals[number])

    def reader_of(data: bytes) -> Callable[[], object]:
        return readers[int(np.frombuffer(data, np.uint8).sum()) % len(readers)]

    return Target([bytes([n]) + content for n, content in enumerate(originals)], read)


TARGETS = {
    "experiments": experiments,
    "overrides": overrides,
    "tables": tables,
    "images": images,
    "texts": texts,
    "weights": weight_files,
}
"""Targets by name, each built in a folder of its own; `run_folders` also needs a finished run."""
