"""`ftaug init --backbone NAME --weights WEIGHTS`, and folders whose pictures cannot be read."""

import numpy as np
import pytest
from PIL import Image

from ftaug.cli import run
from ftaug.experiment_file import load


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(8):
            pixels = rng.integers(0, 256, (70, 90, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    return tmp_path


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b0", "timm/tf_efficientnet_lite0", "resnet20"])
def test_a_backbone_is_written_with_its_own_weights(desk, name):
    assert run(["init", "photos", "--backbone", name]) == 0
    experiment = load("photos.yaml")
    assert experiment.backbone.name == name
    assert experiment.backbone.settings["weights"] == ("letters" if name == "resnet20" else "imagenet")


@pytest.mark.parametrize(
    "name", ["resnet34", "mobilenet_v2", "mobilenet_v3_small", "vit_b_16", "timm/resnet18", "timm/convnext_atto"]
)
def test_all_layers_of_a_network_learn(desk, name):
    """On the sets of scripts/bench/recipes no part of a network did better, from 10 pictures a class on."""
    from ftaug.engine.training.unfreeze import ever_learning

    assert run(["init", "photos", "--backbone", name, "--weights", "imagenet"]) == 0
    experiment = load("photos.yaml", [f"backbone={{{name}: {{weights: none}}}}"])
    backbone = experiment.backbone(["a", "b"])
    assert ever_learning(backbone, experiment) == dict(backbone.network.named_parameters()).keys()


def test_random_weights_learn_whole(desk):
    assert run(["init", "photos", "--backbone", "resnet18", "--weights", "none"]) == 0
    experiment = load("photos.yaml")
    assert experiment.unfreeze == ("all",) and experiment.backbone.settings["weights"] == "none"


def test_a_file_of_weights_is_relative_to_the_experiment_file(desk):
    (desk / "w.safetensors").touch()
    (desk / "conf").mkdir()
    command = ["init", "photos", "-o", "conf/x.yaml", "--backbone", "resnet18", "--weights", "w.safetensors"]
    assert run(command) == 0
    assert '"../w.safetensors"' in (desk / "conf" / "x.yaml").read_text()
    assert load("conf/x.yaml").backbone.settings["weights"] == str(desk / "w.safetensors")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--backbone", "resnet81"], 2, "--backbone: no image backbone 'resnet81'; did you mean 'resnet18'?\n"),
        (["--backbone", "timm/"], 2, "--backbone timm/ is an incomplete name; expected timm/NAME\n"),
        (["--backbone", "resnet18", "--weights", "imagent"], 2, "got 'imagent'; did you mean 'imagenet'?\n"),
        (["--backbone", "resnet20", "--weights", "imagenet"], 2, "must be letters, none or a file (.safetensors,"),
        (["--backbone", "resnet18", "--weights", "v.pth"], 66, "--weights: no file v.pth; did you mean 'w.pth'?\n"),
        (["--weights", "none"], 2, "--weights needs --backbone, the network of these weights\n"),
        (["--modality", "image", "--backbone", "tiny_text"], 2, "no image backbone 'tiny_text'"),
        (["--modality", "sound"], 2, "'sound' is not one of 'image', 'text'"),
        (["--modality", "text", "--backbone", "hf"], 2, "--backbone hf: name the encoder instead"),
        (["--modality", "text", "--backbone", "tiny_txt"], 2, "no text backbone 'tiny_txt'; did you mean 'tiny_text'?"),
        (["--modality", "text", "--backbone", "./no"], 66, "--backbone: no model in ./no: expected a folder with"),
    ],
)
def test_what_is_not_there_is_told_before_anything_is_written(desk, capsys, options, code, message):
    (desk / "w.pth").touch()
    assert run(["init", "photos", *options]) == code
    assert message in capsys.readouterr().err
    assert not (desk / "photos.yaml").exists()


def test_encoders_for_texts(desk):
    for name in ("good", "bad"):
        (desk / "films" / name).mkdir(parents=True)
        (desk / "films" / name / "1.txt").write_text(f"a {name} film")
    (desk / "enc").mkdir()
    (desk / "enc" / "config.json").write_text("{}")
    for number, (given, path) in enumerate(
        [("enc", str(desk / "enc")), ("./enc", str(desk / "enc")), ("a/b", "a/b"), ("bert-base-uncased",) * 2]
    ):
        assert run(["init", "films", "--backbone", given, "-o", f"{number}.yaml"]) == 0
        backbone = load(f"{number}.yaml").backbone
        assert (backbone.name, backbone.settings["path"]) == ("hf", path)
    assert run(["init", "films", "--backbone", "tiny_text", "--weights", "none", "-o", "t.yaml"]) == 0
    assert load("t.yaml").backbone.settings["weights"] == "none"


def test_every_setting_has_its_reason(desk):
    assert run(["init", "photos"]) == 0
    lines = (desk / "photos.yaml").read_text().splitlines()
    body = lines[lines.index("data:") + 1 :]
    settings = [line for line in body if not line.rstrip().endswith(":") and "image_folder" not in line]
    assert len(settings) > 10 and all("  # " in line for line in settings)
    assert len({line.index("  # ") for line in settings if line[line.index("  # ") - 1] == " "}) == 1
    assert all(len(line) < 120 for line in lines)


def test_pictures_of_other_formats(desk, capsys):
    for name in ("a", "b"):
        (desk / "phone" / name).mkdir(parents=True)
        (desk / "phone" / name / "1.HEIC").touch()
    (desk / "phone" / "a" / "notes.txt").write_text("x")
    assert run(["init", "phone", "--modality", "image"]) == 65
    err = capsys.readouterr().err
    assert err.startswith("phone holds 2 .HEIC files, an unsupported format; supported: .jpg, .jpeg, .jfif, .jpe,")
    assert err.endswith("magick mogrify -format jpg '*.HEIC'\n")
    (desk / "phone" / "a" / "notes.txt").unlink()
    assert run(["init", "phone"]) == 65
    (desk / "photos" / "a" / "1.heic").touch()
    capsys.readouterr()
    assert run(["init", "photos"]) == 0
    assert "not read: 1 files such as photos/a/1.heic\n" in capsys.readouterr().err


def test_broken_pictures_are_named_up_to_five(desk, capsys):
    for i in range(7):
        (desk / "photos" / "a" / f"{i}.png").write_bytes(b"no picture")
    assert run(["init", "photos"]) == 0
    err = capsys.readouterr().err.splitlines()
    assert [line.split("/")[-1][:5] for line in err[:5]] == [f"{i}.png" for i in range(5)]
    assert err[5] == "7 of 16 pictures checked cannot be read; to list all: ftaug inspect photos.yaml --read"
    assert err[6] == "next: ftaug train photos.yaml"
    for path in (desk / "photos").rglob("*.png"):
        path.write_bytes(b"no picture")
    assert run(["init", "photos", "-o", "x.yaml"]) == 65


def test_from_a_folder_with_a_file_of_weights_to_a_figure(desk, capsys):
    timm = pytest.importorskip("timm")
    from safetensors.torch import save_file

    save_file(timm.create_model("resnet18").state_dict(), desk / "w.safetensors")
    assert run(["init", "photos", "--backbone", "timm/resnet18", "--weights", "w.safetensors"]) == 0
    short = ["train.epochs=1", "data.workers=0"]
    assert run(["train", "photos.yaml", *short, "--run-dir", "r", "--device", "cpu"]) == 0
    assert run(["evaluate", "r"]) == 0
    assert "accuracy" in capsys.readouterr().out
