"""`ftaug list`: list components and settings of the experiment file."""

from __future__ import annotations

from typing import Annotated

import typer

from ftaug.commands.options import AsJson


def list_(
    kind: Annotated[
        str | None, typer.Argument(help="A kind such as augmentation, a component, or a section such as train.")
    ] = None,
    name: Annotated[str | None, typer.Argument(help="One component of the kind, or one key of the section.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what an experiment file can name."""
    from ftaug.config.listing import describe
    from ftaug.config.strict_json import dumps
    from ftaug.experiment_file import MODALITIES, import_components

    for modality in MODALITIES:
        import_components(modality)
    result, lines = describe(kind, name)
    print(dumps(result, indent=2) if as_json else "\n".join(lines))
