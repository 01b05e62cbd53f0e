"""`kill -9` of exports at random moments, in forked children that have everything imported."""

import hashlib
import json
import os
import random
import shutil
import signal
import time

import pytest
from processes import Command
from run_files import train_colors
from small_networks import small_resnet

from ftaug.cli import run
from ftaug.components.exporters import timing
from ftaug.runs.export.folder import RECORD, open_exports

KILLS = 50
TEXTS = """
modality: text
name: texts
data: {train: {text_table: {path: t.csv, text: text, label: label}}, val: {split: 50%}, workers: 0}
backbone: {hf: {path: encoder, weights: none}}
train: {epochs: 1, precision: fp32}
"""


__all__ = ["small_resnet"]


@pytest.fixture(autouse=True)
def _short_timing(monkeypatch):
    """Run each export once to time it."""
    monkeypatch.setattr(timing, "ROUNDS", 1)


@pytest.fixture(scope="module")
def runs(desk, text_desk, small_resnet, tmp_path_factory):
    """A run for each exporter."""
    place = tmp_path_factory.mktemp("kills")
    common = ["--device", "cpu", "--run-dir"]
    tiny = "backbone={timm/test_resnet: {weights: none}}"
    assert run(["train", str(desk / "colors.yaml"), tiny, *common, str(place / "tiny")]) == 0
    assert run(["train", str(desk / "colors.yaml"), "method=lora", *common, str(place / "lora")]) == 0
    (place / "t.csv").write_text(
        "text,label\n" + "".join(f"a {word} film {n},{word}\n" for n in range(8) for word in ("good", "bad"))
    )
    shutil.copytree(text_desk / "encoder", place / "encoder")
    (place / "t.yaml").write_text(TEXTS)
    assert run(["train", str(place / "t.yaml"), *common, str(place / "texts")]) == 0
    assert train_colors(desk, place / "run") == 0
    return place


def digest(folder):
    """A digest over the names and contents of a folder's files, but for times; None where it is not there."""
    if not os.path.lexists(folder):
        return None
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert files
    hashed = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        if path.name == RECORD:
            content = json.dumps({**json.loads(content), "milliseconds": None}).encode()
        hashed.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()


def left_in(exports):
    return sorted(path.name for path in exports.iterdir() if path.name != ".lock")


def killed(command, unfinished, seconds, rng):
    """Kill a command, every other time once it has begun to write; whether it was still running."""
    began, wait = time.monotonic(), rng.uniform(0, seconds)
    if rng.random() < 0.5:
        while not unfinished.exists() and command.poll() is None:
            time.sleep(0.0005)
        wait *= (seconds - (time.monotonic() - began)) / seconds
    time.sleep(max(0.0, wait))
    code = command.kill()
    assert code in (0, -signal.SIGKILL), command.output
    return code == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("name", "target", "settings"),
    [
        ("run", "safetensors", ""),
        ("lora", "adapter", ""),
        ("texts", "transformers", ""),
        ("run", "torch_export", ""),
        ("run", "onnx", ""),
        ("tiny", "onnx_int8", "mode: static, samples: 16, speedup: 0, tolerance: 1"),
        ("tiny", "onnx_fp16", ""),
    ],
)
def test_a_killed_export_leaves_nothing_half(runs, tmp_path, name, target, settings):
    arguments = ["export", str(runs / name), "--format", f"{{{target}: {{{settings}}}}}"]
    exports = runs / name / "exports"
    shutil.rmtree(exports, ignore_errors=True)
    assert run(arguments) == 0  # what the children need is imported now
    shutil.copytree(exports / target, tmp_path / target)
    whole, began = digest(exports / target), time.monotonic()
    command = Command(arguments)
    assert command.wait() == 0, command.output
    seconds = time.monotonic() - began
    assert digest(exports / target) == whole, "two exports differ"
    rng, states, kills = random.Random(0), [], 0
    while kills < KILLS:
        if kills % 2:
            shutil.rmtree(exports / target, ignore_errors=True)
        elif not (exports / target).exists():
            shutil.copytree(tmp_path / target, exports / target)
        kills += killed(Command(arguments), exports / f".tmp-{target}", seconds, rng)
        assert digest(exports / target) in (whole, None)
        states.append(" ".join(left_in(exports)))
        if kills % 10 == 0:
            assert run(arguments) == 0
        else:
            with open_exports(runs / name):  # as the next export begins
                pass
        assert left_in(exports) in ([], [target])
    counts = {state: states.count(state) for state in sorted(set(states))}
    print(f"\n{target}: {kills} kills of {len(states)} exports of {seconds:.1f} s, then in exports/: {counts}")
    assert run(arguments) == 0
    assert left_in(exports) == [target]
