"""MinHash estimates the Jaccard similarity of shingles, and finds texts that share most of them."""

import random

import numpy as np
from doctor_data import stored

from ftaug.text.near_duplicates import SHINGLE, candidates, min_hashes, shingles, similarity
from ftaug.text.types import Text

WORDS = ("the", "of", "old", "sea", "house", "river", "mountain", "light", "stone", "quick", "red", "cold", "morning")


def sentence(seed, length=30):
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def jaccard(first, second):
    sets = [{text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)} for text in (first, second)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def test_similarity_is_the_jaccard_of_shingles():
    first = sentence(0)
    second = first.replace("river", "lake", 1)
    assert similarity(Text(first), Text(second)) == jaccard(first, second)
    assert similarity(Text(first), Text(first.upper().replace(" ", "  "))) == 1
    assert similarity(Text("ab"), Text("ab ")) == 1 > similarity(Text("ab"), Text("ac"))
    assert len(shingles(Text(first, first))) > len(shingles(Text(first)))


def test_equal_min_hashes_estimate_it():
    errors = []
    for seed in range(40):
        words = sentence(seed).split()
        other = " ".join(words[: 10 + seed // 2] + sentence(seed + 500).split()[: 20 - seed // 2])
        first, second = Text(" ".join(words)), Text(other)
        errors.append((min_hashes(first) == min_hashes(second)).mean() - similarity(first, second))
    assert abs(np.mean(errors)) < 0.03
    assert np.std(errors) < 0.09


def test_edited_copies_are_candidates_and_others_are_not():
    texts = [sentence(seed) for seed in range(200)]
    copies = [text.replace(text.split()[5], "xyz", 1) for text in texts]
    values = np.stack([min_hashes(Text(text)) for text in texts + copies])
    pairs = {tuple(pair) for pair in candidates(stored(values)).tolist()}
    assert sum((row, row + 200) in pairs for row in range(200)) >= 198
    assert all(b - a == 200 for a, b in pairs)
