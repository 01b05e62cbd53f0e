import json

from predictions import single_label
from reported_runs import reported
from run_files import STATUS

from ftaug.interfaces.document import Code
from ftaug.runs.run_report.reproduction import reproduction


def test_it_has_what_the_run_depends_on(tmp_path):
    environment = {
        "python": "3.12.1",
        "packages": {"torch": "2.15.0"},
        "command": ["/somewhere/ftaug/__main__.py", "train", "my file.yaml", "lr.peak=1"],
        "threads": 2,
        "git": None,
    }
    (tmp_path / "environment.json").write_text(json.dumps(environment))
    (tmp_path / "status.json").write_text(json.dumps({**STATUS, "digest": "0123456789abcdef"}))
    (tmp_path / "resolved.yaml").write_text("name: cats\n")
    run = reported(single_label(), tmp_path, facts={"weights_from": {"weights": "letters", "license": "Apache-2.0"}})
    section = reproduction(run)
    codes = [block.text for block in section.blocks if isinstance(block, Code)]
    assert codes == ["ftaug train 'my file.yaml' lr.peak=1", "name: cats\n"]
    rows = dict(section.blocks[1].rows)
    assert rows["hash of the experiment"] == "01234567" and rows["seed"] == "0" and rows["torch"] == "2.15.0"
    assert rows["weights"] == "letters, license Apache-2.0" and "git commit" not in rows


def test_a_run_without_these_files_has_its_experiment(tmp_path):
    (tmp_path / "resolved.yaml").write_bytes(b"name: \xff\n")
    assert "name" in reproduction(reported(single_label(), tmp_path)).blocks[-1].text
