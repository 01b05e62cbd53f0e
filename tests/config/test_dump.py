"""An experiment written out loads back to the same; its digest covers what can change the result."""

from pathlib import Path

import pytest

from ftaug.config.dump import digest, folder_digest, to_yaml
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
SMALLEST = "data: {train: digits}\nbackbone: resnet18\n"
FULL = """
name: flowers
seed: 3
data: {train: {image_folder: {path: photos/train}}, val: {split: 20%}, test: {split: 300}}
backbone: {resnet18: {weights: none}}
unfreeze: [{layers: [head, last: 2]}, {from: 2 epochs, layers: [layer4], lr: 0.1}]
augment: [rotate: {degrees: 15}, rotate]
mix: {cutmix: {alpha: 1.0}}
loss: {cross_entropy: {label_smoothing: 0.1}}
optimizer: {adamw: {weight_decay: 0.05}}
lr: {peak: 1e-3, schedule: {cosine: {warmup: 5%}}, stages: {"layer4.*": 0.5, stem: 1}}
train: {ema: 0.999, clip_norm: 1, max_time: 1:30, save_every: 50 steps, early_stop: {patience: 3}}
evaluate: {every: 1 epoch, metrics: [f1, accuracy], best: loss}
"""


@pytest.mark.parametrize("text", [SMALLEST, FULL, *(path.read_text() for path in CONFIGS)])
def test_what_is_written_out_loads_back_to_the_same(write, tmp_path, text):
    experiment = load(write(text))
    again = tmp_path / "elsewhere" / "resolved.yaml"
    again.parent.mkdir()
    again.write_text(to_yaml(experiment))
    loaded = load(again)
    assert loaded == experiment
    assert digest(loaded) == digest(experiment)
    assert to_yaml(loaded) == to_yaml(experiment)


def test_the_digest_covers_what_can_change_the_result(write):
    same = ["name=other", "data.workers=3", "train.max_time=5", "train.save_every=10%", "evaluate.batch_size=3"]
    different = [
        "data.split_seed=0",
        "data.confirmation=50%",
        "seed=1",
        "lr.peak=2e-3",
        "augment+=rotate",
        "train.epochs=9",
        "data.batch_size=8",
        "mix=mixup",
    ]
    path = write(SMALLEST)
    reference = digest(load(path))
    assert len(reference) == 8
    assert int(reference, 16) >= 0
    assert {digest(load(path, [override])) for override in same} == {reference}
    assert len({reference, *(digest(load(path, [override])) for override in different)}) == len(different) + 1


PHOTOS = "data: {{train: {{image_folder: {{path: {}}}}}}}\nbackbone: resnet18\n"


def test_a_run_folder_is_named_by_where_the_data_lie_seen_from_the_file(write, tmp_path):
    def named(path, folder="."):
        file = write(PHOTOS.format(path), f"{folder}/f.yaml")
        return digest(load(file)), folder_digest(load(file), file.parent)

    (tmp_path / "copy").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "copy")
    here = named("photos")
    assert named("./x/../photos") == named(tmp_path / "photos") == here
    assert named("photos", "copy") == named("photos", "link") == here  # a project that was copied
    outside = named("/data/photos")
    assert named("/data/photos", "copy") == outside
    assert named("others")[0] == outside[0] == here[0]  # where data lie is no part of what a run is
    assert len({here, outside, named("others"), named("../photos", "copy")}) == 4


def test_files_count_by_their_content_wherever_they_lie(write, tmp_path):
    text = "data: {{train: digits}}\nbackbone: {{resnet18: {{weights: {}}}}}\n"

    def digest_with(name):
        return digest(load(write(text.format(name))))

    for name, content in {"a.pth": b"1", "b.pth": b"1", "c.pth": b"2"}.items():
        (tmp_path / name).write_bytes(content)
    assert digest_with("a.pth") == digest_with("b.pth") != digest_with("c.pth")
    before = digest_with("a.pth")
    (tmp_path / "a.pth").write_bytes(b"3 bytes")
    assert digest_with("a.pth") != before
    assert digest_with("none.pth") != digest_with("neither.pth")


def test_a_folder_with_a_model_counts_by_what_it_holds(write, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "1_Pooling").mkdir(parents=True)
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "1_Pooling" / "config.json").write_text("{}")
    text = "modality: text\ndata: {{train: docstrings}}\nbackbone: {{hf: {{path: ./{}}}}}\n"
    one, two = (digest(load(write(text.format(name)))) for name in ("one", "two"))
    assert one == two
    (tmp_path / "two" / "1_Pooling" / "config.json").write_text("{ }")
    assert digest(load(write(text.format("two")))) != one


def test_texts_that_look_like_other_things_survive_writing(write, tmp_path):
    path = write(SMALLEST + 'lr: {stages: {"1e-3": 1, "no": 1, "0o17": 1, "null": 1, "é: #": 1, "12:30": 1, "": 1}}\n')
    again = tmp_path / "again.yaml"
    with pytest.raises(ExperimentError, match="a key is missing"):
        load(path)
    path.write_text(path.read_text().replace(', "": 1', ""))
    experiment = load(path)
    again.write_text(to_yaml(experiment))
    assert load(again).lr.stages == experiment.lr.stages
