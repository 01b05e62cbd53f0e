"""The README and docs/ hold what they say: links lead somewhere, YAML loads, Python compiles, commands run."""

import re
import shlex
import string
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from clean_environment import link_packages, run_clean

from ftaug.audio.io.wav import encoded
from ftaug.cli import run
from ftaug.components.exporters import timing
from ftaug.experiment_file import open_experiment
from ftaug.runs.run_report import collect
from ftaug.runs.search.search_file import open_search

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
EXPERIMENT = {"data": {"train": {"digits": {}}}, "backbone": {"resnet20": {}}}

SHORT = [
    (r"\bepochs: \d+", "epochs: 1"),
    (r"\btrain: digits\b", "train: {digits: {per_class: 15}}"),
    (r"\btrain: instruments\b", "train: {instruments: {per_class: 4}}"),
    (r"\btrain: spoken\b", "train: {spoken: {per_class: 4}}"),
    (r"\btrain: {docstrings: .*}", "train: {docstrings: {per_class: 4}}"),
    (r"\bval: (digits|docstrings|instruments|spoken)\b", "val: {split: 40%}"),
    (r"\btest: (digits|docstrings|instruments|spoken)\b", "test: {split: 20%}"),
    (r"\bbatch_size: \d+", "batch_size: 16"),
]
"""What makes the runs of configs/ last a second."""


class Block(NamedTuple):
    """A fenced block of a document."""

    document: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    found = []
    for document in DOCUMENTS:
        text = document.read_text()
        for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if match[1] in languages:
                found.append(Block(document, text.count("\n", 0, match.start()) + 1, match[1], match[2]))
    return found


def anchors(document: Path) -> set[str]:
    """What `#…` may name in a document, as GitHub makes it from the headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert not dead


@pytest.fixture
def desk(tmp_path):
    """A folder like a reader's: the configs on a few samples, some photos and arrays, and the docs' own files."""
    import numpy as np
    from PIL import Image

    (tmp_path / "configs").mkdir()
    for file in ROOT.glob("configs/*.yaml"):
        short = file.read_text()
        for pattern, replacement in SHORT:
            short = re.sub(pattern, replacement, short)
        (tmp_path / "configs" / file.name).write_text(short)
    rng = np.random.default_rng(0)
    for label in ("daisy", "rose"):
        for number in range(8):
            path = tmp_path / "photos" / label / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(path)
            sound = tmp_path / "sounds" / label / f"{number}.wav"
            sound.parent.mkdir(parents=True, exist_ok=True)
            sound.write_bytes(encoded(rng.normal(0, 3000, 8000).astype(np.int16), 16_000))
    (tmp_path / "notes.txt").write_text("Return the absolute value of x.\nOpen the file and lock it.\n")
    images = rng.integers(0, 256, (16, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "cells.npz", images=images, labels=["round", "flat"] * 8)
    for block in blocks("python", "yaml"):
        if name := re.match(r"# (\w+\.(py|yaml))\n", block.text):
            (tmp_path / name[1]).write_text(block.text)
    return tmp_path


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_loads(block, desk, monkeypatch, capsys):
    """A whole experiment as it is; a part of one in the place of that part of a small experiment."""
    tree = yaml.safe_load(block.text)
    if "data" in tree and "backbone" not in tree:
        tree["data"] = EXPERIMENT["data"] | tree["data"]
    whole = tree if "backbone" in tree and "data" in tree else EXPERIMENT | tree
    file = desk / "experiment.yaml"
    file.write_text(block.text if whole is tree else yaml.safe_dump(whole, sort_keys=False))
    monkeypatch.chdir(desk)
    if "{search: " in block.text:  # which other commands than `ftaug search` refuse
        assert open_search(open_experiment(file)).spaces
        return
    if "plugins" not in tree:
        code = run(["validate", "experiment.yaml"])
        assert code == 0, capsys.readouterr().err
        return
    # a plugin registers its components for the rest of a process
    program = "import sys; from ftaug.cli import run; sys.exit(run(['validate', 'experiment.yaml']))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_compiles(block):
    assert compile(block.text, str(block), "exec")


def test_the_python_page_runs(desk, monkeypatch):
    """Its blocks in order, after the command that writes the experiment file."""
    monkeypatch.chdir(desk)
    assert run(["init", "photos", "--output", "flowers.yaml"]) == 0
    for block in blocks("python"):
        if block.document.name == "python.md":
            exec(compile(block.text, str(block), "exec"), {})


def not_of_ftaug(line: str) -> bool:
    """Whether a line of a `sh` block is to be looked at, not run: it installs, or runs a script of the repository."""
    if line.startswith("pip install ") and "[" in line:
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        named = re.search(r"\[([\w,]+)\]", line)
        assert named is None or set(named[1].split(",")) <= set(extras), line
        return True
    if line.startswith("scripts/"):
        assert (ROOT / line.split()[0]).is_file(), line
        return True
    return line.startswith(("git clone ", "cd ftaug"))


@pytest.mark.parametrize("document", sorted({block.document for block in blocks("sh")}), ids=lambda d: d.name)
def test_commands_run(document, desk, monkeypatch, capsys):
    """All commands of a document from top to bottom, as a shell would, but in this process: torch is slow to import.

    `pip install A B` gives the `python` lines after it a Python with those packages and no others.
    """
    monkeypatch.chdir(desk)
    monkeypatch.setattr(timing, "ROUNDS", 1)
    monkeypatch.setattr(collect, "SECTIONS", collect.AFTER_TRAINING)  # explanations take longer than all else
    packages = desk / "packages"
    variables: dict[str, str] = {}
    shown = "".join(block.text for block in blocks("sh") if block.document == document)
    for line in filter(str.strip, shown.splitlines()):
        if not_of_ftaug(line):
            continue
        name, command, target = re.fullmatch(r"(?:(\w+)=)?(?:\$\()?(.*?)\)?(?: > (\S+))?", line).groups()
        words = shlex.split(string.Template(command).substitute(variables))
        if words[:2] == ["pip", "install"]:
            packages = desk / f"packages-{'-'.join(words[2:])}"
            link_packages(packages, words[2:])
            continue
        if words[0] == "python":
            done = run_clean(packages, *words[1:], cwd=desk)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            assert done.stdout, line
            continue
        if words[0] != "ftaug":
            assert name, line
            variables[name] = words[0]
            continue
        code = run(words[1:])
        printed = capsys.readouterr()
        assert code == 0, f"{line}\n{printed.err}"
        if name:
            variables[name] = printed.out.strip()
        if target:
            Path(target).write_text(printed.out)


def test_the_component_reference_is_up_to_date(tmp_path):
    subprocess.run([sys.executable, ROOT / "scripts" / "docs", tmp_path], check=True, timeout=60)
    stored = {file.name: file.read_text() for file in (ROOT / "docs" / "reference").glob("*.md")}
    written = {file.name: file.read_text() for file in tmp_path.glob("*.md")}
    assert stored == written, "run scripts/docs"
