"""What `ftaug transfer` prints."""

import numpy as np

from ftaug.runs.ablation.ablate import Ablation, VariantResult
from ftaug.runs.ablation.effects import effects
from ftaug.runs.ablation.variants import Design, Variant
from ftaug.runs.policy.transfer import TransferTarget
from ftaug.runs.report import transfer as report


def result(tmp_path, backbone, *shifts):
    variants = [Variant(f"policy × {scale}", "added", ()) for scale in ("0.5", "1")]
    tested = effects(np.linspace(np.array(shifts) - 0.01, np.array(shifts) + 0.01, 6), higher_is_better=True)
    results = [VariantResult(*each) for each in zip(variants, tested, strict=True)]
    target = TransferTarget(backbone, (), Design(None, variants))
    return target, Ablation(tmp_path, "accuracy", True, range(6), [0.5] * 6, results)


def test_verdicts_and_json(tmp_path, capsys):
    results = [result(tmp_path, "a", 0.05, 0.0), result(tmp_path, "b", 0.0, 0.0), result(tmp_path, "c", -0.05, 0.0)]
    report.show(results, tmp_path)
    text = capsys.readouterr().out
    assert "a: carries over, policy × 0.5 is better than the reference" in text
    assert "b: no difference from the reference is shown" in text
    assert "c: the reference is better" in text
    value = report.as_json(results, tmp_path)
    first = value["backbones"][0]["policy"][0]
    assert (first["scale"], first["verdict"]) == (0.5, "helps")
    assert abs(first["difference"] - 0.05) < 1e-9
