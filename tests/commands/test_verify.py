"""`ftaug verify` on a run that was trained."""

import json
import shutil
import subprocess
import sys

from ftaug.cli import run


def test_a_trained_run_is_good_and_every_damage_is_named(desk, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(desk / "run", folder, symlinks=True)
    assert run(["verify", str(folder), "--json"]) == 0
    (checked,) = json.loads(capsys.readouterr().out)
    assert checked["good"]
    assert {file["state"] for file in checked["files"]} == {"good"}
    assert {"checkpoints/step-0000012", "best", "samples.csv", "metrics.jsonl", "report/report.html"} <= {
        file["path"] for file in checked["files"]
    }
    weights = next(folder.glob("checkpoints/*/optimizer.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1])
    (folder / "samples.csv").unlink()
    assert run(["verify", str(folder)]) == 65
    out, err = capsys.readouterr()
    assert out.startswith(f"{folder}: complete, ")
    assert f"{folder}/samples.csv: is missing\n" in err
    assert f"{weights.parent}: optimizer.safetensors: its content differs from its hash" in err


def test_it_does_not_import_torch(desk):
    program = "import sys; from ftaug.cli import run; assert run(sys.argv[1:]) == 0; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program, "verify", str(desk / "run")], check=True)
