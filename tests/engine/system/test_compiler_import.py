import json
import subprocess
import sys

STEPS = """
import hashlib, json, sys
import torch
from ftaug.components.optimizers import optimizers
from ftaug.config.kinds import optimizer
from ftaug.engine.system.compiler_import import spare
if "spare" in sys.argv:
    spare()
digests = {}
for name in optimizer:
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(4, 4)), torch.nn.Parameter(torch.randn(4))]
    groups = [{"params": [one], "lr": 0.1, "decays": True, "name": "all", "hidden": [one.ndim > 1]} for one in weights]
    made = optimizer[name].function(groups)
    for _ in range(3):
        (weights[0].sigmoid() * weights[1]).sum().backward()
        made.step()
        made.load_state_dict(made.state_dict())
        made.zero_grad()
    assert weights[0].grad is None
    digests[name] = hashlib.sha256(b"".join(one.detach().numpy().tobytes() for one in weights)).hexdigest()
print(json.dumps([digests, "torch._dynamo" in sys.modules]))
"""


def after_steps(*arguments):
    ended = subprocess.run([sys.executable, "-c", STEPS, *arguments], check=True, capture_output=True, text=True)
    return json.loads(ended.stdout)


def test_every_optimizer_takes_the_same_steps_without_the_compiler():
    """That the second process imports it is a control; with a torch that does not, this module can be removed."""
    spared, imported = after_steps("spare")
    assert not imported and len(spared) > 5
    assert [spared, True] == after_steps()


TRAINING = """
import sys
from ftaug.cli import run
code = run(["train", "configs/quickstart.yaml", "train.epochs=1", "--no-report", "--run-dir", *sys.argv[1:]])
print("torch._dynamo" in sys.modules, code)
"""


def test_training_does_not_import_the_compiler(tmp_path):
    arguments = [str(tmp_path / "run"), "data.train={digits: {per_class: 2}}"]
    ended = subprocess.run([sys.executable, "-c", TRAINING, *arguments], capture_output=True, text=True)
    assert ended.stdout.split()[-2:] == ["False", "0"], ended.stderr
