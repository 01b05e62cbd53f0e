"""What is fuzzed: the readers of everything that a user, or somebody else, may hand to ftaug."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import torch
import yaml
from fuzzing import Target
from odd_pictures import odd_pictures
from passages import OPS, augmentation, draws, passage
from restored_folder import RestoredFolder
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
from ftaug.runs.run_report import open_reported
from ftaug.runs.run_report.collect import AFTER_TRAINING, report_of
from ftaug.runs.trained_model import TrainedModel, load_experiment
from ftaug.runs.verification.verify import verify

ROOT = Path(__file__).parents[2]
MODALITIES = ("image", "text")
NEED_FILES = ("synonyms", "paraphrases", "masked_lm", "back_translation")
"""Ops for texts that read a file."""
ONLY_HASHED = ("optimizer.safetensors", "ema.safetensors")
"""Files of a checkpoint that are read as model.safetensors is."""
EVALUATED = 16
"""One input in so many evaluates the run again where a report finds no good records; that takes most of the time."""


def experiments(folder: Path) -> Target:
    """Experiment files, and their content as JSON: most changes of YAML are refused for their syntax alone."""
    path = folder / "experiment.yaml"

    def read(data: bytes) -> object:
        path.write_bytes(data)
        return open_experiment(path, plugins=False).experiment()

    files = sorted((ROOT / "configs").glob("*.yaml"))
    contents = [b" " + json.dumps(yaml.safe_load(file.read_text())).encode() for file in files]
    return Target([*(file.read_bytes() for file in files), *contents], read)


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
    """Files of a run folder, one damaged; the first byte chooses the file, and a reader that opens it."""
    shutil.copytree(run, copy := folder / "run", symlinks=True)
    readers: tuple[Callable[[], object], ...] = (
        lambda: read_state(copy),
        lambda: read_rows(copy / "metrics.jsonl"),
        lambda: load_experiment(copy),
        lambda: compared_runs.read_records(compared_runs.read_settings(copy), "test"),
        lambda: open_calibrated_run(copy, "cpu"),
        lambda: read_results(open_calibrated_run(copy, "cpu")),
        lambda: report_of(open_reported.open_reported(copy, "test", trust_plugins=False), AFTER_TRAINING),
        lambda: verify(copy),
    )
    files, evaluate = RestoredFolder(copy), open_reported.write_records

    def restore_records(opened: TrainedModel, split: str) -> None:
        for path in (copy / "report").glob("*test*"):
            path.write_bytes(files.contents[path])
        if compared_runs.stale_records(compared_runs.read_settings(copy), split):
            evaluate(opened, split)

    cases = [(path, reader) for reader in readers for path in files.opened_by(reader) if path.name not in ONLY_HASHED]
    assert len(cases) <= 256

    def read(data: bytes) -> None:
        path, reader = cases[data[0] % len(cases)] if data else cases[0]
        path.write_bytes(data[1:])
        evaluates = len(data) % EVALUATED == 0
        write_records = evaluate if evaluates else restore_records
        try:
            with mock.patch.object(open_reported, "write_records", write_records):
                reader()
        finally:
            files.restore()

    return Target([bytes([number]) + files.contents[path] for number, (path, _) in enumerate(cases)], read)


TARGETS = {
    "experiments": experiments,
    "overrides": overrides,
    "tables": tables,
    "images": images,
    "texts": texts,
    "weights": weight_files,
}
"""Targets by name, each built in a folder of its own; `run_folders` also needs a finished run."""
