"""Names that people know from other libraries are answered with ours."""

import pytest

from ftaug.config.dump import digest
from ftaug.config.other_names import ADVICE, NAMES, SETTINGS, SPELLINGS, hint, setting_hint
from ftaug.config.registry import REGISTRIES
from ftaug.config.schema import entry_shape
from ftaug.errors import ExperimentError
from ftaug.experiment_file import MODALITIES, import_components, load

SMALLEST = "data: {train: digits}\nbackbone: resnet20\n"


@pytest.fixture(scope="module", autouse=True)
def components():
    for modality in MODALITIES:
        import_components(modality)


def names(kind):
    return {name for (of, _), registry in REGISTRIES.items() if of == kind for name in registry.own}


@pytest.mark.parametrize("kind", [*NAMES, *SPELLINGS, *ADVICE])
def test_the_tables_name_components_that_are_there_by_names_that_are_not(kind):
    ours = {*NAMES.get(kind, {}).values(), *SPELLINGS.get(kind, {}).values()}
    assert {name.replace(":", ",").split(",")[0].split(" ")[0] for name in ours} <= names(kind)
    others = {*NAMES.get(kind, {}), *SPELLINGS.get(kind, {}), *ADVICE.get(kind, {})}
    assert not others & names(kind)


def test_settings_are_those_of_some_component():
    known = {
        key
        for registry in REGISTRIES.values()
        for name in registry.own
        for key in entry_shape(registry[name]).annotations
    }
    assert {ours for ours in SETTINGS.values() if " " not in ours} <= known


@pytest.mark.parametrize(
    ("kind", "name", "ours"),
    [
        ("augmentation", "RandomHorizontalFlip", "horizontal_flip"),
        ("augmentation", "hflip", "horizontal_flip"),
        ("augmentation", "HorizontalFlip", "horizontal_flip"),
        ("augmentation", "random-rotation", "rotate"),
        ("augmentation", "ColorJitter", "color_jitter"),
        ("augmentation", "RandAugment", "rand_augment"),
        ("augmentation", "TrivialAugmentWide", "trivial_augment"),
        ("augmentation", "ToGray", "grayscale"),
        ("augmentation", "GaussNoise", "gaussian_noise"),
        ("loss", "CrossEntropyLoss", "cross_entropy"),
        ("loss", "nn.BCEWithLogitsLoss", "binary_cross_entropy"),
        ("loss", "MSELoss", "mse"),
        ("loss", "SmoothL1Loss", "huber"),
        ("optimizer", "AdamW", "adamw"),
        ("optimizer", "SGD", "sgd"),
        ("schedule", "CosineAnnealingLR", "cosine"),
        ("schedule", "OneCycleLR", "one_cycle"),
        ("schedule", "ReduceLROnPlateau", "plateau"),
        ("metric", "mAP", "average_precision"),
        ("metric", "F1Score", "f1"),
        ("metric", "f1_macro", "f1: {average: macro}"),
        ("metric", "roc_auc_score", "auroc"),
        ("backbone", "ResNet-50", "resnet50"),
        ("sampler", "WeightedRandomSampler", "balanced"),
    ],
)
def test_a_usual_name_is_answered_with_ours(kind, name, ours):
    assert hint(kind, name, names(kind)) == f"; in ftaug it is {ours}"


def test_a_typo_is_no_other_name():
    assert hint("augmentation", "rotat", names("augmentation")) == ""
    assert setting_hint("probabilty", ["probability"]) == ""
    assert setting_hint("p", ["degrees"]) == ""


def test_the_british_spelling_works_wherever_a_component_does(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(
        SMALLEST + "augment: [{colour_jitter: {hue: 0}}, {one_of: [colour_jitter, {colour_jitter: null}]}]\n"
    )
    experiment = load(path)
    assert experiment.augment[0].name == "color_jitter"
    assert (experiment.augment[0].settings["hue"], experiment.augment[0].place.column) == (0, 12)
    assert [op.place.column for op in experiment.augment[1].settings["choices"]] == [48, 64]
    american = load(path, ["augment=[{color_jitter: {hue: 0}}, {one_of: [color_jitter, color_jitter]}]"])
    assert american == experiment and digest(american) == digest(experiment)
    assert load(path, ["augment.0.colour_jitter.hue=0.2"]).augment[0].settings["hue"] == 0.2


def test_the_british_spelling_of_neighbors_works_as_a_name_and_as_a_value(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("modality: text\ndata: {train: docstrings}\nbackbone: tiny_text\n")
    british, american = (
        load(path, [f"augment=[{name}, {{insert: {{from: {name}}}}}]"]) for name in ("neighbours", "neighbors")
    )
    assert british == american and british.augment[1].settings["from"] == "neighbors"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "augment: [normalize]",
            "3:11: no augmentation 'normalize'; pictures are normalized as the backbone's",
        ),
        ("augment: [CutMix]", "3:11: 'CutMix' is a mix, not an augmentation; see ftaug list mix cutmix"),
        ("augment: [{rotate: {p: 1}}]", "3:21: unknown key 'p' in augment.0.rotate; in ftaug it is probability"),
        ("optimizer: {adamw: {lr: 1}}", "3:21: unknown key 'lr' in optimizer.adamw; in ftaug it is lr.peak, a key of"),
        (
            "augment: [{colour_jitter: {hue: 9}}]",
            "3:33: augment.0.colour_jitter.hue must be a share of the color",
        ),
        (
            "lr: {foo: 1}",
            "3:6: unknown key 'foo' in lr; valid keys: peak, schedule, layer_decay, stages",
        ),
        (
            "train: {foo: 1}",
            "3:9: unknown key 'foo' in train; valid keys: epochs, precision, gradient_accumulation, micro_batch, "
            "clip_norm, decay_norms, ema, swa, early_stop, max_time, save_every, mix_until, … (ftaug list train)",
        ),
        ("zzz: 1", "… (ftaug list experiment)"),
        ("augment: [{rotate: {foo: 1}}]", "valid keys: degrees, probability, border, interpolation, except, severity"),
        ("train: {epoch: 1}", "3:9: unknown key 'epoch' in train; did you mean 'epochs'?"),
    ],
)
def test_what_is_said_of_other_names(tmp_path, text, message):
    (tmp_path / "a.yaml").write_text(f"{SMALLEST}{text}\n")
    with pytest.raises(ExperimentError) as error:
        load(tmp_path / "a.yaml")
    (problem,) = map(str, error.value.problems)
    assert message in problem
