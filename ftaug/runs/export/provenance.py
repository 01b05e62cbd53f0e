"""Provenance of an exported model: network, weights, checkpoint and data, without paths of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.engine.loading.prepare import training_length
from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_files import COMPLETE_FILE, read_json, step_of, steps

if TYPE_CHECKING:
    from torch import nn

    from ftaug.runs.trained_model import TrainedModel


def provenance(opened: TrainedModel, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Collect an export's metadata from the run folder, as JSON values; `facts` is its model.json."""
    columns = facts.get("sample_columns")
    return {
        "network": network_of(opened.experiment.backbone.name, opened.model.network),
        "weights": weights_of(facts["weights_from"]),
        "method": None if opened.experiment.method is None else opened.experiment.method.name,
        **({"text_pairs": len(columns) == 2} if columns else {}),
        **({"mixed": facts["mixed"]} if "mixed" in facts else {}),
        "checkpoint": checkpoint_of(opened),
        "data": facts.get("data", {}),
        "train_samples": opened.train_samples,
        "seed": facts.get("seed"),
    }


def network_of(name: str, network: nn.Module) -> dict[str, str | None]:
    """Return the backbone's name in the experiment file, and its library with the version."""
    packages = (type(module).__module__.partition(".")[0] for module in network.modules())
    library = next((package for package in packages if package not in ("torch", "ftaug")), "ftaug")
    try:
        return {"name": name, "library": library, "version": version(library)}
    except PackageNotFoundError:  # a plugin
        return {"name": name, "library": library, "version": None}


def weights_of(facts: Mapping[str, Any]) -> dict[str, str | None]:
    """Return source and license of the pretrained weights; of a file only its name."""
    source = str(facts.get("weights", ""))
    return {"source": Path(source).name if Path(source).is_absolute() else source, "license": facts.get("license")}


def checkpoint_of(opened: TrainedModel) -> dict[str, Any]:
    """Describe the exported checkpoint, and whether training was complete."""
    done = read_json(opened.folder / COMPLETE_FILE)
    return {
        "step": step_of(opened.checkpoint),
        "selected": "best" if checkpoint.best(opened.folder) == opened.checkpoint else "newest",
        "complete": done is not None,
        "trained_steps": done["step"] if done else max(steps(opened.folder / "checkpoints")),
        "planned_steps": training_length(opened.experiment, opened.train_samples).total_steps,
    }


def unfinished(provenance: Mapping[str, Any]) -> str:
    """Return a caution if the training of a model is incomplete, else the empty string."""
    used = provenance["checkpoint"]
    if used is None or used["complete"]:
        return ""
    return (
        f"the training is not complete (step {used['trained_steps']:,} of {used['planned_steps']:,}): "
        f"this is the {used['selected']} checkpoint so far, of step {used['step']:,}"
    )
