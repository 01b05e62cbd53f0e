import re

import pytest
from reported import reported_on, reported_split

from ftaug.documents.html_report import html_of
from ftaug.errors import MissingInput
from ftaug.runs.invariance import Agreement, OpAgreement
from ftaug.runs.run_report import invariance as module
from ftaug.runs.run_report.invariance import augmentation_alerts, invariance


@pytest.fixture(scope="module")
def section():
    """With so small a budget only the augmentations of the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "forward_passes", lambda *_: 100)
        patch.setattr(module, "LEAST", 6)
        return invariance(reported_split("colors"))


def test_augmentations_of_the_run_at_severities_and_as_trained(section):
    introduction, table = section.blocks
    assert introduction.text.startswith("Share of 6 val samples whose predicted class stays the same")
    assert introduction.text.endswith("Only augmentations of the run are measured, as the network is large.")
    assert table.headings == ["augmentation", "as trained", "severity 0.25", "severity 0.5", "severity 1"]
    rows = {name: cells for name, *cells in table.rows}
    assert set(rows) == {"rotate", "brightness", "torchvision.RandomInvert"}
    assert all(re.fullmatch(r"\d\.\d\d \(\d\.\d\d\)", cell) for cell in rows["rotate"])
    assert rows["brightness"][0] == "·"  # strength 0
    assert rows["torchvision.RandomInvert"][1:] == ["", "", ""]
    assert section.facts["does_nothing"] == ["brightness"]
    facts = {each["name"]: each for each in section.facts["augmentations"]}
    assert facts["brightness"]["as_trained"]["agreement"] == 1.0
    assert facts["brightness"]["as_trained"]["changed"] == 0.0
    assert set(facts["rotate"]["severities"]) == {"0.25", "0.5", "1"}


def test_all_augmentations_where_the_budget_allows(monkeypatch):
    measured = []

    def measure(test, ops):
        measured.extend(op.name for op in ops)
        return []

    monkeypatch.setattr(module, "measure", measure)
    monkeypatch.setattr(module, "forward_passes", lambda *_: 10**6)
    monkeypatch.setattr(module, "MOST_SAMPLES", 2)
    assert invariance(reported_split("colors")) is None
    assert measured[:3] == ["rotate", "brightness", "torchvision.RandomInvert"]
    assert len(measured) == len(set(measured)) > 40


def test_initial_weights_that_cannot_be_loaded_are_named(monkeypatch):
    def deciding_before(*_):
        raise MissingInput("the weights are not here")

    monkeypatch.setattr(module, "deciding_before", deciding_before)
    monkeypatch.setattr(module, "forward_passes", lambda *_: 1)
    monkeypatch.setattr(module, "LEAST", 2)
    section = invariance(reported_split("colors"))
    assert section.blocks[0].text.endswith(" Before training: the weights are not here.")
    assert "before training." not in section.blocks[0].text
    assert "(" not in section.blocks[1].rows[0][1]


def op(name, shares, trained=None):
    return OpAgreement(
        name,
        {severity: Agreement(share, None, 10, 10) for severity, share in zip((0.5, 1.0), shares, strict=True)},
        None if trained is None else Agreement(trained, None, 10, 10),
    )


def test_those_of_the_run_are_first_and_then_those_that_change_most():
    results = [op("rotate", (9, 8)), op("hue", (10, 10)), op("invert", (3, 1)), op("blur", (10, 9), trained=10)]
    assert [result.op for result in module._sorted(results)] == ["blur", "invert", "rotate", "hue"]


def test_the_more_predictions_change_the_darker_the_cell():
    page = html_of(module._table([op("rotate", (5, 10))]))
    assert '<td class="number" style="background: rgba(213, 94, 0, 0.38)">0.50</td><td class="number">1.00</td>' in page


def test_alerts(section):
    facts = {"samples": 100, "chance": 0.25, "does_nothing": ["hue", "sharpness"], "destroys": ["invert"]}
    nothing, destroys = augmentation_alerts(facts)
    assert nothing.message == "hue, sharpness changed none of 100 samples"
    assert destroys.message == "After invert predictions agree hardly more often than by chance (0.25)"
    assert [alert.key for alert in augmentation_alerts(section.facts)][:1] == ["augmentation_does_nothing"]


def test_an_augmentation_after_which_agreement_is_chance_destroys():
    class Test:
        accuracies = ()
        chance = 0.5

        def __len__(self):
            return 10

    facts = module._facts(Test(), [op("a", (9, 9), trained=6), op("b", (9, 9), trained=10), op("c", (1, 1))])
    assert facts["destroys"] == ["a"]


def test_not_for_numbers():
    assert invariance(reported_on([[0.5]], [[0.1]], classes=("width",), regression=True)) is None
