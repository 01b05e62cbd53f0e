import numpy as np
import pytest
from reported import reported_on, reported_split

from ftaug.config.schema import component_named
from ftaug.errors import NotReached
from ftaug.interfaces.document import Gallery, HighlightedText, Paragraph, Picture
from ftaug.runs.explanation import method_choice
from ftaug.runs.explanation.checks import Check
from ftaug.runs.explanation.method_choice import MethodChoice
from ftaug.runs.run_report import mistakes

#                 right            wrong, by loss: 3, 1, 2; by confidence: 3, 2, 1
PREDICTIONS = [[0.9, 0.1, 0.0], [0.5, 0.1, 0.4], [0.7, 0.2, 0.1], [0.95, 0.03, 0.02]]
TARGETS = [0, 1, 1, 2]


def test_half_have_the_highest_loss_and_half_the_highest_confidence():
    records = reported_on(PREDICTIONS, TARGETS).records
    assert mistakes.worst(records, 12).tolist() == [3, 1, 2]
    assert mistakes.worst(records, 2).tolist() == [3, 1]
    #  0 has the highest loss; 1 the highest confidence, though its loss is the lowest
    others = reported_on([[0.5, 0.01, 0.49], [0.7, 0.29, 0.01], [0.55, 0.2, 0.25]], [1, 1, 1]).records
    assert mistakes.worst(others, 2).tolist() == [0, 1]


def test_images_with_label_prediction_and_name_in_the_order_of_their_loss():
    section = mistakes.mistakes_without_explanations(reported_on(PREDICTIONS, TARGETS))
    introduction, gallery = section.blocks
    assert introduction == Paragraph("All 3 mistakes on 4 samples, those with the highest loss first.")
    assert [item.caption for item in gallery.items] == [
        "labeled fox, predicted cat (0.950); 3.png",
        "labeled dog, predicted cat (0.500); 1.png",
        "labeled dog, predicted cat (0.700); 2.png",
    ]
    assert section.facts["mistakes"] == 3
    assert section.facts["shown"][0] == {
        "name": "folder/3.png",
        "target": "fox",
        "prediction": "cat (0.950)",
        "class": "cat",
        "probability": 0.95,
        "loss": pytest.approx(-np.log(0.02)),
    }


def test_no_section_without_mistakes():
    assert mistakes.mistakes_without_explanations(reported_on([[0.9, 0.1, 0.0]], [0])) is None


def test_of_many_mistakes_some():
    count = 30
    section = mistakes.mistakes_without_explanations(reported_on([[0.6, 0.3, 0.1]] * count, [1] * count))
    assert section.blocks[0].text.startswith("12 of 30 mistakes on 30 samples: half with the highest loss")
    assert len(section.blocks[1].items) == len(section.facts["shown"]) == 12


def test_the_label_that_is_most_wrong():
    predictions, targets = [[0.9, 0.8, 0.2], [0.9, 0.2, 0.1], [0.6, 0.1, 0.9]], [[1, 0, 0], [1, 0, 1], [1, 0, 1]]
    run = reported_on(predictions, np.array(targets, np.uint8), multi_label=True)
    section = mistakes.mistakes_without_explanations(run)
    assert [(each["name"], each["class"]) for each in section.facts["shown"]] == [
        ("folder/1.png", "fox"),
        ("folder/0.png", "dog"),
    ]
    assert section.blocks[1].items[0].caption == "labeled cat, fox, predicted cat (0.900); 1.png"


def test_errors_of_numbers_are_relative_to_their_spread():
    targets = np.array([[0.0, 0.0], [1.0, 1000.0], [2.0, 2000.0]])
    predictions = targets + np.array([[0.0, 100.0], [1.5, 0.0], [0.0, 0.0]])
    section = mistakes.mistakes_without_explanations(
        reported_on(predictions, targets, classes=("width", "price"), regression=True)
    )
    assert section.title == "Largest errors"
    assert [each["name"] for each in section.facts["shown"]] == ["folder/1.png", "folder/0.png", "folder/2.png"]
    assert section.blocks[1].items[0].caption == "target width 1, price 1000, predicted width 2.5, price 1000; 1.png"


def test_a_sample_that_is_gone_is_only_named():
    run = reported_on(PREDICTIONS, TARGETS, raw=[np.zeros((8, 8, 3), np.uint8)] * 3 + [b"no image"])
    section = mistakes.mistakes_without_explanations(run)
    assert len(section.blocks[1].items) == 2
    assert section.facts["shown"][0]["name"] == "folder/3.png"


@pytest.fixture
def _two_samples(monkeypatch):
    monkeypatch.setattr(mistakes, "MOST", 2)


@pytest.mark.parametrize(
    ("kind", "method", "item"), [("colors", "grad_cam", Picture), ("texts", "leave_one_out", HighlightedText)]
)
@pytest.mark.usefixtures("_two_samples")
def test_predictions_are_explained_by_the_best_method(kind, method, item, monkeypatch):
    def choose(opened, *_):
        component = component_named("explainer", method, opened.experiment.modality)
        return MethodChoice(component, [Check(method, road=0.25)])

    monkeypatch.setattr(method_choice, "choose", choose)
    section = mistakes.mistakes(reported_split(kind))
    introduction, gallery = section.blocks
    assert isinstance(gallery, Gallery) and len(gallery.items) == 2
    assert all(isinstance(each, item) for each in gallery.items)
    assert f"Explained by {method}, which ftaug explain chooses for this model (ROAD 0.25)" in introduction.text
    for each, shown in zip(gallery.items, section.facts["shown"], strict=True):
        assert shown["explained"]["output"].startswith(shown["class"])
        assert each.caption.startswith(f"labeled {shown['target']}, predicted {shown['prediction']}; ")
    if kind == "texts":
        assert max(abs(weight) for _, weight in gallery.items[0].spans) == 1.0


@pytest.mark.usefixtures("_two_samples")
def test_methods_that_are_not_faithful(monkeypatch):
    component = component_named("explainer", "grad_cam", "image")
    for road, says_so in ((0.06, False), (0.04, True)):
        choice = MethodChoice(component, [Check("grad_cam", road=road)])
        monkeypatch.setattr(method_choice, "choose", lambda *_, choice=choice: choice)
        text = mistakes.mistakes(reported_split("colors")).blocks[0].text
        assert text.endswith("So low a ROAD means that no method explains this model well.") is says_so


@pytest.mark.usefixtures("_two_samples")
def test_without_a_method_that_passes_its_test(monkeypatch):
    def refuse(*_):
        raise NotReached("occlusion: its maps survive")

    monkeypatch.setattr(method_choice, "choose", refuse)
    section = mistakes.mistakes(reported_split("colors"))
    assert section.blocks[0].text.endswith("Not explained, as no method passes its test: occlusion: its maps survive.")
    assert len(section.blocks[1].items) == 2 and section.facts["refused"] == ["occlusion: its maps survive"]
