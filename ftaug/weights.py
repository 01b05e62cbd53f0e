"""Reading files of weights and filling networks with them."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo

from ftaug.config.types import Wording
from ftaug.errors import BadData, MissingInput
from ftaug.interfaces import Stage

if TYPE_CHECKING:
    from torch import Tensor, nn

SUFFIXES = (".safetensors", ".pth", ".pt")
_WRAPPERS = ("state_dict", "model")  # keys under which training scripts put the weights
_PREFIXES = ("module.", "model.", "network.")  # what wrappers put before every name


def is_file(weights: str) -> bool:
    """Whether a setting names a file rather than known weights."""
    return weights.endswith(SUFFIXES)


def is_offline() -> bool:
    """Whether nothing is to be downloaded, by `--offline` or the environment variable HF_HUB_OFFLINE."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _beside_the_file(value: Any, info: ValidationInfo) -> Any:
    """Resolve a file against the folder of the experiment file."""
    if not isinstance(value, str) or not is_file(value):
        return value
    folder = (info.context or {}).get("folder", Path())
    return str(Path(folder, Path(value).expanduser()).resolve())


Weights = Annotated[
    str,
    BeforeValidator(_beside_the_file),
    Field(min_length=1),
    Wording(f"the name of pretrained weights, none, or a file ({', '.join(SUFFIXES)})"),
]


@dataclass(frozen=True)
class WeightFile:
    """Named tensors and what the file says of them."""

    source: str  # for errors
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def renamed(self, rename: Callable[[str], str | None]) -> WeightFile:
        """The same tensors under other names; those renamed to None are left out."""
        renamed = {rename(key): tensor for key, tensor in self.tensors.items()}
        return replace(self, tensors={key: tensor for key, tensor in renamed.items() if key is not None})


def read(path: str) -> WeightFile:
    """Read a file of weights; a pickle in it is never run. Raises MissingInput, BadData."""
    if not Path(path).is_file():
        raise MissingInput(f"no file of weights at {path}")
    return _read_safetensors(path) if path.endswith(".safetensors") else _read_torch(path)


def _read_safetensors(path: str) -> WeightFile:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return WeightFile(path, {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise BadData(f"{path} is not a whole safetensors file: {first_line(error)}") from None
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
            f"{path} holds more than tensors, and loading that could run code: save only the state_dict"
        ) from None
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadData(f"{path} is not a whole file of weights: {first_line(error)}") from None
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror or error}") from None
    return WeightFile(path, _state(content, path))


def _state(content: Any, path: str) -> dict[str, Tensor]:
    """Find the named tensors in what a file holds."""
    import torch

    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    tensors = {k: v for k, v in content.items() if isinstance(v, torch.Tensor)} if isinstance(content, Mapping) else {}
    if not tensors or len(tensors) < len(content) or not all(isinstance(key, str) for key in tensors):
        raise BadData(f"{path} must hold a state_dict: names and their tensors")
    return tensors


def not_got(what: str, error: Exception) -> str:
    """Why something of the hub is not there, and what to try."""
    if is_offline():
        return f"cannot get {what}: it is not on this machine, and nothing is downloaded offline; name a folder with it"
    return f"cannot get {what}: {first_line(error)}"


def first_line(error: Exception) -> str:
    """What an error of a library says, short enough for a sentence."""
    return (str(error).strip().partition("\n")[0] or type(error).__name__).rstrip(".")


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """A sha256 over named tensors, in hex."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def preprocessing_in(path: str) -> dict[str, Any] | None:
    """The preprocessing that a safetensors file carries; None if the file has none, or is not there (yet)."""
    if not path.endswith(".safetensors") or not Path(path).is_file():
        return None
    metadata = read_metadata(path)
    if "preprocessing" not in metadata:
        return described(metadata).get("preprocessing")
    try:
        return dict(json.loads(metadata["preprocessing"]))
    except (ValueError, TypeError):
        raise BadData(f"{path}: its metadata 'preprocessing' is not a JSON object") from None


def described(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What ftaug wrote about a model into the file of its weights: classes, preprocessing and more."""
    try:
        found = json.loads(metadata.get("ftaug", "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def read_metadata(path: str) -> Mapping[str, str]:
    """The texts in the header of a safetensors file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}
    except (SafetensorError, ValueError) as error:
        raise BadData(f"{path} is not a whole safetensors file: {first_line(error)}") from None


def fill(
    network: nn.Module,
    file: WeightFile,
    *,
    head: Stage,
    classes: Sequence[str],
    convert: Callable[[dict[str, Tensor]], Mapping[str, Tensor]] = dict,
) -> None:
    """Copy the tensors of a file into the network; the head only where ftaug wrote it for the same classes.

    `convert` makes tensors of the network's shapes of those in the file. Raises BadData.
    """
    import torch

    same_classes = described(file.metadata).get("classes") == list(classes)
    skipped = Stage(head.name, ()) if same_classes else head
    found = convert(_unwrapped(file.tensors, network))
    theirs = {key: tensor for key, tensor in found.items() if not _under(key, skipped)}
    wanted = {key: tensor for key, tensor in network.state_dict().items() if not _under(key, skipped)}
    if differences := list(_differences(wanted, theirs)):
        more = f" and {len(differences) - 10} more" if len(differences) > 10 else ""
        raise BadData(f"{file.source} does not fit the network: {'; '.join(differences[:10])}{more}")
    for key in theirs:
        if theirs[key].is_floating_point() and not torch.isfinite(theirs[key]).all():
            raise BadData(f"{file.source}: {key} holds values that are not finite numbers")
    with torch.no_grad():
        for key in theirs:
            wanted[key].copy_(theirs[key])


def _unwrapped(tensors: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Take the network out of what was around it when it was saved, unless it has a module of that name itself."""
    own = {f"{name}." for name, _ in network.named_children()}
    found = dict(tensors)
    for prefix in [prefix for prefix in _PREFIXES if prefix not in own] * 2:
        within = {key.removeprefix(prefix): tensor for key, tensor in found.items() if key.startswith(prefix)}
        found = within or found
    return found


def _under(key: str, stage: Stage) -> bool:
    return any(key == module or key.startswith(f"{module}.") for module in stage.modules)


def _differences(wanted: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> Iterator[str]:
    for key, tensor in wanted.items():
        if key not in theirs:
            if not key.endswith("num_batches_tracked"):  # older files lack these counters
                yield f"{key} is missing"
        elif theirs[key].shape != tensor.shape:
            yield f"{key} is {_shape(theirs[key])} instead of {_shape(tensor)}"
        elif theirs[key].is_floating_point() != tensor.is_floating_point():
            yield f"{key} is {theirs[key].dtype} instead of {tensor.dtype}"
    yield from (f"{key} is unknown" for key in theirs if key not in wanted)


def _shape(tensor: Tensor) -> str:
    return "×".join(str(n) for n in tensor.shape) or "a single number"
