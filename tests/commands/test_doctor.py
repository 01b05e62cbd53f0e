"""`ftaug doctor` on folders with planted faults."""

import json
import subprocess
import sys

import yaml
from doctor_data import write_pictures

from ftaug.cli import run


def doctor(capsys, *arguments):
    code = run(["doctor", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_exit_codes(tmp_path, capsys):
    config = write_pictures(tmp_path)
    assert doctor(capsys, config) == (0, doctor(capsys, config)[1])
    (tmp_path / "train" / "cat" / "0.png").write_bytes(b"hello")
    code, report = doctor(capsys, config)
    assert code == 65
    assert report["unreadable"][0]["name"] == str(tmp_path / "train" / "cat" / "0.png")
    assert run(["doctor", str(tmp_path / "missing.yaml")]) == 66
    assert "missing.yaml" in capsys.readouterr().err


def test_fix_needs_a_folder_and_files_are_named(tmp_path, capsys):
    config = write_pictures(tmp_path)
    assert run(["doctor", str(config), "--fix", "groups"]) == 2
    assert "name its folder with --output" in capsys.readouterr().err
    assert run(["doctor", str(config), "--fix", "groups", "--output", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert f"wrote {tmp_path}/out/labels.csv" in text
    assert yaml.safe_load(text[text.index("data:") :])["data"]["train"]["image_table"]["group"] == "group"
    code, report = doctor(capsys, config, "-o", tmp_path / "out")
    assert (code, report["labels"], report["sheet"]) == (0, f"{tmp_path}/out/labels.csv", None)
    assert report["data"]["test"]["image_table"]["split_column"] == "split"


def test_data_alone_needs_no_torch(tmp_path):
    config = write_pictures(tmp_path)
    program = (
        "import sys; from ftaug.cli import run; code = run(['doctor', sys.argv[1]]); "
        "print('torch' in sys.modules, code, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, config], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1] == "False 0", done.stderr
