"""Overrides edit the tree, and a typo in one fails as one in the file does."""

import pytest

from ftaug.config.overrides import apply
from ftaug.config.yaml_document import parse

FILE = """
backbone: resnet18
optimizer: {sgd: {momentum: 0.9}}
mix: null
lr: {peak: 1e-3, stages: {layer4.0: 0.5}}
augment:
  - rotate: {degrees: 5}
  - flip
  - timm/a.b
train: {epochs: 3}
"""


def edited(*overrides: str, text: str = FILE):
    document, problems = apply(parse(text, "f.yaml"), overrides)
    assert not problems
    return document


def refused(*overrides: str) -> list[str]:
    return [str(problem) for problem in apply(parse(FILE, "f.yaml"), overrides)[1]]


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("train.epochs=5", "train", {"epochs": 5}),
        ("train.gradient_accumulation=2", "train", {"epochs": 3, "gradient_accumulation": 2}),
        ("evaluate.every=2 epochs", "evaluate", {"every": "2 epochs"}),
        ("lr.peak=3e-4", "lr", {"peak": 3e-4, "stages": {"layer4.0": 0.5}}),
        ("name=no", "name", "no"),
        ("name='1'", "name", "1"),
        ("unfreeze=[head, layer4\t]", "unfreeze", ["head", "layer4"]),
        ("mix=null", "mix", None),
        ("name=''", "name", ""),
        ("name=run #3", "name", "run #3"),
        ("name=#3", "name", "#3"),
        ("name= a#b # c ", "name", "a#b # c"),
        ("name='run #3'", "name", "run #3"),
        ("name=12 # ab", "name", "12 # ab"),
        ("augment=- blur # one\n- flip", "augment", ["blur", "flip"]),
        ('plugins=["a #b.py", c#d.py]', "plugins", ["a #b.py", "c#d.py"]),
        ("optimizer=adamw", "optimizer", "adamw"),
        ("optimizer.sgd.momentum=0", "optimizer", {"sgd": {"momentum": 0}}),
        ("backbone.resnet18.weights=none", "backbone", {"resnet18": {"weights": "none"}}),
        ("loss.focal.gamma=2", "loss", {"focal": {"gamma": 2}}),
        ("mix.cutmix.alpha=1", "mix", {"cutmix": {"alpha": 1}}),
        ("augment.0.rotate.degrees=9", "augment", [{"rotate": {"degrees": 9}}, "flip", "timm/a.b"]),
        ("augment.1.flip.p=1", "augment", [{"rotate": {"degrees": 5}}, {"flip": {"p": 1}}, "timm/a.b"]),
        ("augment.2.timm/a.b.p=1", "augment", [{"rotate": {"degrees": 5}}, "flip", {"timm/a.b": {"p": 1}}]),
        ("augment.1=blur", "augment", [{"rotate": {"degrees": 5}}, "blur", "timm/a.b"]),
        ("augment=[]", "augment", []),
        ("augment+=blur", "augment", [{"rotate": {"degrees": 5}}, "flip", "timm/a.b", "blur"]),
        ("augment+={blur: {a: 1}}", "augment", [{"rotate": {"degrees": 5}}, "flip", "timm/a.b", {"blur": {"a": 1}}]),
        ("evaluate.metrics+=f1", "evaluate", {"metrics": ["accuracy", "f1"]}),
        ("unfreeze+=fc", "unfreeze", ["all", "fc"]),
        ("plugins+=a.py", "plugins", ["a.py"]),
        ("lr.stages.layer4.0=0.1", "lr", {"peak": 1e-3, "stages": {"layer4.0": 0.1}}),
        ('lr.stages."layer3.*"=0.1', "lr", {"peak": 1e-3, "stages": {"layer4.0": 0.5, "layer3.*": 0.1}}),
        ("~lr.stages.layer4.0", "lr", {"peak": 1e-3, "stages": {}}),
        ("~augment.0", "augment", ["flip", "timm/a.b"]),
    ],
)
def test_an_override_edits_its_key(override, key, value):
    assert edited(override).tree[key] == value


def test_a_key_is_removed():
    assert "mix" not in edited("~mix").tree


def test_overrides_apply_in_their_order():
    assert edited("train.epochs=5", "train.epochs=7", "augment=[]", "augment+=blur").tree["train"] == {"epochs": 7}


def test_a_word_in_place_of_a_list_grows_to_one():
    document = edited("augment+=blur", "evaluate.metrics+=f1", text="augment: flip\nevaluate: {metrics: mae}\n")
    assert document.tree == {"augment": ["flip", "blur"], "evaluate": {"metrics": ["mae", "f1"]}}
    assert str(document.place(("augment", 0))) == "f.yaml:1:10"


def test_the_file_itself_stays_as_it_was():
    document = parse(FILE, "f.yaml")
    apply(document, ["train.epochs=5", "augment+=blur", "~mix", "backbone.resnet18.weights=none"])
    assert document == parse(FILE, "f.yaml")


def test_what_was_overridden_has_the_override_for_its_place():
    document = edited("train.epochs=5", "augment.0.rotate={degrees: 400}", "augment+=blur")
    assert str(document.place(("train", "epochs"))) == "override 'train.epochs=5'"
    assert str(document.place(("augment", 0, "rotate", "degrees"))) == "override 'augment.0.rotate={degrees: 400}'"
    assert str(document.place(("augment", 3))) == "override 'augment+=blur'"
    assert str(document.place(("augment", 1))) == "f.yaml:8:5"
    assert str(document.place(("train",))) == "f.yaml:10:8"


def test_a_name_made_a_mapping_keeps_its_place():
    document = edited("backbone.resnet18.weights=none")
    assert str(document.place(("backbone", "resnet18"), of_key=True)) == "f.yaml:2:11"
    assert str(document.place(("backbone", "resnet18", "weights"))) == "override 'backbone.resnet18.weights=none'"


def test_the_places_of_list_items_move_up_when_one_is_removed():
    document = edited("~augment.0")
    assert str(document.place(("augment", 0))) == "f.yaml:8:5"
    assert str(document.place(("augment", 1))) == "f.yaml:9:5"
    assert ("augment", 2) not in document.places


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs", "expected key=value, key+=value or ~key"),
        ("data.val=", "the value is empty; expected one, or null: data.val=null"),
        ("augment+= ", "the value is empty; expected one, or null: augment+=null"),
        ("augment=[blur] # no flip", "everything after # would be ignored; quote a string that contains #"),
        ("name='a' #b", "everything after # would be ignored; quote a string that contains #"),
        ("name=a #${b}", "variables such as ${HOME} are not expanded in an experiment file; write the value"),
        ("=1", "'' is not a key; expected something like train.epochs"),
        ("a..b=1", "'a..b' is not a key; expected something like train.epochs"),
        (".a=1", "'.a' is not a key; expected something like train.epochs"),
        ("~", "'' is not a key; expected something like train.epochs"),
        ("~trian", "trian is not set; did you mean 'train'?"),
        ("~train.epoch", "train.epoch is not set; did you mean 'epochs'?"),
        ("~augment.7", "augment.7 is not set; it has 3 items"),
        ("augment.x=1", "'x' is not the index of a list item; expected 0 to 2"),
        ("augment.rotate.degrees=1", "'rotate' is not the index of a list item; expected 0 to 2"),
        ("augment.3=blur", "augment has 3 items, counted from 0; to add one: augment+=blur"),
        ("augment.3.rotate.degrees=1", "augment has 3 items, counted from 0"),
        ("train.epochs.x=1", "train.epochs is 3, which has no key 'x'; set train.epochs itself"),
        ("backbone.resnet20.weights=1", "backbone is resnet18, which has no key 'resnet20'; set backbone itself"),
        ("train+=1", "train is a mapping with the keys epochs, not a list to append to"),
        ("mix+=cutmix", "mix is not set, not a list to append to"),
        ("seed+=1", "seed is not set, not a list to append to"),
        ("name=[1", "a bracket is not closed"),
        ("name=!x 1", "tags such as !x are not supported; write the plain value"),
        ("lr.peak=1e999", "the number 1e999 is too large"),
        ("optimizer.sgd.momentum=!", "tags such as ! are not supported; write the plain value"),
    ],
)
def test_what_cannot_be_applied(override, message):
    assert refused(override) == [f"override '{override}': {message}"]


@pytest.mark.parametrize("override", ["ep\udce1chs=1", "~a\udcffugment", "x\udc80+=1"])
def test_a_key_of_bytes_that_are_not_utf_8(override):
    (problem,) = apply(parse(FILE, "f.yaml"), [override])[1]
    assert problem.message == "the key is not UTF-8 text"


def test_every_override_is_looked_at():
    assert len(refused("x", "~y", "train.epochs=4", "augment.9=1")) == 3


def test_a_dotted_name_is_taken_whole_where_it_is_there():
    text = "backbone: timm/convnext.fb_in1k"
    tree = edited("backbone.timm/convnext.fb_in1k.weights=none", text=text).tree
    assert tree == {"backbone": {"timm/convnext.fb_in1k": {"weights": "none"}}}
