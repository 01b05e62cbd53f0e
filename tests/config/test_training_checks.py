"""Which layers train when, how and for how long contradicts itself: errors with a place."""

import pytest

SMALLEST = "data: {train: digits}\nbackbone: resnet18\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "lr: {schedule: {cosine: {warmup: 100%}}}",
            "3:34: lr.schedule.cosine.warmup must end before the end of training (10 epochs); got 100%",
        ),
        (
            "lr: {schedule: {cosine: {warmup: 3 epochs}}}\ntrain: {epochs: 3}",
            "3:34: lr.schedule.cosine.warmup must end before the end of training (3 epochs); got 3 epochs",
        ),
        ("unfreeze: []", "3:11: unfreeze must name at least one layer; got an empty list"),
        ("unfreeze: [all, head]", "3:12: unfreeze.0 covers every layer, so the other names have no effect"),
        ("unfreeze: [head, {layers: [layer4]}]", "3:12: unfreeze.0 is a name among stages"),
        ("unfreeze: [{layers: []}]", "3:21: unfreeze.0.layers must name at least one layer; got an empty list"),
        (
            "unfreeze: [{layers: [a]}, {layers: [b], from: 10 epochs}]",
            "3:47: unfreeze.1.from must come before the end of training (10 epochs); got 10 epochs",
        ),
        (
            "unfreeze: [{layers: [b], from: 10%}]",
            "3:32: unfreeze.0.from must be 0 in one of the stages, or nothing is trained at first; got 10%",
        ),
        (
            "unfreeze: auto\nmethod: lora",
            "3:11: unfreeze auto chooses stages to train in full, but method lora freezes them; leave one out",
        ),
        (
            "method: l2_sp\noptimizer: {adamw: {weight_decay: 0.5}}",
            "4:35: optimizer.adamw.weight_decay has no effect with method l2_sp, which replaces it; got 0.5",
        ),
        (
            "method: l2_sp\ntrain: {decay_norms: true}",
            "4:22: train.decay_norms has no effect with method l2_sp; leave it out",
        ),
        ("train: {ema: 0.9, swa: 50%}", "3:24: train.swa and train.ema both average the weights; leave one out"),
        ("train: {swa: 100%}", "3:14: train.swa must begin before training ends (10 epochs); got 100%"),
        (
            "train: {micro_batch: 33}",
            "3:22: train.micro_batch must be at most data.batch_size, 32; got 33",
        ),
        (
            "train: {cache_features: {views: 2}}\nunfreeze: [all]",
            "3:25: train.cache_features stores what frozen layers give, and unfreeze is all",
        ),
        (
            "train: {cache_features: {views: 2}}\nunfreeze: [head]\nmix: cutmix",
            "3:25: train.cache_features stores what single samples give, and mix: cutmix blends them; drop one",
        ),
        (
            "train: {cache_features: {views: 2}, gradient_checkpointing: true}\nunfreeze: [head]",
            "3:61: train.gradient_checkpointing applies to the whole network",
        ),
    ],
)
def test_training(problems, text, line):
    (problem,) = problems(f"{SMALLEST}{text}\n")
    assert problem.startswith(f"f.yaml:{line}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("train: {early_stop: {patience: 2}}", "f.yaml:3:21: train.early_stop needs validation samples; set data.val"),
        ("lr: {schedule: plateau}", "f.yaml:3:16: lr.schedule plateau needs validation samples; set data.val"),
    ],
)
def test_what_needs_validation_samples(problems, text, line):
    (problem,) = problems(f"data: {{train: digits, val: null}}\nbackbone: resnet18\n{text}\n")
    assert problem.startswith(line)
