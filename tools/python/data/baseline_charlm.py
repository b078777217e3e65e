#!/usr/bin/env python3
"""Scores n-grams and xz on the test set of models/charlm, in bits per character.

    python3 tools/python/data/baseline_charlm.py models/charlm

Interpolated n-grams with modified Kneser-Ney smoothing, of 3 to 9 characters, that learnt the training set. `xz -9` on
the test set alone, and what the test set adds to the training set when both are compressed as one. Needs only the
standard library.
"""

import lzma
from collections import Counter
from math import log2

from files import data_folder, read_text
from kneser_ney import KneserNey

ORDERS = range(3, 10)


def compressed(text):
    """Bits that `xz -9` leaves of a text."""
    return 8 * len(lzma.compress(text.encode(), preset=9))


def entropy(train, test):
    """Bits per character when each has its share of the training set as its probability."""
    counts = Counter(train)
    return -sum(log2(counts[character] / len(train)) for character in test) / len(test)


def main():
    folder = data_folder("baseline_charlm.py MODEL_FOLDER")
    train, test = read_text(folder / "train.txt"), read_text(folder / "test.txt")
    print(f"single characters: {entropy(train, test):.3f}")
    print(f"xz -9, test alone: {compressed(test) / len(test):.3f}")
    print(f"xz -9, train and test less train: {(compressed(train + test) - compressed(train)) / len(test):.3f}")
    for order in ORDERS:
        print(f"Kneser-Ney, order {order}: {KneserNey(train, order).bits_per_character(test):.3f}", flush=True)


if __name__ == "__main__":
    main()
