import json
from pathlib import Path

import pytest
from run_files import MODEL

from ftaug.errors import ExperimentError
from ftaug.runs.reproduce import default_output, reproduce


def test_the_default_folder_is_beside_the_run(tmp_path, monkeypatch):
    assert default_output(Path("runs/digits-1a2b")) == Path("runs/digits-1a2b-reproduced")
    monkeypatch.chdir(tmp_path)
    assert default_output(Path()) == tmp_path.with_name(f"{tmp_path.name}-reproduced")


def test_averaged_weights_were_not_trained(tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({**MODEL, "mixed": "soup"}))
    with pytest.raises(ExperimentError, match=r"was averaged \(soup\), not trained"):
        reproduce(tmp_path, tmp_path / "again", "cpu")
