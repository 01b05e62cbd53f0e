import numpy as np
import pytest
from scipy import stats

from ftaug.errors import BadData, ExperimentError
from ftaug.statistics import conformal


def population(seed, n, classes=6):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, n)
    logits = 2 * rng.normal(size=(n, classes)) + 2.5 * np.eye(classes)[targets]  # overconfident
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, targets


def held(sets, targets):
    return sets[np.arange(len(targets)), targets]


@pytest.mark.parametrize("score", ["lac", "aps"])
def test_coverage_over_200_splits_is_in_its_band(score):
    """Of 200 calibrations 95 % fall into the band; that 182 or more do has a probability of 99.5 %."""
    rng = np.random.default_rng(0)
    probabilities, targets = population(1, 30_000)
    coverages = []
    for _ in range(200):
        chosen = rng.permutation(30_000)[:300]
        rest = rng.integers(0, 30_000, 12_000)
        sets = conformal.fit(probabilities[chosen], targets[chosen], 0.9, score=score, rng=rng)
        coverages.append(held(sets.contains(probabilities[rest], rng), targets[rest]).mean())
    band = conformal.coverage_band(300, 0.9)
    inside = np.mean([band.low - 0.004 <= c <= band.high + 0.004 for c in coverages])  # 0.004: of 12 000 samples
    assert inside >= 182 / 200
    assert np.mean(coverages) == pytest.approx(0.9, abs=0.005)


@pytest.mark.parametrize(("samples", "coverage"), [(100, 0.9), (1000, 0.95), (37, 0.8)])
def test_the_band_is_of_the_beta_distribution(samples, coverage):
    rank = int(np.ceil((samples + 1) * coverage))
    expected = stats.beta(rank, samples + 1 - rank).interval(0.95)
    assert tuple(conformal.coverage_band(samples, coverage)) == pytest.approx(expected, rel=1e-9)


def test_the_lac_threshold_is_the_corrected_quantile():
    probabilities, targets = population(0, 99)
    scores = np.sort(1 - held(probabilities, targets))
    assert conformal.fit(probabilities, targets, 0.9).thresholds == (scores[89],)  # ⌈100 · 0.9⌉ = 90th of 99


def test_too_few_samples_give_sets_of_all_classes():
    probabilities, targets = population(0, 8)
    sets = conformal.fit(probabilities, targets, 0.9)
    assert sets.contains(probabilities).all() and conformal.coverage_band(8, 0.9) == (1, 1)


def test_aps_scores_by_hand():
    scores = conformal.class_scores(np.array([[0.2, 0.5, 0.3]]), "aps")
    assert scores == pytest.approx(np.array([[0.8, 0.0, 0.5]]))
    randomized = conformal.class_scores(np.array([[0.2, 0.5, 0.3]]), "aps", np.random.default_rng(0))
    u = np.random.default_rng(0).random()
    assert randomized == pytest.approx(np.array([[0.8 + 0.2 * u, 0.5 * u, 0.5 + 0.3 * u]]))


def test_aps_without_randomness_covers_and_its_sets_hold_the_most_probable_classes():
    (p, t), (q, u) = population(0, 500), population(1, 5000)
    plain = conformal.fit(p, t, 0.9, score="aps").contains(q)
    lac = conformal.fit(p, t, 0.9).contains(q)
    assert held(plain, u).mean() > 0.88 and held(lac, u).mean() > 0.87
    ranks = np.argsort(np.argsort(-q, axis=1), axis=1)
    assert (plain == (ranks < plain.sum(axis=1, keepdims=True))).all() and plain.any(axis=1).all()


def test_thresholds_by_class_cover_every_class():
    probabilities, targets = population(0, 3000)
    probabilities = probabilities * np.array([1, 1, 1, 1, 1, 0.1])  # the last class is seldom seen
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    half = np.arange(3000) < 1500
    shares = {}
    for by_class in (False, True):
        sets = conformal.fit(probabilities[half], targets[half], 0.9, by_class=by_class).contains(probabilities[~half])
        shares[by_class] = held(sets, targets[~half])[targets[~half] == 5].mean()
    assert shares[False] < 0.8 < 0.86 < shares[True]


def test_thresholds_by_class_need_50_samples_each():
    probabilities, targets = population(0, 100)
    with pytest.raises(BadData, match=r"need 50 calibration samples of every class, and one has \d+; use sets of all"):
        conformal.fit(probabilities, targets, by_class=True)


@pytest.mark.parametrize("by_class", [False, True])
def test_stored_scores_give_the_sets_of_any_coverage(by_class):
    probabilities, targets = population(0, 1000)
    scores = conformal.target_scores(probabilities, targets, by_class=by_class)
    assert len(scores) == 1000
    for coverage in (0.7, 0.95):
        assert scores.sets(coverage) == conformal.fit(probabilities, targets, coverage, by_class=by_class)


@pytest.mark.parametrize("coverage", [0, 1, 1.5, float("nan")])
def test_a_coverage_is_between_0_and_1(coverage):
    with pytest.raises(ExperimentError, match=r"cannot be guaranteed; expected one such as 0\.9"):
        conformal.fit(*population(0, 100), coverage)
