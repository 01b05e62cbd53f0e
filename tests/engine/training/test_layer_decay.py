"""Rates that fall from the head down, and what weight decay spares, against timm's own groups of parameters."""

import re
from types import SimpleNamespace

import pytest
import torch
from timm.models import group_parameters, regnet
from timm.optim import param_groups_layer_decay

import ftaug.image.backbones  # noqa: F401  registers them
from ftaug.config.experiment import Last, LearningRate, Train
from ftaug.engine.training.unfreeze import plan
from ftaug.errors import ExperimentError
from ftaug.image import backbone as backbones
from ftaug.interfaces.model import TrainingLength
from ftaug.text.backbones.tiny_text import tiny_text

CLASSES = [str(n) for n in range(10)]
TRANSFORMERS = [
    *("vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "beit_base_patch16_224", "eva02_tiny_patch14_224"),
    *("vit_small_patch14_reg4_dinov2", "mixer_s16_224", "cait_xxs24_224", "xcit_nano_12_p16_224", "hiera_tiny_224"),
    *("convit_tiny", "tnt_s_patch16_224", "crossvit_9_240", "volo_d1_224", "samvit_base_patch16"),
]
STAGE_WISE = [
    *("swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256", "convnext_atto", "densenet121", "resnet18"),
    *(
        "efficientnet_b0",
        "mobilenetv3_small_100",
        "regnety_002",
        "focalnet_tiny_srf",
        "davit_tiny",
        "twins_pcpvt_small",
    ),
    *("edgenext_xx_small", "maxvit_nano_rw_256", "mvitv2_tiny"),
]
LAST_BLOCKS = {  # the prefixes of the last block, and of what is behind it
    "vit_b_16": ("encoder.layers.encoder_layer_11", "encoder.ln|heads"),
    "swin_t": (r"features\.[67]", "norm|head"),
    "swin_v2_t": (r"features\.[67]", "norm|head"),
    "convnext_tiny": (r"features\.[67]", "classifier"),
    "densenet121": (r"features\.denseblock4", r"features\.norm5|classifier"),
    "maxvit_t": (r"blocks\.3", "classifier"),
    "vgg11": (r"features\.(16|18)", "classifier"),
    "mobilenet_v3_small": (r"features\.12", "classifier"),
    "resnet18": ("layer4", "fc"),
    "efficientnet_b0": (r"features\.8", "classifier"),
    "timm/vit_tiny_patch16_224": (r"blocks\.11|norm", "head"),
    "timm/beit_base_patch16_224": (r"blocks\.11", "fc_norm|head"),
    "timm/swin_tiny_patch4_window7_224": (r"layers\.3", "norm|head"),
    "timm/convnext_atto": (r"stages\.3", "head"),
    "timm/poolformer_s12": (r"stages\.3", "head"),
    "timm/caformer_s18": (r"stages\.3", "head"),
    "timm/pit_ti_224": (r"transformers\.2", "norm|head"),
    "timm/densenet121": (r"features\.denseblock4", r"features\.norm5|classifier"),
}


@pytest.fixture(autouse=True)
def no_memory(monkeypatch):
    """Build networks without allocating them; timm's RegNet computes its widths from real tensors."""
    real = regnet.RegNet._get_stage_args

    def on_the_cpu(*args, **kwargs):
        with torch.device("cpu"):
            return real(*args, **kwargs)

    monkeypatch.setattr(regnet.RegNet, "_get_stage_args", on_the_cpu)
    with torch.device("meta"):
        yield


def build(name):
    return backbones[name].function(name, CLASSES, weights="none")


def planned(backbone, *unfreeze, decay_norms=False, **lr):
    experiment = SimpleNamespace(
        unfreeze=unfreeze, method=None, lr=LearningRate(**lr), train=Train(decay_norms=decay_norms)
    )
    return plan(backbone, experiment, TrainingLength(12, 4))


def by_parameter(made, field):
    return {name: getattr(group, field) for group in made.groups for name in group.names}


def timm_groups(network, **settings):
    """By parameter: timm's factor of the rate, and whether weight decay applies."""
    spared = network.no_weight_decay() if hasattr(network, "no_weight_decay") else ()
    groups = param_groups_layer_decay(network, no_weight_decay_list=spared, **settings)
    of = {id(p): (group["lr_scale"], group["weight_decay"] > 0) for group in groups for p in group["params"]}
    return {name: of[id(p)] for name, p in network.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_factors_of_transformers_are_timms(name):
    backbone = build(f"timm/{name}")
    expected = {name: factor for name, (factor, _) in timm_groups(backbone.network, layer_decay=0.7).items()}
    factors = by_parameter(planned(backbone, "all", layer_decay=0.7), "lr_factor")
    assert {name: factors[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("name", STAGE_WISE)
def test_factors_of_networks_in_stages_are_by_timms_stages(name):
    backbone = build(f"timm/{name}")
    network = backbone.network
    groups = group_parameters(network, network.group_matcher(coarse=True), reverse=True)
    last = max(groups.values())
    factors = by_parameter(planned(backbone, "all", layer_decay=0.7), "lr_factor")
    assert factors == pytest.approx({name: 0.7 ** (last - groups[name]) for name in factors})


@pytest.mark.parametrize("name", TRANSFORMERS + STAGE_WISE)
def test_weight_decay_spares_what_timm_spares(name):
    backbone = build(f"timm/{name}")
    expected = timm_groups(backbone.network)
    decays = by_parameter(planned(backbone, "all"), "decays")
    assert {name: decays[name] for name in expected} == {name: decay for name, (_, decay) in expected.items()}


@pytest.mark.parametrize(("name", "block", "behind"), [(name, *parts) for name, parts in LAST_BLOCKS.items()])
def test_the_last_two_stages_are_a_block_and_what_is_behind_it(name, block, behind):
    backbone = build(name)
    parameters = {name for name, _ in backbone.network.named_parameters()}
    of_head = {name for name in parameters if re.match(rf"(?:{behind})\b", name)}
    of_block = {name for name in parameters if re.match(rf"(?:{block})\b", name)}
    assert of_head and of_block
    assert planned(backbone, Last(1)).learning(0) == of_head
    assert planned(backbone, Last(2)).learning(0) == of_head | of_block
    factors = by_parameter(planned(backbone, "all", layer_decay=0.7), "lr_factor")
    assert {factors[name] for name in of_head} == {1.0} and {factors[name] for name in of_block} == {0.7}
    assert max(factor for name, factor in factors.items() if name not in of_head | of_block) == pytest.approx(0.49)


def test_the_head_alone_is_the_classifier():
    """`unfreeze: [head]` is linear probing: the norm before it stays as it was pretrained."""
    backbone = build("vit_b_16")
    assert planned(backbone, "head").learning(0) == {"heads.head.weight", "heads.head.bias"}
    assert backbone.stages[-1].modules == ("heads",) and backbone.stages[-2].name == "norm"


@pytest.mark.parametrize(
    ("name", "spared"),
    [
        ("vit_b_16", {"class_token", "encoder.pos_embedding"}),
        ("swin_t", {r"\.relative_position_bias_table$"}),
        ("swin_v2_t", {r"\.(logit_scale|cpb_mlp\..*)$"}),
        ("maxvit_t", {r"\.relative_position_bias_table$"}),
        ("convnext_tiny", {r"\.layer_scale$"}),
        ("resnet18", set()),
    ],
)
@pytest.mark.parametrize("decay_norms", [False, True])
def test_weight_decay_spares_positions_classes_and_scales_of_torchvision(name, spared, decay_norms):
    backbone = build(name)
    decays = by_parameter(planned(backbone, "all", decay_norms=decay_norms), "decays")
    parameters = dict(backbone.network.named_parameters())
    always = {n for n in parameters if any(re.search(pattern, n) for pattern in spared)}
    assert bool(always) == bool(spared)
    wide = {n for n, p in parameters.items() if p.ndim > 1}
    assert {n for n, decay in decays.items() if decay} == (set(parameters) if decay_norms else wide) - always


def test_weight_decay_spares_the_positions_of_texts():
    with torch.device("cpu"):
        backbone = tiny_text(CLASSES, weights="none")
    decays = by_parameter(planned(backbone, "all"), "decays")
    tables = {name: decay for name, decay in decays.items() if "embeddings.weight" in name}
    assert {name.split(".")[-2]: decay for name, decay in tables.items()} == {
        "word_embeddings": True,
        "position_embeddings": False,
        "token_type_embeddings": True,
    }


def test_hidden_layers_have_neither_embeddings_nor_position_tables_nor_the_head():
    """Muon takes their matrices; of attention too, whose weights torch keeps outside of a linear layer."""
    with torch.device("cpu"):
        made = {"texts": tiny_text(CLASSES, weights="none")}
    made |= {name: build(name) for name in ("vit_b_16", "swin_t", "timm/beit_base_patch16_224")}
    matrices = {
        name: {
            (re.sub(r"\d+", "0", n) if n in planned(backbone, "all").hidden else f"not {re.sub(r'[0-9]+', '0', n)}")
            for n, p in backbone.network.named_parameters()
            if p.ndim == 2
        }
        for name, backbone in made.items()
    }
    layer, bert = "encoder.layers.encoder_layer_0", "model.bert"
    assert matrices["vit_b_16"] == {
        *(f"{layer}.self_attention.in_proj_weight", f"{layer}.self_attention.out_proj.weight"),
        *(f"{layer}.mlp.0.weight", "not heads.head.weight"),
    }
    assert {name for name in matrices["swin_t"] if name.startswith("not ")} == {
        "not features.0.0.attn.relative_position_bias_table",
        "not head.weight",
    }
    assert {name for name in matrices["timm/beit_base_patch16_224"] if name.startswith("not ")} == {
        "not blocks.0.attn.relative_position_bias_table",
        "not head.weight",
    }
    assert {name for name in matrices["texts"] if name.startswith("not ")} == {
        *(f"not {bert}.embeddings.{table}_embeddings.weight" for table in ("word", "position", "token_type")),
        *(f"not {bert}.pooler.dense.weight", "not model.classifier.weight"),
    }


def test_more_stages_than_there_are():
    with pytest.raises(ExperimentError, match=r"last: 15 exceeds the number of stages: stem, .*, norm \+ head$"):
        planned(build("vit_b_16"), Last(15))
    assert len(planned(build("vit_b_16"), Last(14)).learning(0)) == len(list(build("vit_b_16").network.parameters()))
