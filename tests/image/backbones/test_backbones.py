"""Every network has the task's head, stages that cover it and its weights' preprocessing; weight files are checked."""

import json
import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torchvision.models.regnet import BlockParams
from torchvision.transforms import functional

from ftaug.config.experiment import LearningRate, ModelInput, Train, UnfreezeStage
from ftaug.config.types import Duration
from ftaug.engine.training.build import parameter_groups
from ftaug.engine.training.unfreeze import plan
from ftaug.errors import BadData, ExperimentError, MissingInput
from ftaug.image import backbone as backbones
from ftaug.image.backbones import resnet20 as letters
from ftaug.image.backbones.resnet20 import resnet20
from ftaug.image.backbones.torchvision import NAMES, license_of
from ftaug.interfaces.model import TrainingLength

CLASSES = [f"class {n}" for n in range(7)]


def build(name, **settings):
    entry = backbones[name]
    given = (name, CLASSES) if entry.in_family else (CLASSES,)
    return entry.function(*given, **settings)


@pytest.fixture
def no_memory(monkeypatch):
    """Build networks without allocating them; RegNet computes its widths from real tensors."""

    def on_the_cpu(function):
        def call(*args, **kwargs):
            with torch.device("cpu"):
                return function(*args, **kwargs)

        return call

    torchvision_widths = on_the_cpu(BlockParams.from_init_params.__func__)
    monkeypatch.setattr(BlockParams, "from_init_params", classmethod(torchvision_widths))
    timm_widths = on_the_cpu(timm.models.regnet.RegNet._get_stage_args)
    monkeypatch.setattr(timm.models.regnet.RegNet, "_get_stage_args", timm_widths)
    with torch.device("meta"):
        yield


def under(name, stage):
    return any(name == module or name.startswith(f"{module}.") for module in stage.modules)


def check_stages(built):
    """Every parameter lies in one stage; the last one is the head and gives as many logits as there are classes."""
    names = [stage.name for stage in built.stages]
    assert len(names) == len(set(names))
    assert names[-1] == "head"
    for name, _ in built.network.named_parameters():
        assert sum(under(name, stage) for stage in built.stages) == 1, name
    known = {*dict(built.network.named_modules()), *dict(built.network.named_parameters())}
    assert all(module in known for stage in built.stages for module in stage.modules)
    widths = {p.shape[0] for n, p in built.network.named_parameters() if under(n, built.stages[-1])}
    assert widths == {len(CLASSES)}


def test_the_table_of_names_is_torchvisions():
    assert list(NAMES) == torchvision.models.list_models(module=torchvision.models)


@pytest.mark.parametrize("name", NAMES)
def test_stages_and_preprocessing_of_torchvision(name, no_memory):
    built = build(name, weights="imagenet")
    check_stages(built)
    preset = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    assert built.preprocessing["size"] == [preset.crop_size[0]] * 2
    assert built.preprocessing["resize"] == preset.resize_size[0]
    assert built.preprocessing["mean"] == preset.mean
    assert built.preprocessing["std"] == preset.std
    assert functional.InterpolationMode(built.preprocessing["interpolation"]) == preset.interpolation
    json.dumps(built.preprocessing)


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("resnet18", "stem layer1 layer2 layer3 layer4 head"),
        ("vgg11_bn", "block1 block2 block3 block4 block5 hidden head"),
        ("convnext_tiny", "stem stage1 stage2 stage3 stage4 norm head"),
        ("swin_t", "stem stage1 stage2 stage3 stage4 norm head"),
        ("vit_b_32", f"stem {' '.join(f'block{i}' for i in range(12))} norm head"),
        (
            "densenet121",
            "stem denseblock1 transition1 denseblock2 transition2 denseblock3 transition3 denseblock4 norm head",
        ),
        ("timm/resnet18", "stem layer1 layer2 layer3 layer4 head"),
        ("timm/convnext_atto", "stem stage0 stage1 stage2 stage3 norm head"),
        ("timm/vit_tiny_patch16_224", f"stem {' '.join(f'block{i}' for i in range(12))} head"),
        ("timm/regnety_002", "stem s1 s2 s3 s4 head"),
    ],
)
def test_stages_have_natural_names(name, stages, no_memory):
    assert " ".join(stage.name for stage in build(name, weights="none").stages) == stages


def smallest(module):
    """The network of a module of timm with the shortest name."""
    return sorted(timm.list_models(module=module), key=lambda name: (len(name), name))[0]


COMMON = (
    "beit",
    "cait",
    "dpn",
    "efficientnet",
    "inception_v4",
    "mobilenetv3",
    "pit",
    "rdnet",
    "selecsls",
    "swin_transformer",
    "volo",
)
TIMM = [
    pytest.param(smallest(module), id=module, marks=[] if module in COMMON else pytest.mark.slow)
    for module in timm.list_modules()
    if timm.list_models(module=module)
]


@pytest.mark.parametrize("name", TIMM)
def test_stages_of_a_network_of_each_module_of_timm(name, no_memory):
    built = build(f"timm/{name}", weights="none")
    names = [stage.name for stage in built.stages]
    assert names[0] == "stem" and names[-1] == "head" and len(set(names)) == len(names)
    for parameter, _ in built.network.named_parameters():
        assert sum(under(parameter, stage) for stage in built.stages) == 1, parameter


@pytest.mark.parametrize(
    "name", ["resnet18", "convnext_atto", "vit_tiny_patch16_224", "vit_small_patch14_dinov2.lvd142m"]
)
def test_preprocessing_of_timm_is_its_own(name, no_memory):
    built = build(f"timm/{name}", weights="none")
    config = timm.data.resolve_model_data_config(timm.create_model(name))
    found = built.preprocessing
    assert (found["mean"], found["std"]) == (list(config["mean"]), list(config["std"]))
    assert found["size"] == list(config["input_size"][1:])
    resize = timm.data.create_transform(**config).transforms[0]
    size = resize.size if isinstance(resize.size, int) else tuple(resize.size)
    expected = tuple(found["size"]) if found["resize"] is None else found["resize"]
    assert size in (expected, (expected, expected) if isinstance(expected, int) else expected)
    assert resize.interpolation.value == found["interpolation"]


def test_resnet20_is_the_papers():
    built = build("resnet20", weights="none")
    check_stages(built)
    assert sum(p.numel() for p in resnet20(range(10), weights="none").network.parameters()) == 269_722
    assert len([m for m in built.network.modules() if isinstance(m, nn.Conv2d)]) == 19
    assert built.network(torch.zeros(2, 3, 32, 32)).shape == (2, len(CLASSES))
    assert built.network.eval()(torch.zeros(1, 3, 40, 48)).shape == (1, len(CLASSES))


@pytest.mark.parametrize(
    "name", ["mnasnet0_5", "squeezenet1_1", "googlenet", "shufflenet_v2_x0_5", "timm/test_vit", "timm/test_resnet"]
)
def test_networks_give_logits(name):
    built = build(name, weights="none")
    logits = built.network.eval()(torch.zeros(1, 3, *built.preprocessing["size"]))
    assert logits.shape == (1, len(CLASSES))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        (
            "resnet50",
            "IMAGENET1K_V3",
            "must be imagenet, IMAGENET1K_V1, IMAGENET1K_V2, none or a file; got 'IMAGENET1K_V3'",
        ),
        ("timm/resnet18", "a9_in1k", "a1_in1k"),
        ("timm/resnet18.a1_in1k", "a2_in1k", "must be imagenet, none or a file"),
        ("timm/resnet18.zz", "imagenet", "timm has no weights 'zz' for resnet18"),
        ("timm/resnet81", "imagenet", "timm has no network 'resnet81'; did you mean timm/resnet"),
    ],
)
def test_unknown_weights_and_networks(name, weights, message):
    with pytest.raises(ExperimentError) as caught:
        build(name, weights=weights)
    assert message in str(caught.value)


def save(path, tensors, metadata=None):
    if path.suffix == ".safetensors":
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, path, metadata)
    else:
        torch.save(tensors, path)
    return str(path)


@pytest.fixture
def trained():
    """A ResNet-20 for three classes, its statistics not those of a new one."""
    network = resnet20(range(3), weights="none").network
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.normal_().abs_()
    return {key: tensor.clone() for key, tensor in network.state_dict().items()}


def loaded(path):
    built = build("resnet20", weights=path)
    fresh = {key: tensor.clone() for key, tensor in built.network.state_dict().items()}
    built.load_pretrained()
    return built.network.state_dict(), fresh


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
@pytest.mark.parametrize("prefix", ["", "module.", "model.", "network.", "module.model."])
def test_a_file_fills_all_but_the_head(tmp_path, trained, suffix, prefix):
    path = save(tmp_path / f"w{suffix}", {prefix + key: tensor for key, tensor in trained.items()})
    state, fresh = loaded(path)
    for key, tensor in state.items():
        assert torch.equal(tensor, fresh[key] if key.startswith("fc.") else trained[key]), key


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_a_checkpoint_of_a_training_script(tmp_path, trained, wrapper):
    path = save(tmp_path / "w.pth", {wrapper: trained, "epoch": 3})
    state, _ = loaded(path)
    assert torch.equal(state["conv1.weight"], trained["conv1.weight"])


def test_what_stood_around_the_network_is_left_out(tmp_path, trained):
    tensors = {f"network.{key}": tensor for key, tensor in trained.items()} | {"normalizer.mean": torch.zeros(3)}
    state, _ = loaded(save(tmp_path / "w.safetensors", tensors))
    assert torch.equal(state["layer3.2.bn2.running_var"], trained["layer3.2.bn2.running_var"])


def test_half_precision_and_files_without_counters_are_taken(tmp_path, trained):
    tensors = {key: t.half() for key, t in trained.items() if not key.endswith("num_batches_tracked")}
    state, _ = loaded(save(tmp_path / "w.safetensors", tensors))
    assert state["conv1.weight"].dtype == torch.float32
    assert torch.equal(state["conv1.weight"], trained["conv1.weight"].half().float())


def broken(trained, how):
    tensors = dict(trained)
    if how == "missing":
        del tensors["layer1.0.conv1.weight"]
    elif how == "extra":
        tensors["layer4.weight"] = torch.zeros(1)
    elif how == "shape":
        tensors["conv1.weight"] = torch.zeros(16, 1, 3, 3)
    elif how == "type":
        tensors["bn1.weight"] = torch.zeros(16, dtype=torch.int64)
    elif how == "nan":
        tensors["layer2.1.bn1.running_var"] = torch.full((32,), torch.nan)
    elif how == "inf":
        tensors["conv1.weight"] = torch.full((16, 3, 3, 3), torch.inf)
    return tensors


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", "layer1.0.conv1.weight is missing"),
        ("extra", "layer4.weight is unknown"),
        ("shape", "conv1.weight is 16×1×3×3 instead of 16×3×3×3"),
        ("type", "bn1.weight is torch.int64 instead of torch.float32"),
        ("nan", "layer2.1.bn1.running_var contains values that are not finite"),
        ("inf", "conv1.weight contains values that are not finite"),
    ],
)
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_that_do_not_fit(tmp_path, trained, how, message, suffix):
    path = save(tmp_path / f"w{suffix}", broken(trained, how))
    built = build("resnet20", weights=path)
    before = built.network.conv1.weight.clone()
    with pytest.raises(BadData) as caught:
        built.load_pretrained()
    assert message in str(caught.value)
    assert path in str(caught.value)
    assert torch.equal(built.network.conv1.weight, before)


def test_at_most_ten_differences_are_listed(tmp_path):
    network = torchvision.models.resnet18()
    path = save(tmp_path / "w.pth", network.state_dict())
    with pytest.raises(BadData) as caught:
        loaded(path)
    text = str(caught.value)
    assert text.count(";") == 9
    assert text.endswith("more")
    assert "\n" not in text


def test_a_pickle_is_never_run(tmp_path):
    canary = tmp_path / "canary"

    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(canary),)

    for name, content in (("raw.pth", pickle.dumps(Payload())), ("zip.pt", None)):
        path = tmp_path / name
        path.write_bytes(content) if content else torch.save({"w": Payload()}, path)
        with pytest.raises(BadData):
            loaded(str(path))
        assert not canary.exists()


def test_files_cut_short_or_with_a_wrong_header(tmp_path, trained):
    for suffix in (".safetensors", ".pth"):
        path = tmp_path / f"w{suffix}"
        save(path, trained)
        content = path.read_bytes()
        for cut in (0, 1, 7, 100, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:cut])
            with pytest.raises(BadData):
                loaded(str(path))
    path = tmp_path / "w.safetensors"
    for header in ((2**60).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"{]", b"\xff" * 64):
        path.write_bytes(header)
        with pytest.raises(BadData):
            loaded(str(path))


@pytest.mark.parametrize("content", [[1, 2], {"lr": 0.1}, {}, torch.zeros(3)])
def test_files_without_a_state_dict(tmp_path, content):
    path = tmp_path / "w.pth"
    torch.save(content, path)
    with pytest.raises(BadData, match="must contain a state_dict"):
        loaded(str(path))


def test_a_missing_file(tmp_path):
    built = build("resnet20", weights=str(tmp_path / "absent.safetensors"))
    with pytest.raises(MissingInput, match=r"absent\.safetensors"):
        built.load_pretrained()


def test_a_file_can_carry_its_preprocessing(tmp_path, trained):
    wanted = {"mean": [0.1] * 3, "std": [0.2] * 3, "size": [32, 32], "resize": 36, "interpolation": "bicubic"}
    path = save(tmp_path / "w.safetensors", trained, {"preprocessing": json.dumps(wanted)})
    assert build("resnet20", weights=path).preprocessing == wanted
    bad = save(tmp_path / "bad.safetensors", trained, {"preprocessing": "no json"})
    with pytest.raises(BadData, match="preprocessing"):
        build("resnet20", weights=bad)


def test_letters_that_are_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr(letters, "LETTERS", tmp_path / "resnet20_letters.safetensors")
    with pytest.raises(MissingInput, match=r"lacks resnet20_letters\.safetensors"):
        build("resnet20", weights="letters").load_pretrained()


def hub_file(monkeypatch, tmp_path, name):
    """Put weights where torch.hub keeps those of a network of torchvision."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    folder = tmp_path / "checkpoints"
    folder.mkdir(exist_ok=True)
    return folder / Path(torchvision.models.get_model_weights(name).DEFAULT.url).name


@pytest.mark.parametrize(
    "name", ["resnet18", "densenet121", "googlenet", "mnasnet0_5", "squeezenet1_1", "mobilenet_v3_small"]
)
def test_cached_downloads_give_torchvisions_own_network(monkeypatch, tmp_path, name):
    options = {"init_weights": False} if name == "googlenet" else {}
    original = torchvision.models.get_model(name, weights=None, **options).eval()
    state = original.state_dict()
    if name == "densenet121":  # as its real file has them
        state = {
            k.replace("norm1", "norm.1").replace("conv1", "conv.1") if "denselayer" in k else k: v
            for k, v in state.items()
        }
    torch.save(state, hub_file(monkeypatch, tmp_path, name))
    built = build(name, weights="imagenet")
    built.load_pretrained()
    own = built.network.state_dict()
    theirs = original.state_dict()
    for key, tensor in own.items():
        if not under(key, built.stages[-1]):
            assert torch.equal(tensor, theirs[key]), key


def test_pretrained_inception_sees_what_torchvision_feeds_it(no_memory):
    for name in ("inception_v3", "googlenet"):
        assert build(name, weights="imagenet").network.transform_input


def test_no_network_says_where_to_put_the_file(monkeypatch, tmp_path):
    path = hub_file(monkeypatch, tmp_path, "resnet18")
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *a, **k: (_ for _ in ()).throw(URLError("no route")))
    with pytest.raises(MissingInput) as caught:
        build("resnet18", weights="imagenet").load_pretrained()
    assert "https://download.pytorch.org/models/resnet18" in str(caught.value)
    assert str(path) in str(caught.value)


def test_offline_nothing_is_downloaded(monkeypatch, tmp_path):
    path = hub_file(monkeypatch, tmp_path, "resnet18")
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *a, **k: pytest.fail("it downloads"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(MissingInput, match=rf"cannot download https://.* \(offline\): put that file at {path}"):
        build("resnet18", weights="imagenet").load_pretrained()


def test_a_broken_download_is_named(monkeypatch, tmp_path):
    path = hub_file(monkeypatch, tmp_path, "resnet18")
    path.write_bytes(b"PK\x03\x04 not all of it")
    with pytest.raises(BadData, match="delete it"):
        build("resnet18", weights="imagenet").load_pretrained()


def test_timm_loads_through_its_own_loader(monkeypatch):
    donor = timm.create_model("test_resnet", num_classes=len(CLASSES))
    asked = []

    def create(name, pretrained=False, **options):
        asked.append((name, pretrained))
        return donor if pretrained else original(name, **options)

    original = timm.create_model
    monkeypatch.setattr(timm, "create_model", create)
    built = build("timm/test_resnet", weights="imagenet")
    head = {key: tensor.clone() for key, tensor in built.network.state_dict().items() if under(key, built.stages[-1])}
    built.load_pretrained()
    assert asked == [("test_resnet", False), ("test_resnet", True)]
    for key, tensor in built.network.state_dict().items():
        assert torch.equal(tensor, head.get(key, donor.state_dict()[key])), key


def test_timm_without_a_network_connection(monkeypatch):
    original = timm.create_model

    def create(name, pretrained=False, **options):
        if pretrained:
            raise FileNotFoundError("cannot find the file in the cache")
        return original(name, **options)

    monkeypatch.setattr(timm, "create_model", create)
    with pytest.raises(MissingInput, match=r"cannot download the weights of timm/test_resnet.*set weights to the file"):
        build("timm/test_resnet", weights="imagenet").load_pretrained()


def test_building_is_a_function_of_the_seed():
    def digest():
        torch.manual_seed(3)
        return [tensor.numpy().tobytes() for tensor in resnet20(range(5), weights="none").network.state_dict().values()]

    assert digest() == digest()


def test_a_file_of_the_same_classes_brings_its_head_and_another_does_not(tmp_path):
    donor = resnet20(CLASSES, weights="none").network
    about = {"ftaug": json.dumps({"classes": CLASSES})}
    save(tmp_path / "same.safetensors", donor.state_dict(), about)
    for classes, kept in ((CLASSES, True), (CLASSES[::-1], False), (CLASSES[:3], False)):
        backbone = resnet20(classes, weights=str(tmp_path / "same.safetensors"))
        backbone.load_pretrained()
        assert torch.equal(backbone.network.conv1.weight, donor.conv1.weight)
        assert (len(classes) == len(CLASSES) and torch.equal(backbone.network.fc.weight, donor.fc.weight)) == kept


@pytest.mark.parametrize("name", [*NAMES, "timm/convnext_atto", "timm/vit_tiny_patch16_224", "timm/regnety_002"])
def test_a_stage_learns_at_its_rate_from_its_step_on(name, no_memory):
    """Of every network of torchvision and some of timm: the head at once, the last block later and at half its rate."""
    built = build(name, weights="none")
    last = [stage for stage in built.stages[:-1] if not stage.with_head][-1]
    head = built.stages[-1]
    unfreeze = (UnfreezeStage(("head",)), UnfreezeStage((last.name,), Duration(2, "steps"), lr=0.5))
    experiment = SimpleNamespace(unfreeze=unfreeze, method=None, lr=LearningRate(layer_decay=0.8), train=Train())
    made = plan(built, experiment, TrainingLength(total_steps=4, epoch_steps=2))
    optimizer = torch.optim.SGD(parameter_groups(built.network, made, 0.1))
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    for step in range(4):
        made.apply(built.network, step)
        for parameter, tensor in built.network.named_parameters():
            in_head, in_last = under(parameter, head), under(parameter, last)
            assert tensor.requires_grad == (in_head or (in_last and step >= 2)), parameter
            expected = 0.1 if in_head else 0.1 * 0.8 * 0.5 if in_last else None
            assert rates.get(id(tensor)) == (None if expected is None else pytest.approx(expected)), parameter


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("squeezenet1_0", None),
        ("googlenet", None),
        ("vit_b_32", 96),
        ("maxvit_t", 224),
        ("timm/test_vit", 96),
        ("timm/test_resnet", 64),
        ("timm/test_convnext.r160_in1k", None),
    ],
)
def test_the_source_for_scripts_builds_the_same_network(name, size, no_memory):
    built = backbones[name].function(name, CLASSES, ModelInput(size=size), weights="none")
    names = {"torch": torch}
    exec("\n".join([*built.construction.imports, built.construction.code]), names)
    tensors, own = names["network"].state_dict(), built.network.state_dict()
    assert {key: tensor.shape for key, tensor in tensors.items()} == {key: tensor.shape for key, tensor in own.items()}
    assert repr(names["network"]) == repr(built.network)


def test_networks_of_ftaug_have_no_source_for_scripts():
    assert build("resnet20", weights="none").construction is None


def test_weights_of_torchvision_are_bsd_but_swags_are_not_commercial():
    members = torchvision.models.get_model_weights("vit_b_16")
    licenses = {member.name: license_of(member) for member in members}
    assert licenses.pop("IMAGENET1K_V1") == "BSD-3-Clause"
    assert set(licenses.values()) == {"CC-BY-NC-4.0"}
    assert backbones["resnet18"].function("resnet18", ("a", "b")).facts["license"] == "BSD-3-Clause"
    assert "license" not in backbones["resnet18"].function("resnet18", ("a", "b"), weights="none").facts
