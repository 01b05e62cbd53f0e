"""What `ftaug choose` prints."""

from ftaug.runs.backbone_choice.candidates import Candidate
from ftaug.runs.backbone_choice.choose import BackboneChoice, BackboneResult
from ftaug.runs.backbone_choice.cost import Cost
from ftaug.runs.report import backbone_choice as report
from ftaug.statistics.comparison import Difference
from ftaug.statistics.intervals import Estimate


def choice(experiment, adjusted_p, chosen):
    estimate = [Estimate(value, value - 0.02, value + 0.02, "wilson") for value in (0.9, 0.92)]
    results = [
        BackboneResult(Candidate(name, experiment), value, value, Cost(1.5, 10.0, license))
        for name, value, license in zip(("small", "large"), estimate, (None, "MIT"), strict=True)
    ]
    difference = Difference(0.9, 0.92, -0.01, 0.05, adjusted_p, "mcnemar", True, adjusted_p)
    return BackboneChoice("accuracy", 100, results, 1, chosen, {0: difference})


def experiment(write):
    from ftaug.experiment_file import load

    return load(write("data: {train: digits}\nbackbone: resnet20\n"))


def test_equal_ones_and_unknown_licenses(write, capsys):
    report.show(choice(experiment(write), 0.3, 0))
    text = capsys.readouterr().out
    assert "-0.0200, -0.0500 to +0.0100" in text
    assert "unknown" in text
    assert text.splitlines()[-2:] == [
        "no difference is shown between all; small is the cheapest of them",
        "backbone: small",
    ]


def test_a_better_one(write, capsys):
    report.show(choice(experiment(write), 0.001, 1))
    assert "large is better than every other one" in capsys.readouterr().out
    value = report.as_json(choice(experiment(write), 0.001, 1))
    assert value["equal"] == ["large"]
    assert value["backbones"][0]["from_best"]["low"] == -0.05
