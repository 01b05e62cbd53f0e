"""`ftaug init`: write an experiment file for a folder or a table."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ftaug.errors import ExperimentError, MissingInput, RunFolderTaken, did_you_mean

if TYPE_CHECKING:
    from ftaug.interfaces.modality import InitConfig


class Modality(StrEnum):
    """What the samples are."""

    image = "image"
    text = "text"
    audio = "audio"


def init(
    path: Annotated[
        Path,
        typer.Argument(
            help="A folder with one folder of pictures, texts or sounds per class, a table, archives or Parquet files.",
            metavar="DATA",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, instead of DATA.yaml.", metavar="FILE")
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            help="The network, such as resnet50 or timm/NAME; for texts and sounds also a folder or a name on the hub.",
            metavar="NAME",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Its weights: imagenet, none or a file.", metavar="WEIGHTS"),
    ] = None,
    modality: Annotated[Modality | None, typer.Option(help="The modality of the data; inferred by default.")] = None,
) -> None:
    """Write an experiment file for a folder or a table, with a reason beside each setting."""
    from ftaug.experiment_file import import_components
    from ftaug.interfaces.modality import RequestedModel

    check_there(path)
    target = output or Path(f"{path.resolve().stem if path.is_file() else path.resolve().name}.yaml")
    if target.exists():
        raise RunFolderTaken(f"{target} is already there; name another file: ftaug init {path} -o FILE")
    name = modality.value if modality else most_likely(path)
    import_components(name)
    text = _init_config(name).experiment(path, target, RequestedModel(backbone, weights))
    _write(text, path, target)
    print(target)
    print(f"next: ftaug train {shlex.quote(str(target))}", file=sys.stderr)


def _write(text: str, path: Path, target: Path) -> None:
    """Write the file and validate it; delete it if invalid."""
    from ftaug.experiment_file import load

    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except UnicodeEncodeError:
        target.unlink()
        raise ExperimentError(f"{path}: a path that is not UTF-8 cannot be written into an experiment file") from None
    except OSError as error:
        raise RunFolderTaken(f"{target} cannot be written: {error.strerror}") from None
    try:
        load(target)
    except ExperimentError:
        target.unlink()
        raise


def check_there(path: Path) -> None:
    """Raise MissingInput for a missing path, naming a similar one."""
    if not path.exists():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise MissingInput(f"no file or folder {path}{did_you_mean(path.name, beside)}")


def most_likely(path: Path) -> str:
    """Return the modality with most samples at the path; the first if none, as its errors say what is missing."""
    from ftaug.data.shards.containers import container_at
    from ftaug.experiment_file import MODALITIES

    samples = {modality: _init_config(modality).samples_in(path) for modality in MODALITIES}
    if path.is_file() and not any(samples.values()) and container_at(path) is None:
        raise MissingInput(f"{path}: no table, archive, Parquet file or folder with one folder per class")
    return max(samples, key=lambda modality: samples[modality])


def _init_config(modality: str) -> InitConfig:
    return cast("InitConfig", import_module(f"ftaug.{modality}.init_config"))
