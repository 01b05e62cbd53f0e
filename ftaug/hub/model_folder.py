"""Files of a model of transformers, in a folder or on the Hub."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo

from ftaug.config.types import Wording
from ftaug.errors import BadData, MissingInput, first_line, missing_extra
from ftaug.weights import download_error


def _folder_or_name(value: Any, info: ValidationInfo) -> Any:
    """Resolve a folder relative to the experiment file, if it exists; otherwise keep the name of a model on the Hub."""
    if not isinstance(value, str) or not value:
        return value
    folder = Path((info.context or {}).get("folder") or "", Path(value).expanduser())
    return str(folder.resolve()) if folder.is_dir() or value.startswith((".", "/", "~")) else value


ModelPath = Annotated[
    str,
    BeforeValidator(_folder_or_name),
    Field(min_length=1),
    Wording("a folder that transformers wrote, or the name of a model on the hub"),
]


def library(what: str) -> Any:
    """Import transformers with its log output disabled; raises Unavailable."""
    try:
        transformers: Any = import_module("transformers")
    except ImportError:
        raise missing_extra(what, "transformers", "text") from None
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def json_file(where: str, path: str, file: str) -> dict[str, Any]:
    """Read a JSON object in a folder or from the Hub, without the library transformers.

    `where` names the setting or the option in messages. Raises BadData, MissingInput, Unavailable.
    """
    try:
        content = json.loads(_located(where, path, file).read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingInput(f"{where}: {download_error(f'{file} of {path}', error)}") from None
    except ValueError as error:
        raise BadData(f"{where}: {file} of {path} is not JSON: {first_line(error)}") from None
    if not isinstance(content, dict):
        raise BadData(f"{where}: {file} of {path} is not a JSON object")
    return content


def _located(where: str, path: str, file: str) -> Path:
    """Return the path of a file in a folder, or of one of the Hub, which is downloaded; raises OSError, Unavailable."""
    if Path(path).is_dir():
        return Path(path, file)
    try:
        hub, utils = import_module("huggingface_hub"), import_module("huggingface_hub.utils")
    except ImportError:
        raise missing_extra(f"{where} {path}", "huggingface_hub", "text") from None
    utils.logging.set_verbosity_error()  # it would report each of its attempts
    utils.disable_progress_bars()
    try:
        return Path(hub.hf_hub_download(path, file))
    except ValueError as error:  # a name that the hub does not allow
        raise OSError(first_line(error)) from None


def weights_file(path: str) -> str:
    """Return the path of the safetensors file of a folder or of a model on the Hub; raises MissingInput."""
    if Path(path).is_absolute():
        file = Path(path, "model.safetensors")
        if not file.is_file():
            raise MissingInput(
                f"{path} holds no model.safetensors, and other files, which may run code, are not read: "
                "load it with transformers and write it with save_pretrained"
            )
        return str(file)
    from transformers.utils.hub import cached_file

    try:
        return str(cached_file(path, "model.safetensors"))
    except OSError as error:
        raise MissingInput(download_error(f"model.safetensors of {path}", error)) from None


def has_weights(path: str) -> bool:
    """Whether the safetensors file is in the folder, or cached from the Hub."""
    if Path(path).is_absolute():
        return Path(path, "model.safetensors").is_file()
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(path, "model.safetensors"), str)


def refuse_code(model: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise BadData for a model that needs `trust_remote_code`, by its files' content; its code is never loaded.

    `model` names it in the message.
    """
    for file, content in settings.items():
        if "auto_map" in content:
            raise BadData(
                f"{model} contains its own code (auto_map in {file}), which is not run: "
                "use a model that transformers supports"
            )
