"""Commands that are killed, or whose disk fails, and repeated: what they need, and what must be equal to the bit."""

import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from archives import write_tar
from killed_commands import run_command
from PIL import Image
from run_bits import run_bits, without_metadata
from tiny_run import write_files

IMAGES = """
name: tiny
data: {train: {digits: {per_class: 4}}, val: {split: 20%}, batch_size: 8, parts: 2}
backbone: {resnet20: {weights: none}}
augment: [{rotate: {degrees: 15}}, horizontal_flip]
mix: {mixup: {alpha: 0.4}}
optimizer: {adamw: {weight_decay: 0.05}}
lr: {peak: 3e-3}
train: {epochs: 4, precision: fp32, ema: 0.9, save_every: 2 steps}
evaluate: {every: 3 steps}
"""
TEXTS = """
name: tiny
modality: text
data: {train: {docstrings: {per_class: 4}}, val: {split: 20%}, batch_size: 8, parts: 2}
backbone: {tiny_text: {weights: none, max_length: 12}}
mix: {mixup: {alpha: 0.4}}
optimizer: {adamw: {weight_decay: 0.05}}
lr: {peak: 3e-3}
train: {epochs: 4, precision: fp32, ema: 0.9, save_every: 2 steps}
evaluate: {every: 3 steps}
"""
FEATURES = """
name: tiny
data: {train: {digits: {per_class: 4}}, val: {split: 20%}, batch_size: 8, parts: 2}
backbone: {resnet20: {weights: letters}}
augment: [{rotate: {degrees: 15}}]
unfreeze: [{layers: [head]}]
lr: {peak: 3e-3}
train: {epochs: 4, precision: fp32, save_every: 2 steps, cache_features: {views: 2, place: disk}}
evaluate: {every: 3 steps}
"""
DECODED = """
name: tiny
plugins: [network.py]
data: {train: {image_folder: {path: photos}}, val: {split: 20%}, batch_size: 8, parts: 2, cache: disk}
backbone: tiny
augment: [random_resized_crop]
lr: {peak: 3e-3}
train: {epochs: 2, precision: fp32, save_every: 2 steps}
"""
SHARDS = """
name: tiny
plugins: [network.py]
data: {train: {image_shards: {path: shards}}, val: {split: 20%}, batch_size: 8, parts: 2, order: shards}
backbone: tiny
augment: [random_resized_crop]
lr: {peak: 3e-3}
train: {epochs: 2, precision: fp32, save_every: 2 steps}
"""
SOUNDS = """
name: tiny
modality: audio
data: {train: {audio_folder: {path: sounds}}, val: {split: 20%}, batch_size: 8, parts: 2}
backbone: {hf: {path: network, seconds: 0.25, windows: 2}}
augment: [{shift: {seconds: 0.05}}, gain, noise]
mix: {mixup: {alpha: 0.4}}
optimizer: {adamw: {weight_decay: 0.05}}
lr: {peak: 3e-3}
train: {epochs: 4, precision: fp32, ema: 0.9, save_every: 2 steps}
evaluate: {every: 3 steps}
"""
COPIED_TEXTS = """
name: tiny
modality: text
data: {train: {docstrings: {per_class: 4}}, val: {split: 20%}}
backbone: {tiny_text: {weights: none, max_length: 12}}
augment: [swap, drop_characters]
"""

TRAIN_POINTS = {
    "start-up: status.json": "rename|/status.json|1|after",
    "start-up: samples.csv": "open|samples.csv|1|before",
    "start-up: model.json": "rename|/model.json|1|after",
    "first step": "call|ftaug.engine.training.fit:accumulate_gradients|1|before",
    "third step": "call|ftaug.engine.training.fit:accumulate_gradients|3|before",
    "evaluation": "call|ftaug.engine.training.evaluate:predict_all|1|before",
    "save: weights": "write|ema.safetensors|1|before",
    "save: before the manifest": "open|/manifest.json|1|before",
    "save: before the rename": "rename|checkpoints/step-|1|before",
    "save: after the rename": "rename|checkpoints/step-|2|after",
    "save: best": "rename|/best|1|before",
    "pruning": "rename|/.trash-|1|after",
    "pruning: half of it": "unlink|/.trash-|1|after",
    "metrics.jsonl": "write|metrics.jsonl|1|before",
    "recovery: loading": "call|ftaug.runs.checkpointing:load_checkpoint|1|before",
    "recovery: metrics.jsonl": "truncate|metrics.jsonl|1|after",
    "end: before complete.json": "rename|/complete.json|1|before",
    "end: after complete.json": "rename|/complete.json|1|after",
    "report": "rename|report.html|1|before",
}
FEATURE_POINTS = {
    "half of a view": "call|ftaug.engine.training.feature_cache:batches_of|2|before",
    "before a view is marked": "open|/train.0|1|before",
    "after a view is marked": "open|/train.0|1|after",
    "recovery: reading the cache": "call|ftaug.engine.training.feature_cache:missing|1|before",
    "recovery: loading": "call|ftaug.runs.checkpointing:load_checkpoint|1|before",
}
DECODED_POINTS = {
    "half of an image": "write|.partial|4|before",
    "before the rename": "rename|/decoded/|3|before",
    "after the rename": "rename|/decoded/|6|after",
    "recovery: reading the cache": "call|ftaug.image.io.decode_cache:_pixels|3|before",
    "recovery: loading": "call|ftaug.runs.checkpointing:load_checkpoint|1|before",
}
SHARDS_POINTS = {
    "reading": "call|ftaug.engine.training.fit:accumulate_gradients|4|before",
    "save: before the rename": "rename|checkpoints/step-|2|before",
    "recovery: loading": "call|ftaug.runs.checkpointing:load_checkpoint|1|before",
}
PACK_POINTS = {
    "half of the first archive": "write|.tmp-train-000000.tar|5|before",
    "half of the third archive": "write|.tmp-train-000002.tar|5|before",
    "before the rename": "rename|/train-000001.tar|1|before",
    "between an archive and the index": "rename|/train-000001.tar|1|after",
    "index": "rename|/index.json|2|before",
    "after the last index": "rename|/index.json|5|after",
}
AUGMENT_POINTS = {
    "start-up": "rename|/augment.json|1|after",
    "half of a file": "write|.tmp-0|5|before",
    "before the rename": "rename|files/0|7|before",
    "table": "write|/provenance.csv|20|before",
    "recovery: comparison": "call|ftaug.runs.augmented_dataset:_check_same|1|after",
    "recovery: half of the table": "write|.tmp-provenance.csv|9|before",
    "recovery: before the rename of the table": "rename|/provenance.csv|1|before",
    "end: before augment.json": "rename|/augment.json|2|before",
    "end: after augment.json": "rename|/augment.json|2|after",
}
EXPORT_POINTS = {
    "start-up": "mkdir|.tmp-safetensors|1|after",
    "half of it": "call|ftaug.runs.export.model_card:write_card|1|before",
    "before the record": "write|parity.json|1|before",
    "before the rename": "rename|exports/safetensors|1|before",
    "after the rename": "rename|exports/safetensors|1|after",
    "after the former one is renamed": "rename|.old-safetensors|1|after",
    "deletion of the former one": "unlink|.old-safetensors/|1|after",
    "recovery: deletion": "unlink|.tmp-safetensors/|1|after",
}
EVALUATE_POINTS = {
    "prediction": "call|ftaug.engine.training.evaluate:predict_all|1|before",
    "summary": "rename|evaluate-val.json|1|before",
    "between the files": "rename|evaluate-val.json|1|after",
    "half of the records": "write|val.samples.csv|1|before",
    "records": "rename|val.samples.csv|1|before",
    "plot": "rename|confusion-val.png|1|before",
}
REPORT_POINTS = {
    "half of the report": "write|report.html|1|before",
    "before the rename": "rename|report.html|1|before",
    "after the rename": "rename|report.html|1|after",
    "tests of explainers": "rename|explainers.json|1|before",
    "tests of explainers are written": "rename|explainers.json|1|after",
}

PREDICT_POINTS = {
    "start-up": "write|/journal|1|before",
    "half of a batch": "write|/journal|3|before",
    "after a batch": "write|/journal|3|after",
    "half of the file": "write|.tmp-a.csv|2|before",
    "before the rename": "rename|a.csv|1|before",
    "after the rename": "rename|a.csv|1|after",
    "deletion of the journal": "unlink|/journal|1|after",
}
MIX_POINTS = {
    "start-up": "rename|/status.json|1|after",
    "weights": "write|model.safetensors|1|before",
    "before the rename": "rename|checkpoints/step-|1|before",
    "after the rename": "rename|checkpoints/step-|1|after",
    "best": "rename|/best|1|before",
    "before it is complete": "rename|/complete.json|1|before",
    "after it is complete": "rename|/complete.json|1|after",
}

Draw = random.Random


@dataclass(frozen=True)
class Scenario:
    """A command that is interrupted and repeated."""

    prepare: Callable[[Path, Path], None]  # writes the files into a folder; the second one holds what places share
    arguments: Sequence[str]
    results: Callable[[Path], dict]  # what must be equal to the bit, by name
    points: Mapping[str, str] = field(default_factory=dict)  # where it is killed
    vary: Callable[[Draw], list[str]] = lambda draw: []  # options of a start that may not change the results
    growing: Sequence[str] | None = ()  # files with other contents than at the beginning and the end; None for any


def workers_of(draw: Draw) -> list[str]:
    """Choose the number of workers of a training."""
    return [f"data.workers={draw.choice([0, 2])}"]


def processes_of(draw: Draw) -> list[str]:
    """Choose a number of processes."""
    return draw.choice([[], ["--processes", "2"]])


def experiment(text: str) -> Callable[[Path, Path], None]:
    """Prepare a folder with an experiment file."""

    def prepare(folder: Path, shared: Path) -> None:
        (folder / "tiny.yaml").write_text(text)

    return prepare


def tiny(folder: Path, shared: Path) -> None:
    """Prepare a folder with the experiment of a tiny network."""
    write_files(folder)


def photos(folder: Path, shared: Path) -> None:
    """Prepare a folder with images and an experiment that caches them."""
    write_files(folder)
    (folder / "tiny.yaml").write_text(DECODED)
    write_photos(folder)


def shards(folder: Path, shared: Path) -> None:
    """Prepare a folder with archives of images and an experiment that reads them in their order."""
    write_files(folder)
    (folder / "tiny.yaml").write_text(SHARDS)
    write_photos(folder)
    (folder / "shards").mkdir()
    paths = sorted((folder / "photos").rglob("*.png"))
    for shard in range(3):
        members = {str(path.relative_to(folder / "photos")): path.read_bytes() for path in paths[shard::3]}
        write_tar(folder / "shards" / f"train-{shard}.tar", members)


def write_photos(folder: Path) -> None:
    """Write a folder of images for each class."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(16):
            pixels = rng.integers(256, size=(20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / name / f"{number}.png")


def sounds(folder: Path, shared: Path) -> None:
    """Prepare a folder with sounds, a network of transformers and an experiment."""
    import sound_networks  # imports transformers, which other scenarios do not need
    from sounds import write_classes

    (folder / "tiny.yaml").write_text(SOUNDS)
    write_classes(folder / "sounds", count=13)
    sound_networks.write(folder / "network", "wav2vec2")


def trained(folder: Path, shared: Path, name: str = "run", *options: str) -> None:
    """Prepare a folder with a complete run."""
    if not (shared / name).exists():
        write_files(shared)
        ended = run_command(shared, ["train", "tiny.yaml", "--no-report", "--run-dir", name, *options])
        assert ended.code == 0, ended.stderr
    shutil.copytree(shared / name, folder / name, symlinks=True)


def trained_twice(folder: Path, shared: Path) -> None:
    """Prepare a folder with two runs that differ in their learning rate."""
    trained(folder, shared)
    trained(folder, shared, "run-2", "lr.peak=2e-3")


def trained_and_photos(folder: Path, shared: Path) -> None:
    """Prepare a folder with a complete run, and images to predict."""
    trained(folder, shared)
    write_photos(folder)


def exported(folder: Path, shared: Path) -> None:
    """Prepare a folder with a complete run and its export."""
    trained(folder, shared)
    ended = run_command(folder, EXPORT)
    assert ended.code == 0, ended.stderr


def run_results(folder: Path) -> dict:
    """Read the results of a training, or of each fold."""
    (run,) = (folder / "runs").iterdir()
    folds = sorted(run.glob("fold-*"))
    if not folds:
        return run_bits(run)
    summary = json.loads((run / "folds.json").read_text())
    return {**{fold.name: run_bits(fold) for fold in folds}, "folds": summary["metrics"]}


def cached_results(folder: Path) -> dict:
    """Read the results of a training on files, without the path of their folder in the metadata of tensor files."""
    return without_metadata(run_results(folder))


IGNORED = {"cache", "tmp"}


def files_of(name: str) -> Callable[[Path], dict]:
    """Read all files of a folder but its lock and temporary files, without the times in the records of exports."""

    def read(folder: Path) -> dict:
        paths = [path for path in (folder / name).rglob("*.*") if path.is_file() and not IGNORED & {*path.parts}]
        files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
        kept = {name: each for name, each in files.items() if not name.endswith(".lock") and "/.tmp-" not in f"/{name}"}
        return {name: _without_times(name, content) for name, content in kept.items()}

    return read


def mixed(folder: Path) -> dict:
    """Read the files of a run folder that `ftaug soup` or `ftaug blend` wrote."""
    files = files_of("mix")(folder)
    return {name: content for name, content in files.items() if Path(name).name not in ("status.json", "train.log")}


def _without_times(name: str, content: bytes) -> bytes:
    if not name.endswith("parity.json"):
        return content
    return json.dumps({**json.loads(content), "milliseconds": None}).encode()


TRAIN = ["train", "tiny.yaml"]
FOLDS = [*TRAIN, "--folds", "2", "train.epochs=2"]
CACHED = [*TRAIN, "--no-report"]
AUGMENT = ["augment", "tiny.yaml", "--copies", "3", "--format", "table", "--output", "copies"]
ALONE = ["--workers", "0"]  # as the forked copies of a process have none
PACK = ["pack", "tiny.yaml", "--size", "20kB", "--output", "packed"]
PER_CLASS = "data.train={docstrings: {per_class: 2}}"
PREDICT = ["predict", "run", "photos", "--features", "--output", "a.csv"]
BLEND = ["blend", "run", "--alpha", "0.5", "-o", "mix"]
SOUP = ["soup", "run", "run-2", "-o", "mix"]
GROWING = ("provenance.csv", "augment.json")
EXPORT = ["export", "run", "--format", "safetensors"]


def vary_augment(draw: Draw) -> list[str]:
    """Choose the workers and processes of `ftaug augment`."""
    return ["--workers", draw.choice(["0", "2"]), *draw.choice([[], ["--processes", "2"], ["--processes", "3"]])]


def vary_training(draw: Draw) -> list[str]:
    """Choose the workers and processes of a training."""
    return [*workers_of(draw), *processes_of(draw)]


KILLED = {
    "images": Scenario(experiment(IMAGES), TRAIN, run_results, TRAIN_POINTS, vary_training, None),
    "texts": Scenario(experiment(TEXTS), TRAIN, run_results, TRAIN_POINTS, vary_training, None),
    "sounds": Scenario(sounds, TRAIN, cached_results, TRAIN_POINTS, vary_training, None),
    "folds": Scenario(experiment(IMAGES), FOLDS, run_results, TRAIN_POINTS, workers_of, None),
    "feature cache": Scenario(experiment(FEATURES), TRAIN, run_results, FEATURE_POINTS, vary_training, None),
    "decoded images": Scenario(photos, CACHED, cached_results, DECODED_POINTS, vary_training, None),
    "shards": Scenario(shards, CACHED, cached_results, SHARDS_POINTS, vary_training, None),
    "pack": Scenario(photos, PACK, files_of("packed"), PACK_POINTS, growing=("index.json",)),
    "augment": Scenario(experiment(IMAGES), AUGMENT, files_of("copies"), AUGMENT_POINTS, vary_augment, GROWING),
    "augment texts": Scenario(
        experiment(COPIED_TEXTS), AUGMENT, files_of("copies"), AUGMENT_POINTS, vary_augment, GROWING
    ),
    "export": Scenario(trained, EXPORT, files_of("run/exports"), EXPORT_POINTS, growing=["parity.json"]),  # has times
    "export again": Scenario(exported, EXPORT, files_of("run/exports"), EXPORT_POINTS),
    "evaluate": Scenario(trained, ["evaluate", "run"], files_of("run/report"), EVALUATE_POINTS, processes_of),
    "report": Scenario(trained, ["report", "run"], files_of("run/report"), REPORT_POINTS),
    "predict": Scenario(trained_and_photos, PREDICT, files_of(""), PREDICT_POINTS, processes_of, ("journal",)),
    "blend": Scenario(trained, BLEND, mixed, MIX_POINTS, growing=None),
    "soup": Scenario(trained_twice, SOUP, mixed, MIX_POINTS, growing=None),
}
"""Commands that are long enough to be killed, or have points to be killed at."""

FAILING = {
    "train": Scenario(tiny, [*TRAIN, "--no-report", "--device", "cpu"], run_results, growing=None),
    "augment": Scenario(tiny, [*AUGMENT, "--copies", "1", *ALONE], files_of("copies"), growing=GROWING),
    "augment texts": Scenario(
        experiment(COPIED_TEXTS), [*AUGMENT, "--copies", "1", PER_CLASS, *ALONE], files_of("copies"), growing=GROWING
    ),
    "lr-find": Scenario(tiny, ["lr-find", "tiny.yaml", "--steps", "20", "-o", "lr.png"], files_of("")),
    "feature cache": Scenario(experiment(FEATURES), [*CACHED, "data.workers=0"], run_results, growing=None),
    "decoded images": Scenario(photos, [*CACHED, "data.workers=0"], cached_results, growing=None),
    **{name: KILLED[name] for name in ("pack", "export", "evaluate", "predict", "blend", "soup")},
}
"""Commands that are short enough to try a failure at each of their file operations."""
