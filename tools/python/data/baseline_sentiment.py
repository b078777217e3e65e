#!/usr/bin/env python3
"""Scores four baselines on the test set of models/sentiment.

    python3 tools/python/data/baseline_sentiment.py models/sentiment vaderSentiment-3.3.2.tar.gz

The more frequent class. Multinomial naive Bayes and logistic regression on how often each word and each pair of
neighbours occurs, with scikit-learn's default settings. And VADER's lexicon and rules, which learn nothing here, on the
sentences as they were written, from the source package; where VADER finds a sentence neutral, the more frequent class.
"""

import sys
from collections import Counter
from pathlib import Path

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from files import read_pairs
from make_sentiment import examples, snippets
from scores import share

LEARNERS = {"naive Bayes": MultinomialNB, "logistic regression": lambda: LogisticRegression(max_iter=1000)}
REACHES = {"words": (1, 1), "words and pairs": (1, 2)}


def main():
    if len(sys.argv) != 3 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: baseline_sentiment.py MODEL_FOLDER VADER_SENTIMENT_SOURCE_PACKAGE")
    folder = Path(sys.argv[1])
    texts, labels = zip(*read_pairs(folder / "train.tsv"))
    test_texts, expected = zip(*read_pairs(folder / "test.tsv"))
    frequent = Counter(labels).most_common(1)[0][0]
    print(f"more frequent class ({frequent}): {share([frequent] * len(expected), expected):.4f}")

    for reach, lengths in REACHES.items():
        counts = CountVectorizer(token_pattern=r"\S+", ngram_range=lengths)
        rows, test_rows = counts.fit_transform(texts), counts.transform(test_texts)
        for name, learner in LEARNERS.items():
            print(f"{name}, {reach}: {share(learner().fit(rows, labels).predict(test_rows), expected):.4f}")

    written = {words: snippet.text for words, snippet in examples(snippets(sys.argv[2])).items()}
    judge = SentimentIntensityAnalyzer()
    scores = [judge.polarity_scores(written[words])["compound"] for words in test_texts]
    found = [frequent if score == 0 else "positive" if score > 0 else "negative" for score in scores]
    print(f"VADER: {share(found, expected):.4f}; neutral: {scores.count(0)} of {len(scores)}")


if __name__ == "__main__":
    main()
