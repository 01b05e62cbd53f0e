"""The model card beside an export, a README.md in the format of the Hugging Face hub, filled in from the run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ftaug.config.dump import to_plain
from ftaug.config.registry import Component
from ftaug.engine.system.run_files import MODEL_FILE, fold_folder, read_json
from ftaug.interfaces.export import Bundle
from ftaug.runs.export.card_results import CardResults, read_results
from ftaug.runs.export.folder import CARD
from ftaug.runs.export.markdown import cell, table
from ftaug.runs.export.provenance import unfinished
from ftaug.runs.trained_model import TrainedModel

UNKNOWN = "unknown"

MOST_CLASSES = 20
"""Number of classes up to which each is listed."""

BLOCK = re.compile(r"<!-- author: (.+?) -->\n(.*?)\n<!-- end -->", re.DOTALL)
"""A part of the card that the author writes, and that later exports keep."""

EXAMPLES = {"image-classification": "photo.jpg"}
"""An input of a pipeline."""

SETTINGS = ("seed", "backbone", "unfreeze", "method", "augment", "mix", "loss", "objective", "optimizer", "lr", "train")


@dataclass(frozen=True)
class CardSource:
    """What a model card is written from."""

    opened: TrainedModel
    bundle: Bundle
    exporter: Component
    file: Path  # the exported file or folder

    @property
    def facts(self) -> Mapping[str, Any]:
        """The run's model.json; of folds that of the first."""
        folder = self.opened.folder
        return read_json(folder / MODEL_FILE) or read_json(fold_folder(folder, 1) / MODEL_FILE) or {}


def write_card(source: CardSource, earlier: Path) -> Path:
    """Write the card of an export into its folder; what the author wrote into an earlier card is kept."""
    folder = source.file if source.file.is_dir() else source.file.parent
    before = earlier / CARD if folder == source.file.parent else earlier / source.file.name / CARD
    text = before.read_text(encoding="utf-8", errors="replace") if before.is_file() else ""
    path = folder / CARD
    path.write_text(model_card(source, text), encoding="utf-8")
    return path


def model_card(source: CardSource, earlier: str = "") -> str:
    """Return the text of the card; `earlier` is that of an earlier export."""
    results = read_results(source.opened)
    written: dict[str, str] = dict(BLOCK.findall(earlier))

    def author(name: str, hint: str) -> str:
        return f"<!-- author: {name} -->\n{written.get(name, f'*{hint}*')}\n<!-- end -->"

    head = yaml.safe_dump(_front_matter(source, results, earlier), sort_keys=False, allow_unicode=True, width=100)
    sections = [
        f"---\n{head}---",
        f"# {cell(source.bundle.name)}",
        author("description", "To be written by the author: what the model does, in a sentence or two."),
        "## Intended use",
        author("intended use", "To be written by the author: who should use the model for what, and for what not."),
        "## Results",
        *results.markdown(MOST_CLASSES),
        "## Limitations",
        author("limitations", "To be written by the author: where the model fails, and whom that may harm."),
        "## How to use it",
        *_usage(source),
        "## Training data",
        author("data", "To be written by the author: where the data are from, and their license."),
        *_data(source),
        "## Training",
        *_training(source),
        "## License",
        *_license(source),
    ]
    return "\n\n".join(sections) + "\n"


def _front_matter(source: CardSource, results: CardResults, earlier: str) -> dict[str, Any]:
    """Return the metadata of the hub: only what is known."""
    bundle, name = source.bundle, source.exporter.name
    tasks = {} if bundle.task.regression else {"pipeline_tag": bundle.export_signature.pipeline_task.name}
    library = "transformers" if name == "transformers" else "onnx" if name.startswith("onnx") else "ftaug"
    base = base_model(bundle.provenance)
    index = results.model_index(bundle.name, tasks.get("pipeline_tag", "regression"))
    return {
        "license": _own_license(earlier) or str(bundle.provenance["weights"]["license"] or UNKNOWN).lower(),
        **tasks,
        "library_name": library,
        **({"base_model": base} if base else {}),
        "tags": ["ftaug", source.opened.experiment.modality],
        **({"metrics": results.names, "model-index": index} if results.names else {}),
    }


def _own_license(earlier: str) -> str | None:
    """Return the license in the earlier card, which its author may have chosen; None if it is not known."""
    match = re.search(r"^license: *(\S+) *$", earlier.partition("\n---")[0], re.MULTILINE)
    return None if match is None or match[1] == UNKNOWN else match[1]


def base_model(provenance: Mapping[str, Any]) -> str | None:
    """Return the name on the hub of the pretrained model; None if it is not from there."""
    source = str(provenance["weights"]["source"])
    if source.startswith("timm "):
        return f"timm/{source.removeprefix('timm ')}"
    is_name = provenance["network"]["name"] == "hf" and re.fullmatch(r"[\w.-]+/[\w.-]+", source)
    return source if is_name else None


def _usage(source: CardSource) -> Iterator[str]:
    """Yield how the exported model is loaded."""
    file, script = source.file, source.file.with_name(f"{source.file.name}.py")
    if source.exporter.name == "transformers":
        task = source.bundle.export_signature.pipeline_task
        packages = " ".join(("torch", "transformers", *task.packages))
        yield f"```sh\npip install {packages}\n```"
        load = f'model = pipeline("{task.name}", model=".")  # this folder, or its name on the hub'
        call = f'print(model("{EXAMPLES.get(task.name, "a text")}"))'
        yield f"```python\nfrom transformers import pipeline\n\n{load}\n{call}\n```"
    elif script.is_file():
        yield f"```sh\npython {script.name} FILE\n```"
        yield f"`{script.name}` needs no ftaug; it has every step from a file to a prediction, and names its packages."
    elif source.exporter.name == "adapter":
        method = source.bundle.provenance["method"]
        yield f"Start another run from it: `method: {{{method}: {{weights: {file.name}}}}}`, with the same weights."
    else:
        yield f"`safetensors.torch.load_file({file.name!r})` returns the weights; `{file.name}.json` describes them."


def _data(source: CardSource) -> Iterator[str]:
    """Yield the numbers of samples, the classes and how the data were read, without paths of this machine."""
    facts, task = source.facts, source.opened.task
    read = without_paths(facts.get("sources", {}))
    yield f"{source.opened.train_samples:,} training samples; read as:"
    yield f"```yaml\n{yaml.safe_dump(read, sort_keys=False, allow_unicode=True).rstrip()}\n```"
    counts = facts.get("class_counts", [])
    if not task.regression and len(counts) == len(task.classes):
        rows = [(name, f"{int(count):,}") for name, count in zip(task.classes, counts, strict=True)][:MOST_CLASSES]
        yield table(("class", "training samples"), rows)
        if len(counts) > MOST_CLASSES:
            yield f"… and {len(counts) - MOST_CLASSES:,} more classes, {int(sum(counts)):,} labels in all."
    elif task.regression:
        yield f"Numbers that are predicted: {', '.join(map(cell, task.classes))}."


def _training(source: CardSource) -> Iterator[str]:
    """Yield the settings, and which checkpoint was exported."""
    plain = to_plain(source.opened.experiment)
    settings = without_paths({key: plain[key] for key in SETTINGS})
    count, caution = source.bundle.networks, unfinished(source.bundle.provenance)
    exported = source.opened.checkpoint.name if count == 1 else f"{count} networks, one for each fold"
    yield f"Trained by ftaug; exported from {exported}{'; ' * bool(caution)}{caution}. Settings:"
    yield f"```yaml\n{yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).rstrip()}\n```"


def _license(source: CardSource) -> Iterator[str]:
    """Yield the license of the pretrained weights."""
    weights = source.bundle.provenance["weights"]
    if weights["source"] == "none":
        yield "Trained from scratch, without pretrained weights. The license of this model is up to its author."
    else:
        known = weights["license"] or "not known: look it up where they are from"
        yield f"License of the pretrained weights ({cell(weights['source'])}): {known}."
        yield "The license of this model, at the top of this file, is up to its author, as far as these licenses allow."


def without_paths(value: Any) -> Any:
    """Return settings without those that are not set, and with the names of files in place of absolute paths."""
    if isinstance(value, Mapping):
        return {key: without_paths(item) for key, item in value.items() if item not in (None, [], {})}
    if isinstance(value, list | tuple):
        return [without_paths(item) for item in value]
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value
