import json

import pytest

from ftaug.errors import BadData, MissingInput
from ftaug.runs import replay_file

CONTENT = {
    "step": 3,
    "epoch": 1,
    "loss": "nan",
    "gradient_norm": None,
    "rate": 0.1,
    "action": "stop",
    "digest": "0123",
    "seed": 0,
    "micro_batches": [{"part": 0, "seed": 5, "ids": [1, 2], "samples": ["a", "b"]}],
}


def test_the_latest_record_is_read(tmp_path):
    with pytest.raises(MissingInput, match="has no step"):
        replay_file.newest(tmp_path)
    (tmp_path / "nonfinite").mkdir()
    for step in (12, 3):
        (tmp_path / "nonfinite" / f"step-{step:07d}.json").write_text(json.dumps({**CONTENT, "step": step}))
    content = replay_file.read(replay_file.newest(tmp_path))
    assert (content.step, content.samples) == (12, 2)


@pytest.mark.parametrize("change", [{"step": None}, {"unknown": 1}, {"micro_batches": [{"part": 0}]}])
def test_a_damaged_record_is_bad_data(tmp_path, change):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**CONTENT, **change}))
    with pytest.raises(BadData, match=r"a\.json: "):
        replay_file.read(path)
    with pytest.raises(MissingInput, match="does not exist"):
        replay_file.read(tmp_path / "b.json")
