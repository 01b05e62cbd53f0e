"""Cores: the least of what affinity, control groups and SLURM allow, with its reason."""

import os
from pathlib import Path

import pytest

from ftaug.engine.system.cpu_count import Cores, allowed_cores, threads_from


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of eight cores, without SLURM."""
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)


def found(place: Path, own: str, files: dict[str, str]) -> Cores:
    """What is allowed below control groups of such files."""
    for name, text in files.items():
        (place / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "groups" / name).write_text(text)
    (place / "own").write_text(own)
    return allowed_cores(place / "groups", place / "own")


def test_without_limits_all_cores_are_used(tmp_path: Path) -> None:
    assert allowed_cores(tmp_path, tmp_path / "none") == (8, "all cores")
    assert found(tmp_path, "0::/job\n", {"job/cpu.max": "max 100000\n"}) == (8, "all cores")


def test_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 7}, raising=False)
    assert allowed_cores(tmp_path, tmp_path / "none") == (3, "the process's affinity")


@pytest.mark.parametrize(
    ("own", "files", "count"),
    [
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/outer/job\n", {"outer/cpu.max": "300000 100000\n", "outer/job/cpu.max": "max 100000\n"}, 3),
        (
            "5:memory:/m\n4:cpu,cpuacct:/job\n",
            {"cpu/job/cpu.cfs_quota_us": "400000\n", "cpu/job/cpu.cfs_period_us": "100000\n"},
            4,
        ),
        ("4:cpu,cpuacct:/job\n", {"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
    ],
)
def test_the_tightest_control_group_counts(tmp_path: Path, own: str, files: dict[str, str], count: int) -> None:
    assert found(tmp_path, own, files) == (count, "the control group's quota")


def test_an_unlimited_group_of_version_1_does_not_count(tmp_path: Path) -> None:
    files = {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}
    assert found(tmp_path, "4:cpu:/\n", files).number == 8


def test_slurm_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "3")
    assert allowed_cores(tmp_path, tmp_path / "none") == (3, "SLURM_CPUS_PER_TASK")


def test_the_reason_of_the_threads_names_who_set_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")
    assert threads_from(None) == "SLURM_CPUS_PER_TASK"
    assert threads_from("4") == "OMP_NUM_THREADS=4"
