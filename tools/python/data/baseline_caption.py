#!/usr/bin/env python3
"""Scores three baselines on the test set of models/caption.

    python3 tools/python/data/baseline_caption.py models/caption

The most frequent training sentence. The sentence of the training image that is nearest, by the distance of pixels. And
what is nearest in each place by itself, with the sentence that the rules of captions.py make of it: an answer that
is told the places and the grammar, which the other two and a network are not.
"""

from collections import Counter

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from captions import NAMES, PLACES, PLURALS, SIDE, Thing, caption
from files import data_folder, read_pairs
from scores import share, word_error_rate

EMPTY = -1


def pixels_of(pairs):
    """[images, SIDE, 3 * SIDE]"""
    return np.array([line.split() for line, _ in pairs], np.float32).reshape(-1, SIDE, SIDE * len(PLACES))


def parts_of(pixels):
    """[images, places, SIDE * SIDE]"""
    parts = pixels.reshape(-1, SIDE, len(PLACES), SIDE).transpose(0, 2, 1, 3)
    return parts.reshape(len(pixels), len(PLACES), SIDE * SIDE)


def brightness(part):
    """Whether a place is empty (0), or has a faint digit (1) or another (2), the largest value of which is above 5."""
    return int(part.max() > 0) + int(part.max() > 5)


def labels_of(sentence, parts):
    """The digit in each place, read off a training sentence."""
    filled = [place for place, part in enumerate(parts) if part.max() > 0]
    repeated = [PLURALS.index(word) for word in sentence.split() if word in PLURALS]
    named = repeated * len(filled) or [NAMES.index(word) for word in sentence.split() if word in NAMES]
    labels = [EMPTY] * len(PLACES)
    for place, digit in zip(filled, named, strict=True):
        labels[place] = digit
    return labels


def by_place(train, test):
    train_parts, test_parts = parts_of(pixels_of(train)), parts_of(pixels_of(test))
    labels = [labels_of(sentence, parts) for (_, sentence), parts in zip(train, train_parts, strict=True)]

    def scaled(parts):
        flat = parts.reshape(-1, SIDE * SIDE)
        return flat / np.maximum(flat.max(axis=1, keepdims=True), 1)

    nearest = KNeighborsClassifier(1).fit(scaled(train_parts), np.ravel(labels))
    digits = nearest.predict(scaled(test_parts)).reshape(-1, len(PLACES))
    return [
        caption([Thing(k, int(d), brightness(p) == 1) for k, (d, p) in enumerate(zip(row, parts)) if brightness(p) > 0])
        for row, parts in zip(digits, test_parts)
    ]


def main():
    folder = data_folder("baseline_caption.py MODEL_FOLDER")
    train, test = read_pairs(folder / "train.tsv"), read_pairs(folder / "test.tsv")
    expected = [sentence for _, sentence in test]
    frequent = Counter(sentence for _, sentence in train).most_common(1)[0][0]
    nearest = KNeighborsClassifier(1).fit(pixels_of(train).reshape(len(train), -1), [sentence for _, sentence in train])
    answers = {
        f"most frequent sentence ({frequent})": [frequent] * len(test),
        "nearest training image": nearest.predict(pixels_of(test).reshape(len(test), -1)).tolist(),
        "nearest in each place, sentence by rule": by_place(train, test),
    }
    for name, found in answers.items():
        print(f"{name}: exact {share(found, expected):.4f}, word error rate {word_error_rate(found, expected):.4f}")


if __name__ == "__main__":
    main()
