"""Weight files: what a setting may say, which checkpoints are read, and how a file with other names is loaded."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from fuzzing import mutated
from safetensors.torch import save_file

from ftaug.cli import run
from ftaug.config.dump import digest, to_yaml
from ftaug.errors import BadData, ExperimentError
from ftaug.experiment_file import load
from ftaug.image.backbones.resnet20 import resnet20
from ftaug.weights import WeightsPath, facts_of, read

CLASSES = ("a", "b", "c", "d")
EXPERIMENT = """
data: {{train: digits, val: {{split: 20%}}, batch_size: 100}}
backbone: {{resnet20: {{weights: {weights}}}}}
train: {{epochs: 1}}
"""


@pytest.fixture
def trained():
    """The tensors of a ResNet-20 for ten classes with ftaug's own weights."""
    built = resnet20(range(10))
    built.load_pretrained()
    return built.network.state_dict()


@pytest.fixture
def foreign(trained):
    """The same tensors in the same order under other names."""
    kinds = [name.rpartition(".")[2] for name in trained]
    return {f"features.{n}.{kind}": t for n, (kind, t) in enumerate(zip(kinds, trained.values(), strict=True))}


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(weights):
        path = tmp_path / "experiment.yaml"
        path.write_text(EXPERIMENT.format(weights=weights))
        return path

    return write


def body(state):
    return {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}


def loaded(weights):
    built = resnet20(CLASSES, weights=weights)
    built.load_pretrained()
    return built


def check_body(built, trained):
    state = built.network.state_dict()
    for name, tensor in body(trained).items():
        if tensor.is_floating_point():
            assert torch.equal(state[name], tensor), name


def test_a_file_with_other_names_is_loaded_by_order(tmp_path, trained, foreign):
    torch.save(foreign, tmp_path / "w.pth")
    built = loaded(WeightsPath(tmp_path / "w.pth", match="order"))
    check_body(built, trained)
    names, others = [*body(trained)], [*foreign]
    expected = {
        name: other for name, other in zip(names, others, strict=False) if not name.endswith("num_batches_tracked")
    }
    assert built.facts["matches"] == expected
    assert built.facts["match"] == "order"
    (note,) = built.facts["notes"]
    assert note.startswith("95 tensors matched by order: conv1.weight <- features.0.weight, bn1.weight <- ")
    assert "\n" not in note


def test_the_head_stays_as_it_was_drawn(tmp_path, foreign):
    torch.save(foreign, tmp_path / "w.pth")
    built = resnet20(CLASSES, weights=WeightsPath(tmp_path / "w.pth", match="order"))
    before = built.network.fc.weight.clone()
    built.load_pretrained()
    assert torch.equal(built.network.fc.weight, before)


@pytest.mark.parametrize(
    "change",
    [
        lambda file: {"state_dict": {f"module.backbone.{name}": tensor for name, tensor in file.items()}},
        lambda file: {"state_dict": {f"backbone.{n}": t for n, t in file.items()} | {"head.fc.weight": torch.zeros(2)}},
        lambda file: {name: tensor.half() for name, tensor in file.items()},
        lambda file: {name: t for name, t in file.items() if not name.endswith("num_batches_tracked")},
    ],
    ids=["wrapped", "with_another_head", "half", "without_counters"],
)
def test_by_order_wrappers_are_taken_off_too(tmp_path, trained, foreign, change):
    torch.save(change(foreign), tmp_path / "w.pth")
    built = loaded(WeightsPath(tmp_path / "w.pth", match="order"))
    torch.testing.assert_close(built.network.conv1.weight.data, trained["conv1.weight"], rtol=1e-3, atol=0)
    torch.testing.assert_close(built.network.bn1.running_var, trained["bn1.running_var"], rtol=1e-3, atol=0)


def test_by_order_nothing_is_copied_where_a_pair_differs(tmp_path, foreign):
    name = next(name for name in reversed(foreign) if foreign[name].dim() == 4)
    torch.save({**foreign, name: foreign[name][:, :-1]}, tmp_path / "w.pth")
    built = resnet20(CLASSES, weights=WeightsPath(tmp_path / "w.pth", match="order"))
    before = {key: tensor.clone() for key, tensor in built.network.state_dict().items()}
    with pytest.raises(BadData) as caught:
        built.load_pretrained()
    path = tmp_path / "w.pth"
    words = f"layer3.2.conv2.weight is 64×64×3×3, {name} in its place is 64×63×3×3"
    assert str(caught.value) == f"{path} does not match the network in order: {words}"
    assert all(torch.equal(tensor, before[key]) for key, tensor in built.network.state_dict().items())


def test_other_names_are_refused_with_what_to_write(tmp_path, foreign):
    path = tmp_path / "w.pth"
    torch.save(foreign, path)
    with pytest.raises(BadData) as caught:
        loaded(str(path))
    assert str(caught.value) == (
        f"{path} does not fit the network: its names differ (the first are features.0.weight, features.1.weight; the "
        "network's conv1.weight, bn1.weight), but all shapes match in order: if it holds the same network, write "
        f"weights: {{path: {path}, match: order}}"
    )


def test_other_names_and_other_shapes_are_refused_with_both(tmp_path, foreign):
    path = tmp_path / "w.pth"
    torch.save({**foreign, "features.0.weight": torch.zeros(16, 1, 3, 3)}, path)
    with pytest.raises(BadData) as caught:
        loaded(str(path))
    assert str(caught.value).endswith(
        "its names differ (the first are features.0.weight, features.1.weight; the network's conv1.weight, "
        "bn1.weight), and in order conv1.weight is 16×3×3×3, features.0.weight in its place is 16×1×3×3"
    )


def test_other_names_in_a_sorted_file_are_not_said_to_match(tmp_path, foreign):
    path = tmp_path / "w.safetensors"
    save_file(foreign, path)
    with pytest.raises(BadData) as caught:
        loaded(str(path))
    assert "match: order" not in str(caught.value)
    assert str(caught.value).endswith(
        "by order only a file written by torch.save can be read, this one is sorted by name"
    )


@pytest.mark.parametrize("prefix", ["backbone.", "_orig_mod.", "module.backbone.", "model.backbone."])
def test_more_prefixes_are_taken_off(tmp_path, trained, prefix):
    torch.save({prefix + name: tensor for name, tensor in trained.items()}, tmp_path / "w.pth")
    check_body(loaded(str(tmp_path / "w.pth")), trained)


PLAIN, AVERAGE = {"w": torch.zeros(2)}, {"w": torch.ones(2)}


@pytest.mark.parametrize(
    ("content", "value", "notes"),
    [
        ({"state_dict": PLAIN}, 0, ()),
        ({"model": PLAIN, "epoch": 3}, 0, ()),
        ({"model_state_dict": PLAIN}, 0, ()),
        ({"model": {"state_dict": PLAIN}}, 0, ()),
        ({"state_dict_ema": AVERAGE}, 1, ("read 'state_dict_ema' of the file (EMA), the only ones",)),
        ({"model_ema": AVERAGE}, 1, ("read 'model_ema' of the file (EMA), the only ones",)),
        (
            {"state_dict": PLAIN, "state_dict_ema": AVERAGE},
            0,
            ("read 'state_dict' of the file, not the averaged weights (EMA) in 'state_dict_ema'",),
        ),
        (
            {"model_ema": AVERAGE, "model": PLAIN},
            0,
            ("read 'model' of the file, not the averaged weights (EMA) in 'model_ema'",),
        ),
    ],
)
def test_which_weights_of_a_checkpoint_are_read(tmp_path, content, value, notes):
    torch.save(content, tmp_path / "w.pth")
    file = read(str(tmp_path / "w.pth"))
    assert file.tensors["w"].tolist() == [value, value]
    assert file.notes == notes


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_of_torch_is_an_error(tmp_path, seed):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.zeros(4)}, path, _use_new_zipfile_serialization=bool(seed % 2))
    content = path.read_bytes()
    path.write_bytes(mutated([content], np.random.default_rng(seed)))
    try:
        tensors = read(str(path)).tensors
    except BadData as error:
        assert str(path) in str(error)
    else:
        assert tensors


def test_a_path_takes_any_suffix(tmp_path, trained):
    torch.save({"state_dict": trained}, tmp_path / "checkpoint.pth.tar")
    check_body(loaded(WeightsPath(tmp_path / "checkpoint.pth.tar")), trained)


def test_the_setting_is_a_name_a_file_or_a_mapping(write):
    folder = write("letters").parent
    settings = [load(write(text)).backbone.settings["weights"] for text in ("w.pth", "{path: w.pth, match: order}")]
    assert settings == [str(folder / "w.pth"), WeightsPath(folder / "w.pth", match="order")]
    assert load(write("{path: w.bin}")).backbone.settings["weights"] == WeightsPath(folder / "w.bin", match="names")


def test_the_complete_experiment_reads_back(write, tmp_path):
    experiment = load(write("{path: w.pth, match: order}"))
    copy = tmp_path / "elsewhere" / "resolved.yaml"
    copy.parent.mkdir()
    copy.write_text(to_yaml(experiment))
    assert load(copy).backbone == experiment.backbone
    assert digest(load(copy)) == digest(experiment)
    assert digest(load(write("w.pth"))) != digest(experiment)


def test_an_override_replaces_the_mapping(write):
    path = write("{path: w.pth, match: order}")
    assert load(path, ['backbone.resnet20.weights="/x/w.safetensors"']).backbone.settings["weights"] == (
        "/x/w.safetensors"
    )
    changed = load(path, ["backbone.resnet20.weights.match=names"]).backbone.settings["weights"]
    assert changed.match == "names"


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("{path: w.pth, match: shape}", "backbone.resnet20.weights.match must be one of names or order; got shape"),
        ("{path: w.pth, matches: order}", "unknown key 'matches' in backbone.resnet20.weights; did you mean 'match'?"),
        ("{match: order}", "missing key 'path' in backbone.resnet20.weights"),
        (
            "{path: w.safetensors, match: order}",
            "backbone.resnet20.weights.match must be names for a safetensors file, whose tensors are sorted by name; "
            "save them with torch.save",
        ),
        ("[a]", "backbone.resnet20.weights must be the name of pretrained weights, none, or a file"),
    ],
)
def test_wrong_settings_are_named_with_their_place(write, weights, message):
    with pytest.raises(ExperimentError) as caught:
        load(write(weights))
    assert message in str(caught.value)
    assert "experiment.yaml:3:" in str(caught.value)


def test_the_schema_has_both_forms(capsys):
    assert run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    for name in ("image.backbone.resnet20", "text.backbone.tiny_text"):
        text, mapping = value_of(schema, of_weights(schema["$defs"][name]))["anyOf"]
        assert text["type"] == "string"
        assert value_of(schema, mapping["properties"]["match"])["enum"] == ["names", "order"]
        assert mapping["required"] == ["path"]


def value_of(schema, entry):
    """The schema of a value that is no search space."""
    allowed = schema["$defs"][entry["$ref"].removeprefix("#/$defs/")]
    return schema["$defs"][allowed["else"]["$ref"].removeprefix("#/$defs/")]


def of_weights(entry):
    return next(form for form in entry["anyOf"] if "properties" in form)["properties"]["weights"]


def test_train_and_inspect_show_the_pairs(write, tmp_path, foreign, capsys):
    torch.save(foreign, tmp_path / "w.pth")
    config = write("{path: w.pth, match: order}")
    assert run(["inspect", str(config), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["weights_matches"]) == 95
    assert report["weights_matches"]["conv1.weight"] == "features.0.weight"
    assert run(["inspect", str(config)]) == 0
    assert "95 tensors matched by order: conv1.weight <- features.0.weight" in capsys.readouterr().out
    arguments = ["data.train={digits: {}}", "data.batch_size=700", "unfreeze=[head]", "--run-dir", "run"]
    assert run(["train", str(config), *arguments]) == 0
    assert "95 tensors matched by order" in capsys.readouterr().err
    model = json.loads(Path("run/model.json").read_text())
    assert model["weights_from"]["matches"] == report["weights_matches"]
    Path("w.pth").unlink()
    assert run(["inspect", "run", "--json"]) == 0  # the file is not needed to look at a run


def test_a_link_to_a_file_without_a_suffix_is_a_file(tmp_path, write, trained):
    """As the caches of the Hugging Face hub keep them; other links lead to what they name at that time."""
    save_file({name: tensor.contiguous() for name, tensor in trained.items()}, tmp_path / "blob")
    (tmp_path / "hub.safetensors").symlink_to(tmp_path / "blob")
    (tmp_path / "kept.safetensors").write_bytes((tmp_path / "blob").read_bytes())
    (tmp_path / "newest.safetensors").symlink_to(tmp_path / "kept.safetensors")
    hub, newest = (load(write(name)).backbone.settings["weights"] for name in ("hub.safetensors", "newest.safetensors"))
    assert hub == str(tmp_path / "hub.safetensors")
    assert newest == str(tmp_path / "kept.safetensors")
    check_body(loaded(hub), trained)


@pytest.mark.parametrize(
    ("metadata", "license"),
    [
        ({"weights_from": {"weights": "letters", "license": "MIT"}}, "MIT"),  # a checkpoint
        ({"weights": {"source": "letters", "license": "MIT"}}, "MIT"),  # an export
        ({"weights": {"source": "letters", "license": None}}, None),
        ({"weights": "letters"}, None),
        ({}, None),
    ],
)
def test_the_license_of_weights_that_ftaug_wrote_is_that_of_what_they_come_from(tmp_path, metadata, license):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, str(path), {"ftaug": json.dumps(metadata)})
    assert facts_of(WeightsPath(str(path))).get("license") == license
    path.write_bytes(b"no safetensors")
    assert "license" not in facts_of(WeightsPath(str(path)))
