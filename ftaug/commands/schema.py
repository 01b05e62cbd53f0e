"""`ftaug schema`: the JSON Schema of the experiment file."""

from __future__ import annotations


def schema() -> None:
    """Print the JSON Schema of the experiment file, for editors."""
    from ftaug.config.json_schema import experiment_schema
    from ftaug.config.strict_json import dumps
    from ftaug.experiment_file import MODALITIES, import_components

    for modality in MODALITIES:
        import_components(modality)
    print(dumps(experiment_schema(tuple(MODALITIES)), indent=1))
