#!/usr/bin/env python3
"""Scores three baselines on the test set of models/tagging.

    python3 tools/python/data/baseline_tagging.py models/tagging

The most frequent tag of each word; a word that the training set lacks gets the most frequent tag of the words that
occur in it once. A hidden Markov model over pairs of neighbouring tags, which answers each word as it comes (the most
probable tag given the words so far), and the same when it may read whole sentences first (Viterbi).
"""

from collections import Counter, defaultdict

import numpy as np

from files import data_folder, read_pairs

ADDED = 0.01  # to every count of neighbouring tags


class MostFrequent:
    def __init__(self, sentences):
        counts = defaultdict(Counter)
        for words, tags in sentences:
            for word, tag in zip(words, tags, strict=True):
                counts[word][tag] += 1
        self.tags = {word: row.most_common(1)[0][0] for word, row in counts.items()}
        once = Counter(next(iter(row)) for row in counts.values() if row.total() == 1)
        self.unknown = once.most_common(1)[0][0]

    def tagged(self, words):
        return [self.tags.get(word, self.unknown) for word in words]


class Markov:
    def __init__(self, sentences):
        self.names = sorted({tag for _, tags in sentences for tag in tags})
        number = {tag: k for k, tag in enumerate(self.names)}
        size = len(self.names)
        self.first = np.full(size, ADDED)  # [tag]
        self.next = np.full((size, size), ADDED)  # [tag before, tag]
        emitted = defaultdict(lambda: np.zeros(size))  # word -> [tag]
        for words, tags in sentences:
            numbers = [number[tag] for tag in tags]
            self.first[numbers[0]] += 1
            for before, after in zip(numbers, numbers[1:]):
                self.next[before, after] += 1
            for word, tag in zip(words, numbers):
                emitted[word][tag] += 1
        totals = sum(emitted.values())
        self.first /= self.first.sum()
        self.next /= self.next.sum(axis=1, keepdims=True)
        # A word that was never seen is like one that was seen once.
        self.unknown = sum(row for row in emitted.values() if row.sum() == 1) / totals
        self.emitted = {word: row / totals for word, row in emitted.items()}

    def likelihood(self, word):
        """[tag]: of the word, given each tag."""
        return self.emitted.get(word, self.unknown)

    def as_it_comes(self, words):
        """The most probable tag of each word given it and those before."""
        tags, prior = [], self.first
        for word in words:
            posterior = prior * self.likelihood(word)
            posterior = posterior / posterior.sum()
            tags.append(self.names[posterior.argmax()])
            prior = posterior @ self.next
        return tags

    def whole(self, words):
        """The most probable tags of a sentence together."""
        score, steps = np.log(self.first), []
        with np.errstate(divide="ignore"):
            for k, word in enumerate(words):
                if k > 0:
                    paths = score[:, None] + np.log(self.next)
                    steps.append(paths.argmax(axis=0))
                    score = paths.max(axis=0)
                score = score + np.log(self.likelihood(word))
        best = [int(score.argmax())]
        for step in reversed(steps):
            best.append(int(step[best[-1]]))
        return [self.names[tag] for tag in reversed(best)]


def main():
    folder = data_folder("baseline_tagging.py MODEL_FOLDER")
    train, test = (
        [(words.split(), tags.split()) for words, tags in read_pairs(folder / f"{name}.tsv")]
        for name in ("train", "test")
    )
    frequent, markov = MostFrequent(train), Markov(train)
    answers = {
        "most frequent tag": frequent.tagged,
        "hidden Markov model, as words come": markov.as_it_comes,
        "hidden Markov model, whole sentences": markov.whole,
    }
    several = defaultdict(set)
    for words, tags in train + test:
        for word, tag in zip(words, tags):
            several[word].add(tag)
    for name, tagger in answers.items():
        marks = [
            (found == tag, len(several[word]) > 1, word not in frequent.tags)
            for words, tags in test
            for found, word, tag in zip(tagger(words), words, tags, strict=True)
        ]
        right, ambiguous, unknown = np.array(marks).T
        sentences = np.mean([tagger(words) == tags for words, tags in test])
        print(
            f"{name}: words {right.mean():.4f}, words with several tags {right[ambiguous].mean():.4f},"
            f" new words {right[unknown].mean():.4f}, whole sentences {sentences:.4f}"
        )
    print(f"{len(marks):,} words, {ambiguous.sum():,} with several tags, {unknown.sum():,} new")


if __name__ == "__main__":
    main()
