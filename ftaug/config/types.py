"""Types of YAML settings, with their wording in error messages."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ftaug.config.plugins import is_file

if TYPE_CHECKING:
    from ftaug.interfaces.model import TrainingLength


@dataclass(frozen=True)
class Wording:
    """Wording of a type in errors, `ftaug list` and the reference: `must be {text}`."""

    text: str


@dataclass(frozen=True)
class Doc:
    """Explanation of every setting of a type; a component's docstring may have another."""

    text: str


def _number_from_percent(value: Any) -> Any:
    """Parse `20%` as 0.2; return anything else unchanged."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*([\d.]+)\s*%\s*", value)):
        return float(match[1]) / 100
    return value


Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Wording("a probability from 0 to 1")]
Degrees = Annotated[float, Field(ge=0, le=360, allow_inf_nan=False), Wording("an angle from 0 to 360 degrees")]
Fraction = Annotated[
    float,
    BeforeValidator(_number_from_percent),
    Field(gt=0, le=1, allow_inf_nan=False),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^[\d.]+\s*%$"},
            ]
        }
    ),
    Wording("a share above 0 and up to 1, such as 0.2 or 20%"),
]


def _number_from_quotient(value: Any) -> Any:
    """Parse `1/3` as 0.333; anything else as a share."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d{1,6})\s*/\s*([1-9]\d{0,5})\s*", value)):
        return int(match[1]) / int(match[2])
    return _number_from_percent(value)


Quotient = Annotated[
    float,
    BeforeValidator(_number_from_quotient),
    Field(gt=0, lt=1, allow_inf_nan=False),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                {"type": "string", "pattern": r"^[\d.]+\s*%$|^\d+\s*/\s*\d+$"},
            ]
        }
    ),
    Wording("a share between 0 and 1, such as 1/3 or 30%"),
]
Share = Annotated[
    float,
    BeforeValidator(_number_from_percent),
    Field(ge=0, le=1, allow_inf_nan=False),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": r"^[\d.]+\s*%$"}]}
    ),
    Wording("a share from 0 to 1, such as 0.1 or 10%"),
]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), Wording("a number above 0")]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), Wording("a number of 0 or more")]
Count = Annotated[int, Field(ge=1), Wording("a whole number of 1 or more")]
CountOrZero = Annotated[int, Field(ge=0), Wording("a whole number of 0 or more")]
Text = Annotated[str, Field(min_length=1), Wording("a text")]


@dataclass(frozen=True)
class Duration:
    """A length of training: `5%` of the run, `2 epochs` or `300 steps`."""

    amount: float
    unit: str  # "%", "epochs" or "steps"

    wording: ClassVar[str] = "a duration such as 5%, 2 epochs or 300 steps"

    @classmethod
    def parse(cls, value: Any) -> Duration:
        """Read YAML's value; raises ValueError."""
        if isinstance(value, Duration):
            return value
        if value == 0 and not isinstance(value, bool):
            return cls(0, "steps")
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%|epochs?|steps?)", value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError(cls.wording)
        unit = "%" if match[2] == "%" else match[2].rstrip("s") + "s"
        amount = float(match[1])
        if (unit == "%" and amount > 100) or (unit == "steps" and amount != int(amount)):
            raise ValueError(cls.wording)
        return cls(amount, unit)

    def steps(self, length: TrainingLength) -> int:
        """The length in optimizer steps, rounded to the nearest."""
        whole = {"%": length.total_steps / 100, "epochs": length.epoch_steps, "steps": 1}[self.unit]
        return math.floor(self.amount * whole + 0.5)

    def __str__(self) -> str:
        number = repr(float(self.amount)).removesuffix(".0")
        unit = self.unit if self.amount != 1 else self.unit.rstrip("s")
        return f"{number}%" if self.unit == "%" else f"{number} {unit}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate by `parse`."""
        return core_schema.no_info_plain_validator_function(cls.parse)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON Schema, for editors."""
        pattern = r"^\d+(\.\d+)?\s*(%|epochs?|steps?)$"
        return {"anyOf": [{"type": "string", "pattern": pattern}, {"const": 0}]}


def _beside_the_file(value: Any, info: ValidationInfo) -> Any:
    """Resolve a path against the folder of the experiment file."""
    if not isinstance(value, str) or not value:
        raise PydanticCustomError("path", "must be a path")
    folder = (info.context or {}).get("folder", Path())
    return Path(folder, Path(value).expanduser()).resolve()


FilePath = Annotated[Path, BeforeValidator(_beside_the_file), Wording("a path, relative to the experiment file")]


Address = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*://."), Wording("an address such as https://host/train.tar")]
FileOrAddress = Address | FilePath


def absolute_plugin(plugin: str, folder: Path) -> str:
    """Return the absolute path of a plugin file; a module name unchanged."""
    return str(Path(folder, Path(plugin).expanduser()).resolve()) if is_file(plugin) else plugin


def _plugin(value: Any, info: ValidationInfo) -> Any:
    return absolute_plugin(value, (info.context or {}).get("folder", Path())) if isinstance(value, str) else value


Plugin = Annotated[
    str, BeforeValidator(_plugin), Field(min_length=1), Wording("a file such as my_ops.py, or the name of a module")
]


_UNITS_OF_TIME = re.compile(r"(?=\d)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?")
_HOURS_AND_MINUTES = re.compile(r"(?:(\d{1,6})-)?(\d{1,6}):([0-5]\d)(?::([0-5]\d))?")
_SECONDS_OF = (86_400, 3600, 60, 1)  # a day, an hour, a minute, a second


@dataclass(frozen=True)
class TimeLimit:
    """A length of wall-clock time: minutes (`90`), with units (`90s`, `3h30m`), `1:30` hours, or as Slurm prints it."""

    seconds: float

    wording: ClassVar[str] = "minutes, such as 90, or a time such as 90s, 30m, 3h30m, 1:30 (hours) or 1:00:00"

    @classmethod
    def parse(cls, value: Any) -> TimeLimit:
        """Read YAML's value; raises ValueError."""
        if isinstance(value, TimeLimit):
            return value
        seconds: float = 0
        if isinstance(value, str):
            text = value.strip()
            match = _UNITS_OF_TIME.fullmatch(text) or _HOURS_AND_MINUTES.fullmatch(text)
            if match:
                seconds = sum(int(n or 0) * s for n, s in zip(match.groups(), _SECONDS_OF, strict=True))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            seconds = 60 * value
        if not 0 < seconds < math.inf:
            raise ValueError(cls.wording)
        return cls(float(seconds))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate by `parse`."""
        return core_schema.no_info_plain_validator_function(cls.parse)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON Schema, for editors."""
        units = r"^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"
        patterns = [units, r"^(\d+-)?\d+:[0-5]\d(:[0-5]\d)?$"]
        return {
            "anyOf": [
                *({"type": "string", "pattern": pattern} for pattern in patterns),
                {"type": "number", "exclusiveMinimum": 0},
            ]
        }


_RUN_NAME = r"^\w[\w.+-]{0,99}$"


def _run_name(value: Any) -> Any:
    """Validate a folder name; Python's `re`, as pydantic's takes 50 ms to compile the pattern."""
    if isinstance(value, str) and not re.fullmatch(_RUN_NAME, value):
        raise ValueError("not a name")
    return value


RunName = Annotated[
    str,
    BeforeValidator(_run_name),
    WithJsonSchema({"type": "string", "pattern": _RUN_NAME}),
    Wording("a valid folder name: up to 100 letters, digits, '.', '_', '-' or '+', a letter or digit first"),
]
