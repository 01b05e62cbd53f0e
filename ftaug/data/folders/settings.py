"""Types of the settings that the folder datasets of all modalities share."""

from __future__ import annotations

from typing import Annotated

from ftaug.config.types import Doc, FilePath

ClassesPath = Annotated[FilePath, Doc("the folder that holds the class folders; name one folder for each split")]
OutsideLinks = Annotated[bool, Doc("follow symbolic links that lead out of the folder")]
