"""Settings of a pretraining: what the file sets stays."""

from ftaug.experiment_file import open_experiment
from ftaug.runs.pretraining_settings import WITHOUT_LABELS, default_objective, default_overrides

TASK = """
data: {train: digits, val: digits, test: digits, sampler: balanced}
backbone: resnet20
augment: [{rotate: {degrees: 9}}]
mix: mixup
lr: {peak: 2e-3}
train: {early_stop: {patience: 3}}
evaluate: {best: loss}
"""


def test_labels_are_left_out_and_the_rate_is_a_tenth(write):
    experiment = open_experiment(write(TASK)).experiment(WITHOUT_LABELS)
    defaults = default_overrides(experiment)
    assert defaults == ["lr.peak=0.0002", "method=l2_sp", "lr.layer_decay=0.8"]
    complete = open_experiment(write(TASK)).experiment([*WITHOUT_LABELS, *defaults])
    assert complete.data.val is None and complete.data.test is None and complete.mix is None


def test_settings_of_the_file_stay(write):
    text = TASK + "objective: {vicreg: {dimensions: 32}}\nmethod: {l2_sp: {backbone_weight: 1}}\n"
    text = text.replace("peak: 2e-3", "peak: 2e-3, layer_decay: 0.5")
    experiment = open_experiment(write(text)).experiment(WITHOUT_LABELS)
    assert default_overrides(experiment) == ["lr.peak=0.0002"]


def test_the_objective_is_replaced_where_it_learns_labels(write):
    assert default_objective(None, "image") == default_objective("jensen_shannon", "image") == ["objective=instance"]
    assert default_objective("vicreg", "image") == default_objective("masked_tokens", "text") == []
    assert default_objective("unknown", "image") == []  # an error names it
    file = open_experiment(write(TASK + "objective: soft_match\n"))
    assert default_objective(*file.named_component("objective", ["objective=vicreg"])) == []
    assert default_objective(*file.named_component("objective")) == ["objective=instance"]


def test_weight_decay_of_the_file_stays(write):
    text = TASK + "optimizer: {adamw: {weight_decay: 0.2}}\n"
    assert "method=l2_sp" not in default_overrides(open_experiment(write(text)).experiment(WITHOUT_LABELS))
