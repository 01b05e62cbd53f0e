"""The batch scripts of docs/clusters.md, with commands in the place of ftaug and of the queues."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "clusters.md"
COMMANDS = {
    "ftaug": """
echo "$@" >> calls
code=$(sed -n "$(wc -l < calls)p" codes)
if [ "$code" = wait ]; then
  trap 'exit 75' TERM USR1
  touch waiting
  sleep 20 & wait
fi
exit "$code"
""",
    "qsub": 'echo "qsub $1" >> queue; PBS_O_WORKDIR=$PWD setsid bash "$1"; exit 0',
    "bsub": """
cat > job
code=$(sed -n 's/^#BSUB -Q //p' job)
while echo bsub >> queue; bash job; status=$?; [ "$status" = "$code" ]; do :; done
exit "$status"
""",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the scripts of the page, and the commands on PATH."""
    for name, content in COMMANDS.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{content}")
        (tmp_path / name).chmod(0o755)
    section = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    for name, title in (("loop", "With a loop"), ("flowers.pbs", "On a PBS"), ("flowers.lsf", "On an LSF")):
        text = next(each for each in section if each.startswith(title))
        (tmp_path / name).write_text(re.search(r"```bash\n(.*?)```", text, re.DOTALL)[1])
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def calls():
    return len(Path("calls").read_text().splitlines())


SUBMIT = {"loop": "bash loop", "pbs": "qsub flowers.pbs", "lsf": "bsub < flowers.lsf"}


@pytest.mark.parametrize("queue", SUBMIT)
@pytest.mark.parametrize(("codes", "count"), [("75 75 0", 3), ("75 65 0", 2), ("0", 1)])
def test_a_stopped_run_is_continued_and_a_failed_one_is_not(folder, queue, codes, count) -> None:
    Path("codes").write_text(codes.replace(" ", "\n") + "\n")
    code = subprocess.run(["bash", "-c", SUBMIT[queue]], check=False).returncode
    assert calls() == count
    if queue == "pbs":
        assert Path("queue").read_text().splitlines() == ["qsub flowers.pbs"] * count
    elif queue == "loop":
        assert code == (codes == "75 65 0")
    else:
        assert code == (65 if "65" in codes else 0)


@pytest.mark.parametrize(("queue", "number"), [("pbs", signal.SIGTERM), ("lsf", signal.SIGUSR1)])
def test_a_signal_to_the_whole_job_queues_it_again(folder, queue, number) -> None:
    Path("codes").write_text("wait\n0\n")
    environment = {**os.environ, "PBS_O_WORKDIR": str(folder)}
    job = subprocess.Popen(["bash", f"flowers.{queue}"], env=environment, start_new_session=True)
    while not Path("waiting").exists():
        time.sleep(0.02)
    os.killpg(job.pid, number)
    assert job.wait() == 75  # the code with which LSF queues the job again
    assert calls() == (2 if queue == "pbs" else 1)


@pytest.mark.parametrize("name", ["loop", "flowers.pbs", "flowers.lsf"])
def test_the_syntax_is_right(folder, name) -> None:
    assert subprocess.run(["bash", "-n", name], check=False).returncode == 0
