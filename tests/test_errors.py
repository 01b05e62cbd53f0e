"""Errors for users: where, what, and what to try; one exit code each."""

import errno
from pathlib import Path

import cv2
import pytest
from safetensors import SafetensorError

from ftaug import errors
from ftaug.errors import (
    ExperimentError,
    FtaugError,
    OutOfMemory,
    Place,
    Problem,
    StorageError,
    as_known,
    first_of,
    missing_extra,
)


def test_a_place_reads_as_editors_take_it():
    assert str(Place("a.yaml", 3, 7)) == "a.yaml:3:7"
    assert str(Place("a.yaml")) == "a.yaml"


def test_each_problem_is_a_line():
    error = ExperimentError(Problem("is wrong", Place("f", 1, 2)), "all is wrong")
    assert str(error) == "f:1:2: is wrong\nall is wrong"
    assert error.exit_code == 2


def test_odd_file_names_cannot_move_the_cursor():
    assert str(Problem("no such file", Place("a\x1b[2J\u202eb.yaml"))) == "a\\x1b[2J\\u202eb.yaml: no such file"


def test_exit_codes_are_distinct():
    codes = [cls.exit_code for cls in FtaugError.__subclasses__() if cls.__module__ == errors.__name__]
    assert len(set(codes)) == len(codes)
    assert set(codes) == {2, 3, 4, 5, 65, 66, 69, 73, 74, 75, 130}


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("rotat", ["rotate", "blur"], "; did you mean 'rotate'?"),
        ("ROTATE", ["rotate", "blur"], "; did you mean 'rotate'?"),
        ("resnet20", ["ResNet20"], "; did you mean 'ResNet20'?"),
        ("x", ["rotate", "blur"], "; there is blur or rotate"),
        ("x", ["rotate"], "; there is rotate"),
        ("x", [], ""),
        ("x", [f"name{i}" for i in range(20)], "; there are 20"),
    ],
)
def test_hints(name, known, hint):
    assert errors.did_you_mean(name, known) == hint


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), OutOfMemory),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), OutOfMemory),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), OutOfMemory),
        (OSError(errno.ENOSPC, "No space left on device", "runs/a"), StorageError),
        (OSError(errno.EDQUOT, "Quota", "runs/a"), StorageError),
        (OSError(errno.EIO, "I/O error"), StorageError),
        (ExperimentError("x"), ExperimentError),
        (RuntimeError("shape mismatch"), type(None)),
        (FileNotFoundError(errno.ENOENT, "No such file"), type(None)),
        (ValueError("out of memory"), type(None)),
    ],
)
def test_what_a_user_can_act_upon(error, kind):
    assert isinstance(as_known(error), kind)


def test_a_full_disk_names_the_file():
    assert (
        str(as_known(OSError(errno.ENOSPC, "x", "runs/a")))
        == "runs/a: No space left on device; free some space and run the same command again"
    )


def test_a_path_that_the_system_refuses_is_shortened():
    """`Path.is_dir` and others raise for such a path, where a missing one is false."""
    with pytest.raises(OSError, match="too long") as caught:
        Path("a" * 5000).is_dir()
    known = as_known(caught.value)
    assert known is not None and known.exit_code == 66
    assert str(known) == f"{'a' * 200}…: cannot be used (File name too long); check the path"


def test_missing_extra_names_the_command():
    error = errors.missing_extra("backbone 'timm/x'", "timm", "timm")
    assert str(error) == "backbone 'timm/x' needs timm: pip install 'ftaug[timm]'"
    assert error.exit_code == 69


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("can't start new thread"),
        SafetensorError("Error while mapping: Cannot allocate memory (os error 12)"),
        cv2.error("OpenCV(5.0.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 4096 bytes"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_lack_of_memory_is_4_wherever_it_shows(error):
    known = as_known(error)
    assert known is not None
    assert known.exit_code == 4
    try:
        raise error
    except Exception:
        assert missing_extra("backbone 'timm/x'", "timm", "timm").exit_code == 4


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EMFILE, "Too many open files"),
        RuntimeError("Too many open files. Communication with the workers is no longer possible."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_too_many_open_files_name_the_limit(error):
    known = as_known(error)
    assert known is not None
    assert known.exit_code == 69
    assert str(known) == "too many open files: raise the limit (ulimit -n 4096), or set data.workers=0"


def test_a_package_that_is_missing_is_no_lack_of_memory():
    try:
        raise ModuleNotFoundError("No module named 'timm'")
    except ImportError:
        assert missing_extra("backbone 'timm/x'", "timm", "timm").exit_code == 69
    assert as_known(ImportError("cannot import name 'x'")) is None


def test_the_first_problems_and_how_many_more():
    problems = [Problem(str(number)) for number in range(1021)]
    assert [problem.message for problem in first_of(problems)][-2:] == ["19", "and 1,001 more problems"]
    assert first_of(problems[:20]) == problems[:20]
