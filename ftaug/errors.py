"""User-facing exceptions, one per exit code; messages say where, what, and what to try."""

import difflib
import errno
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Place:
    """A source place: a file with line and column (from 1), or a command-line argument."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


@dataclass(frozen=True)
class Problem:
    """A problem in the user's input, with its place if known."""

    message: str
    place: Place | None = None

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return printable(text)

    def as_dict(self) -> dict[str, str | int]:
        """Convert to a JSON value: message and place."""
        place = self.place or Place("")
        values = {"message": self.message, "file": place.file or None, "line": place.line, "column": place.column}
        return {key: value for key, value in values.items() if value is not None}


SHOWN = 20
"""Maximum number of problems shown per file."""


def first_of(problems: Sequence[Problem]) -> list[Problem]:
    """The first problems of a file, and how many more there are."""
    more = len(problems) - SHOWN
    return [*problems[:SHOWN], *([Problem(f"and {more:,} more problem{'s' * (more > 1)}")] if more > 0 else [])]


class FtaugError(Exception):
    """An error whose text is for the user; `exit_code` is what the process ends with."""

    exit_code: ClassVar[int] = 1
    result_printed: bool = False
    """Whether the command has printed its result all the same."""

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = tuple(Problem(p) if isinstance(p, str) else p for p in problems)
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class ExperimentError(FtaugError):
    """The command line or the experiment file is wrong."""

    exit_code = 2


class Diverged(FtaugError):
    """Training produced a loss that is not a finite number."""

    exit_code = 3


class OutOfMemory(FtaugError):
    """Host or device memory did not suffice."""

    exit_code = 4


class NotReached(FtaugError):
    """A required result was not reached."""

    exit_code = 5
    result_printed = True


class NoProgress(OutOfMemory):
    """Several starts of a run in a row were killed before its next checkpoint, probably as memory ran out."""


class BadData(FtaugError):
    """Data or weights were found, but their content is wrong."""

    exit_code = 65


class BadSample(BadData):
    """One sample of the data cannot be read."""


class MissingInput(FtaugError):
    """A file or folder that was named is not there or cannot be read."""

    exit_code = 66


class Unavailable(FtaugError):
    """A device, a rank or an optional package is not there."""

    exit_code = 69


class RankLost(Unavailable):
    """Another process of the run ended, or does not respond."""


class RunFolderTaken(FtaugError):
    """The run folder cannot be created, written or owned."""

    exit_code = 73


class RunFolderInUse(RunFolderTaken):
    """Another process writes the run folder."""


class DataChanged(RunFolderTaken):
    """The run folder holds a run on other data."""


class StorageError(FtaugError):
    """The disk is full or reading and writing failed."""

    exit_code = 74


class Stopped(FtaugError):
    """Stopped by a signal or a time limit, with a checkpoint on disk: the same command continues."""

    exit_code = 75


class Interrupted(FtaugError):
    """Ctrl-C."""

    exit_code = 130


def combined(errors: Sequence[FtaugError]) -> FtaugError:
    """One error with the problems of all, to be raised; the exit code is that of the first."""
    return type(errors[0])(*(problem for error in errors for problem in error.problems))


def did_you_mean(name: str, known: Iterable[str], listed_by: str = "") -> str:
    """Return `; did you mean 'x'?` for the nearest of the known names, or what there is, and which command lists it."""
    choices = sorted(known)
    by_lower = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{by_lower[near[0]]}'?"
    if not choices:
        return ""
    if len(choices) <= 16:
        return f"; there is {one_of(choices)}"
    return f"; there are {len(choices)}{listed_by and f', see {listed_by}'}"


def one_of(choices: Sequence[str]) -> str:
    """Join names for a sentence: `a, b or c`."""
    if len(choices) == 1:
        return choices[0]
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def printable(text: str) -> str:
    """Escape control characters, which would move the cursor or change colors, in text such as file names."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def join_words(
    words: Sequence[str], width: int, first_indent: str, indent: str, measure: Callable[[str], int] = len
) -> list[str]:
    """Join words to lines of a width; a longer word has a line of its own."""
    lines = [first_indent + words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if measure(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(indent + word)
    return lines


def wrapped(text: str, width: int, measure: Callable[[str], int] = len) -> str:
    """Wrap the lines of a text at spaces; further lines are indented as the first, and words are never broken."""
    lines: list[str] = []
    for line in text.split("\n"):
        content = line.lstrip(" ")
        indent = line[: len(line) - len(content)]
        lines += join_words(content.split(" "), width, indent, indent, measure)
    return "\n".join(lines)


def missing_extra(what: str, package: str, extra: str) -> FtaugError:
    """The error for a component whose optional package is not installed, or for which there is no memory to import."""
    error = sys.exc_info()[1]
    if error is not None and is_lack_of_memory(error):
        return as_known(error) or OutOfMemory(str(error))
    return Unavailable(f"{what} needs {package}: pip install 'ftaug[{extra}]'")


UNUSABLE = (errno.ENAMETOOLONG, errno.EACCES, errno.ELOOP)
LONGEST_NAME = 200
"""Characters of a file name in a message."""

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def os_error_of(error: BaseException) -> OSError | None:
    """The operating system's error behind an exception: itself, what it was raised from, or what its text quotes.

    Libraries written in Rust (safetensors, tokenizers) give its number in their text alone.
    """
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, OSError) and behind.errno:
            return behind
        if quoted := _QUOTED_ERRNO.search(str(behind)):
            return OSError(number := int(quoted[1] or quoted[2]), os.strerror(number))
        behind = behind.__cause__ or behind.__context__
    return None


_QUOTED_ERRNO = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether an error of Python, of the system, of a library or of the loader of libraries is a lack of memory."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    of_library = type(error).__name__ == "SafetensorError" or type(error).__module__ == "cv2"
    named = isinstance(error, RuntimeError | ImportError | SystemError) or of_library
    return named and any(words in str(error).lower() for words in _MEMORY_WORDS)


_MEMORY_WORDS = (
    "out of memory",
    "allocate memory",
    "insufficient memory",
    "failed to map segment",
    "start new thread",
    "bad_alloc",
)


def first_line(error: Exception) -> str:
    """What an error of a library says, short enough for a sentence."""
    return (str(error).strip().partition("\n")[0] or type(error).__name__).rstrip(".")


def as_known(error: BaseException) -> FtaugError | None:
    """The error that a user can act upon, or None for a defect in ftaug."""
    if isinstance(error, FtaugError):
        return error
    if isinstance(error, ImportError) and is_lack_of_memory(error):
        return OutOfMemory(f"out of memory while importing ({error}): free some memory, or raise the limit (ulimit -v)")
    if is_lack_of_memory(error):
        return OutOfMemory(
            "out of memory: try a smaller train.micro_batch (gradient accumulation) or fewer data.workers"
        )
    if getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE) or str(error).startswith("Too many open files"):
        return Unavailable("too many open files: raise the limit (ulimit -n 4096), or set data.workers=0")
    if isinstance(error, OSError) and error.errno in UNUSABLE:
        name = str(error.filename or "a file")
        shown = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
        return MissingInput(f"{shown}: cannot be used ({error.strerror}); check the path")
    if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        reason = printable(str(error).strip().partition("\n")[0])
        return Unavailable(f"train.compile: PyTorch could not compile the network ({reason}); leave it out")
    return as_storage_error(error)


def as_storage_error(error: BaseException) -> StorageError | None:
    """The error of a full or broken disk, with its file and what to do; None for others."""
    behind = os_error_of(error)
    if behind is None or behind.errno not in (*DISK_IS_FULL, errno.EIO):
        return None
    text = f"{behind.filename or 'a file'}: {os.strerror(behind.errno)}"
    return StorageError(f"{text}; {disk_advice(behind.errno)}")


def disk_advice(number: int | None) -> str:
    """What to do about a full or broken disk, by the number of its error."""
    advice = "free some space" if number in DISK_IS_FULL else "check the disk"
    return f"{advice} and run the same command again"
