"""Networks of transformers for sounds through whole commands: stages, rates, low rank, export."""

import json
import math

import numpy as np
import pytest
import sound_networks as networks
from processes import Command
from safetensors.numpy import load_file
from sounds import write_classes

pytestmark = pytest.mark.slow
EXPERIMENT = """\
name: sounds
modality: audio
data: {{train: {{audio_folder: {{path: sounds}}}}, val: {{split: 50%}}, workers: 0}}
backbone: {{hf: {{path: network{settings}}}}}
lr: {{layer_decay: 0.8}}
train: {{epochs: 1}}
"""


def train(folder, family, *overrides):
    networks.write(folder / "network", family)
    settings = "" if family in networks.FIXED else ", seconds: 0.25, windows: 2"
    (folder / "a.yaml").write_text(EXPERIMENT.format(settings=settings))
    command = Command(["train", "a.yaml", "--run-dir", "run", *overrides], folder)
    assert command.wait() == 0, command.output
    return [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("family", ["ast", "wav2vec2", "wavlm", "whisper"])
def test_trains_from_the_entropy_of_the_labels_and_is_exported(family, tmp_path):
    write_classes(tmp_path / "sounds")
    (row, *_) = train(tmp_path, family, "unfreeze=[layer2, head]")
    assert row["loss"] == pytest.approx(math.log(3), abs=1e-3)
    command = Command(["export", "run", "--format", "onnx"], tmp_path)
    assert command.wait() == 0, command.output
    assert "yes" in command.output[0] + command.output[1]


@pytest.mark.parametrize("family", ["ast", "wav2vec2"])
def test_workers_do_not_change_the_weights(family, tmp_path):
    write_classes(tmp_path / "sounds")
    augmented = ["augment=[{shift: {seconds: 0.05}},gain,noise]", "head_init=library"]
    weights = []
    for workers in (1, 3):
        (place := tmp_path / str(workers)).mkdir()
        (place / "sounds").symlink_to(tmp_path / "sounds")
        train(place, family, *augmented, f"data.workers={workers}")
        weights.append(load_file(place / "run" / "best" / "model.safetensors"))
    one, three = weights
    assert all(np.array_equal(one[name], three[name]) for name in one | three)


@pytest.mark.parametrize("family", ["ast", "wav2vec2"])
def test_low_rank_updates_of_a_head_that_is_loaded(family, tmp_path):
    """The classes are those of the network, so its head stays, and the exported answers differ by sound."""
    for number, label in enumerate(sorted(path.name for path in write_classes(tmp_path / "sounds").iterdir())):
        (tmp_path / "sounds" / label).rename(tmp_path / "sounds" / f"LABEL_{number}")
    train(tmp_path, family, "unfreeze=[head]", "method={lora: {rank: 2}}", "head_init=library")
    command = Command(["export", "run", "--format", "onnx", "--format", "torch_export"], tmp_path)
    assert command.wait() == 0, command.output


def test_wavlm_says_that_its_attention_takes_no_low_rank_update(tmp_path):
    write_classes(tmp_path / "sounds")
    with pytest.raises(AssertionError, match="k_proj is not called when the network runs; name others as targets"):
        train(tmp_path, "wavlm", "method=lora")
