"""Initialize a PEFT method from an adapter file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ftaug.errors import BadData
from ftaug.interfaces.model import Backbone, nothing
from ftaug.weights import WeightFile, described, digest_of, read


def loader_of(path: Path | None, backbone: Backbone, key: str) -> Callable[[], None]:
    """Return a loader of an adapter file into a network; `key` names the setting. Raises MissingInput, BadData.

    The head is taken too where it is of the same shape.
    """
    if path is None:
        return nothing

    def start() -> None:
        file = read(str(path))
        base = described(file.metadata).get("base")
        if base is None:
            raise BadData(f"{key}: {path} is not an adapter; `ftaug export RUN --format adapter` writes one")
        state, head = backbone.network.state_dict(), backbone.stages[-1]
        _refuse_others(file, backbone, key)
        if digest_of({name: tensor for name, tensor in state.items() if name not in file.tensors}) != base:
            raise BadData(f"{key}: {path} belongs to other pretrained weights; set backbone.weights to those it is for")
        heads = {name: tensor for name, tensor in file.tensors.items() if head.holds(name)}
        same_head = all(tensor.shape == state[name].shape for name, tensor in heads.items())
        taken = {name: tensor for name, tensor in file.tensors.items() if same_head or name not in heads}
        backbone.network.load_state_dict(taken, strict=False)

    return start


def _refuse_others(file: WeightFile, backbone: Backbone, key: str) -> None:
    """Raise BadData for an adapter of other settings or another network."""
    state, head = backbone.network.state_dict(), backbone.stages[-1]
    made_by = f"it was trained by method: {described(file.metadata).get('method')}"
    for name, tensor in file.tensors.items():
        if name not in state:
            raise BadData(f"{key}: {file.source} does not fit: {name} is unknown; {made_by}")
        if not head.holds(name) and tensor.shape != state[name].shape:
            raise BadData(f"{key}: {file.source} does not fit: {name} is of another shape; {made_by}")
