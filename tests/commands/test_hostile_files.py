"""Files of strangers: nothing in them is run, followed out of its folder, waited for, or printed as terminal codes."""

import io
import json
import os
import pickle
import shutil
import struct
import zipfile

import pytest
import torch
from run_files import noise

from ftaug.cli import run


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, canary):
        self.canary = str(canary)

    def __reduce__(self):
        return open, (self.canary, "w")


def pickled(payload) -> bytes:
    return pickle.dumps(payload)


def saved(payload) -> bytes:
    file = io.BytesIO()
    torch.save({"state_dict": {"a": payload}}, file)
    return file.getvalue()


def saved_the_old_way(payload) -> bytes:
    file = io.BytesIO()
    torch.save({"a": payload}, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def zipped(payload) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(payload))
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


PICKLES = (pickled, saved, saved_the_old_way, zipped)
HEADERS = {
    "longer than the file": struct.pack("<Q", 1 << 40) + b"{}",
    "no JSON": struct.pack("<Q", 8) + b"\xff" * 8,
    "nested": struct.pack("<Q", 60_000) + b'{"a":' * 12_000,
    "offsets behind the end": b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,99999999]}}',
    "offsets that overlap": b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
    b'"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
    "a shape beyond all memory": b'{"a":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,4]}}',
    "an unknown type": b'{"a":{"dtype":"O","shape":[1],"data_offsets":[0,4]}}',
}
"""Headers of safetensors files; those without a length get one, and four bytes of data."""


@pytest.fixture
def copied(desk, tmp_path):
    shutil.copytree(desk / "run", tmp_path / "run", symlinks=True)
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("name", "content"),
    [*(("w.pt", content) for content in PICKLES), ("w.pth", saved), ("w.bin", zipped), ("w.safetensors", pickled)],
)
def test_a_pickle_in_a_weight_file_is_not_run(desk, tmp_path, capsys, name, content):
    (tmp_path / name).write_bytes(content(Payload(tmp_path / "canary")))
    weights = f"{{path: {tmp_path / name}}}"
    words = ["train", str(desk / "colors.yaml"), f"backbone={{resnet20: {{weights: {weights}}}}}"]
    assert run([*words, "--run-dir", str(tmp_path / "run")]) == 65
    assert str(tmp_path / name) in capsys.readouterr().err
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("content", PICKLES)
def test_a_pickle_in_a_checkpoint_is_not_run(copied, tmp_path, desk, content):
    for file in copied.rglob("*.safetensors"):
        file.write_bytes(content(Payload(tmp_path / "canary")))
    assert run(["predict", str(copied), str(desk / "photos" / "test")]) == 65
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_hostile_header_of_safetensors_is_refused(desk, tmp_path, capsys, header):
    content = header if header[8:9] not in b'"a' else struct.pack("<Q", len(header)) + header + b"\0" * 4
    (tmp_path / "w.safetensors").write_bytes(content)
    weights = tmp_path / "w.safetensors"
    assert run(["inspect", str(desk / "colors.yaml"), f"backbone={{resnet20: {{weights: {weights}}}}}"]) == 65
    assert "w.safetensors is not a complete safetensors file" in capsys.readouterr().err


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["model.json", "best/model.safetensors", "best/manifest.json", "calibration.json"])
def test_a_pipe_in_a_run_folder_is_not_waited_for(copied, desk, capsys, name):
    (copied / name).unlink(missing_ok=True)
    os.mkfifo(copied / name)
    assert run(["predict", str(copied), str(desk / "photos" / "test")]) == 65
    assert len(capsys.readouterr().err.splitlines()) <= 3


@pytest.mark.parametrize("name", ["model.json", "resolved.yaml", "metrics.jsonl", "complete.json", "best"])
def test_a_link_to_somewhere_in_a_run_folder_is_never_written_through(copied, tmp_path, desk, name):
    outside = tmp_path / "outside"
    if (copied / name).is_dir():
        (copied / name).resolve().rename(outside)
    else:
        (copied / name).rename(outside)
    (copied / name).unlink(missing_ok=True)
    (copied / name).symlink_to(outside)
    before = sorted((path.name, path.read_bytes()) for path in [outside, *outside.glob("*")] if path.is_file())
    for words in (["evaluate", str(copied)], ["train", str(copied)], ["predict", str(copied), str(desk / "photos")]):
        assert run(words) in (0, 2, 65, 66, 73)
    assert before == sorted((path.name, path.read_bytes()) for path in [outside, *outside.glob("*")] if path.is_file())


@pytest.mark.parametrize("words", [["inspect", "--read"], ["doctor"], ["preview", "--output", "sheet.png"]])
def test_names_with_terminal_codes_are_printed_without_them(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    for position, name in enumerate(("red\x1b[2J", "blue\x9b2J", "\u202egreen\x07")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(4):
            noise(position, number).save(tmp_path / "photos" / name / f"{number}\x1b]0;title\x07.png")
    (tmp_path / "photos" / "blue\x9b2J" / "bad\x1b[31m.png").write_bytes(b"no picture")
    (tmp_path / "e.yaml").write_text(
        "data: {train: {image_folder: {path: photos}}, val: {split: 25%}, workers: 0, bad_samples: {skip: 50%}}\n"
        "backbone: {resnet20: {weights: none}}\naugment: [horizontal_flip]\n"
    )
    run([words[0], "e.yaml", *words[1:]])
    shown = capsys.readouterr()
    assert "bad" in shown.out + shown.err or words[0] == "preview"
    assert not set(shown.out + shown.err) & set("\x1b\x9b\x07\u202e")


@pytest.mark.parametrize("command", ["evaluate", "predict", "inspect", "status"])
def test_names_in_a_run_folder_are_printed_without_terminal_codes(copied, desk, capsys, command):
    facts = json.loads((copied / "model.json").read_text())
    facts["classes"] = [f"\x1b[2J{name}\x9b" for name in facts["classes"]]
    (copied / "model.json").write_text(json.dumps(facts))
    run([command, str(copied), *([str(desk / "photos" / "test")] if command == "predict" else [])])
    shown = capsys.readouterr()
    assert not set(shown.out + shown.err) & set("\x1b\x9b")
