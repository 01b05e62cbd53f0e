"""Load weight files (safetensors, PyTorch checkpoints) into networks."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from ftaug.config.problems import fail, predicate
from ftaug.config.types import FilePath, Wording
from ftaug.errors import BadData, MissingInput, first_line, is_lack_of_memory
from ftaug.interfaces.model import Stage
from ftaug.weight_matching import SORTED, OrderMismatch, differences, match_by_order, misfit, summary

if TYPE_CHECKING:
    from torch import Tensor, nn

SUFFIXES = (".safetensors", ".pth", ".pt")
_WRAPPERS = ("state_dict", "model", "model_state_dict")  # keys under which training scripts put the weights
_AVERAGES = ("state_dict_ema", "model_ema", "ema_state_dict", "ema")  # and an exponential moving average of them
_PREFIXES = ("_orig_mod.", "module.", "model.", "network.", "backbone.")  # what wrappers put before every name


def is_offline() -> bool:
    """Whether downloads are disabled, by `--offline` or the environment variable HF_HUB_OFFLINE."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _beside_the_file(value: Any, info: ValidationInfo) -> Any:
    """Resolve a file against the folder of the experiment file."""
    if not isinstance(value, str) or not is_file(value):
        return value
    folder = (info.context or {}).get("folder", Path())
    path = Path(folder, Path(value).expanduser()).absolute()
    resolved = str(path.resolve())
    return resolved if is_file(resolved) else str(path)  # caches of the hub link to files without a suffix


Match = Literal["names", "order"]


@dataclass(frozen=True)
class WeightsPath:
    """A weight file and how its tensors are matched to those of the network.

    Settings:
        path: the file, whatever its suffix
        match: names, or order for a file with other names and the same shapes in the same order
    """

    path: FilePath
    match: Match = "names"

    def __str__(self) -> str:
        return str(self.path)


def _keeps_order(weights: WeightsPath) -> WeightsPath:
    """Refuse to match by order what a safetensors file holds, for it is sorted by name."""
    if weights.match == "order" and weights.path.suffix == SORTED:
        words = "must be names for a safetensors file, whose tensors are sorted by name; save them with torch.save"
        raise fail((("match",), predicate(words)))
    return weights


Weights = (
    Annotated[
        str,
        BeforeValidator(_beside_the_file),
        Field(min_length=1),
        Wording(f"the name of pretrained weights, none, or a file ({', '.join(SUFFIXES)})"),
    ]
    | Annotated[WeightsPath, AfterValidator(_keeps_order)]
)


def only(*names: str) -> AfterValidator:
    """Allow these names of pretrained weights, beside files."""

    def check(weights: Weights) -> Weights:
        if not is_file(weights) and weights not in names:
            raise ValueError(f"not one of {names}")
        return weights

    return AfterValidator(check)


def is_file(weights: Weights) -> bool:
    """Whether a setting names a file rather than known weights."""
    return isinstance(weights, WeightsPath) or weights.endswith(SUFFIXES)


def facts_of(weights: Weights, license: str | None = None) -> dict[str, Any]:
    """What a backbone says of a setting before anything is loaded, for `Backbone.facts`.

    `license` is the SPDX identifier of the weights', where it is known; a file that ftaug wrote has it.
    """
    license = license or (license_in(weights) if is_file(weights) else None)
    in_order = isinstance(weights, WeightsPath) and weights.match == "order"
    known = {} if license is None else {"license": license}
    return {"weights": str(weights), **known} | ({"match": "order"} if in_order else {})


@dataclass(frozen=True)
class WeightFile:
    """Named tensors with the metadata of their file."""

    source: str  # for errors
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    match: Match = "names"
    notes: tuple[str, ...] = ()  # such as which of several sets of weights was read

    def renamed(self, rename: Callable[[str], str | None]) -> WeightFile:
        """Rename the tensors; those renamed to None are dropped."""
        renamed = {rename(key): tensor for key, tensor in self.tensors.items()}
        return replace(self, tensors={key: tensor for key, tensor in renamed.items() if key is not None})


def read(weights: Weights) -> WeightFile:
    """Read a file of weights; a pickle in it is never run. Raises MissingInput, BadData."""
    path = str(weights)
    if not Path(path).is_file():
        raise MissingInput(f"no weights file at {path}")
    file = _read_safetensors(path) if path.endswith(".safetensors") else _read_torch(path)
    return replace(file, match=weights.match) if isinstance(weights, WeightsPath) else file


def _read_safetensors(path: str) -> WeightFile:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return WeightFile(path, {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, ValueError, RuntimeError) as error:
        if is_lack_of_memory(error):
            raise
        raise BadData(f"{path} is not a complete safetensors file: {first_line(error)}") from None
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror or error}") from None


def _read_torch(path: str) -> WeightFile:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickle protocols
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise BadData(
            f"{path} contains more than tensors, which could run code when loaded: save only the state_dict"
        ) from None
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:  # the unpickler raises nearly any on a damaged file
        if is_lack_of_memory(error):
            raise
        raise BadData(f"{path} is not a complete file of weights: {first_line(error)}") from None
    content, notes = _unwrapped(content)
    return WeightFile(path, _state(content, path), notes=notes)


def _unwrapped(content: Any) -> tuple[Any, tuple[str, ...]]:
    """Take the weights out of a training script's checkpoint; the averaged ones only where there are no others."""
    notes: list[str] = []
    while isinstance(content, Mapping):
        plain, averages = (
            [key for key in keys if isinstance(content.get(key), Mapping)] for keys in (_WRAPPERS, _AVERAGES)
        )
        if not plain and not averages:
            break
        chosen, *_ = [*plain, *averages]
        if averages:
            others = f", not the averaged weights (EMA) in '{averages[0]}'" if plain else " (EMA), the only ones"
            notes.append(f"read '{chosen}' of the file{others}")
        content = content[chosen]
    return content, tuple(notes)


def _state(content: Any, path: str) -> dict[str, Tensor]:
    """Return the named tensors; raises BadData where a file holds anything else."""
    import torch

    tensors = {k: v for k, v in content.items() if isinstance(v, torch.Tensor)} if isinstance(content, Mapping) else {}
    if not tensors or len(tensors) < len(content) or not all(isinstance(key, str) for key in tensors):
        raise BadData(f"{path} must contain a state_dict: a mapping from names to tensors")
    return tensors


def download_error(what: str, error: Exception) -> str:
    """Why something of the hub is not there, and what to try."""
    if is_offline():
        return f"cannot get {what}: it is not on this machine, and offline mode is on; name a local folder"
    return f"cannot get {what}: {first_line(error)}"


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """A sha256 over named tensors, in hex."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def preprocessing_in(weights: Weights) -> dict[str, Any] | None:
    """The preprocessing that a safetensors file carries; None if the file has none, or is not there (yet)."""
    path = str(weights)
    if not path.endswith(".safetensors") or not Path(path).is_file():
        return None
    metadata = read_metadata(path)
    if "preprocessing" not in metadata:
        return described(metadata).get("preprocessing")
    try:
        return dict(json.loads(metadata["preprocessing"]))
    except (ValueError, TypeError):
        raise BadData(f"{path}: its metadata 'preprocessing' is not a JSON object") from None


def license_in(weights: Weights) -> str | None:
    """Return the license that a file of ftaug records of the pretrained weights that it comes from, if any."""
    path = str(weights)
    if not path.endswith(".safetensors") or not Path(path).is_file():
        return None
    with suppress(BadData, MissingInput):  # reading the weights reports these
        about = described(read_metadata(path))
        sources = (about.get("weights_from"), about.get("weights"))  # of a checkpoint, and of an export
        names = [source.get("license") for source in sources if isinstance(source, dict)]
        return next((str(name) for name in names if name), None)
    return None


def described(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What ftaug wrote about a model into the file of its weights: classes, preprocessing and more."""
    try:
        description = json.loads(metadata.get("ftaug", "{}"))
    except ValueError:
        return {}
    return description if isinstance(description, dict) else {}


def read_metadata(path: str) -> Mapping[str, str]:
    """The texts in the header of a safetensors file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}
    except (SafetensorError, ValueError) as error:
        raise BadData(f"{path} is not a complete safetensors file: {first_line(error)}") from None


def fill(
    network: nn.Module,
    file: WeightFile,
    *,
    head: Stage,
    classes: Sequence[str],
    convert: Callable[[dict[str, Tensor]], Mapping[str, Tensor]] = dict,
) -> dict[str, Any]:
    """Copy the tensors of a file into the network; the head only where ftaug wrote it for the same classes.

    `convert` brings tensors to the network's shapes where they depend on the size of its input.
    Returns what people should know of it, for `Backbone.facts`. Raises BadData.
    """
    if file.match == "order":
        return fill_by_order(network, file, head)
    same_classes = described(file.metadata).get("classes") == list(classes)
    skipped = Stage(head.name, ()) if same_classes else head
    every, state = convert(without_prefixes(file.tensors, network)), network.state_dict()
    theirs = {key: tensor for key, tensor in every.items() if not skipped.holds(key)}
    wanted = {key: tensor for key, tensor in state.items() if not skipped.holds(key)}
    if problems := list(differences(wanted, theirs)):
        raise BadData(misfit(file.source, problems, state, every, head))
    copy(file.source, theirs, wanted)
    return {"notes": list(file.notes)} if file.notes else {}


def fill_by_order(network: nn.Module, file: WeightFile, head: Stage) -> dict[str, Any]:
    """Copy the tensors of a file into those at the same positions in the network, its head left out; raises BadData."""
    wanted, theirs = network.state_dict(), without_prefixes(file.tensors, network)
    try:
        matches = match_by_order(wanted, theirs, head)
    except OrderMismatch as mismatch:
        raise BadData(f"{file.source} does not match the network in order: {mismatch}") from None
    copy(file.source, {our: theirs[their] for our, their in matches.items()}, wanted)
    return {"notes": [*file.notes, summary(matches)], "matches": matches}


def copy(source: str, tensors: Mapping[str, Tensor], into: Mapping[str, Tensor]) -> None:
    """Copy tensors into those of the same names, none of them where one is not finite; raises BadData."""
    import torch

    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise BadData(f"{source}: {name} contains values that are not finite")
    with torch.no_grad():
        for name, tensor in tensors.items():
            into[name].copy_(tensor)


def without_prefixes(tensors: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Strip wrapper prefixes such as `module.`, unless the network has a module of that name."""
    children = {f"{name}." for name, _ in network.named_children()}
    inner = dict(tensors)
    for prefix in [prefix for prefix in _PREFIXES if prefix not in children] * 2:
        within = {key.removeprefix(prefix): tensor for key, tensor in inner.items() if key.startswith(prefix)}
        inner = within or inner
    return inner
