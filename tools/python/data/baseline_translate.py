#!/usr/bin/env python3
"""Scores three baselines on the test sets of models/translate.

    python3 tools/python/data/baseline_translate.py models/translate

The nearest training line, by the cosine of TF-IDF weights of 1 to 4 characters; its date is never the right one,
because no date is in both files. Logistic regression on the same characters: one classifier for the year, one for the
month, one for the day. The parser of python-dateutil, which reads digits and the names of months and weekdays.
"""

import dateutil.parser
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from files import data_folder, read_pairs

FIELDS = {"year": slice(0, 4), "month": slice(5, 7), "day": slice(8, 10)}


def report(name, found, expected):
    """Prints the share of exact matches, and that of each field."""
    count = len(expected)
    exact = sum(a == b for a, b in zip(found, expected, strict=True)) / count
    fields = [sum(a[f] == b[f] for a, b in zip(found, expected)) / count for f in FIELDS.values()]
    print(f"  {name}: exact {exact:.4f}; " + ", ".join(f"{n} {s:.4f}" for n, s in zip(FIELDS, fields)))


def parsed(text):
    try:
        return dateutil.parser.parse(text).date().isoformat()
    except (ValueError, OverflowError):
        return "refused"


def main():
    folder = data_folder("baseline_translate.py MODEL_FOLDER")
    texts, dates = zip(*read_pairs(folder / "train.tsv"))
    weights = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2)
    rows = weights.fit_transform(texts)
    learners = [LogisticRegression(C=100, max_iter=200).fit(rows, [d[f] for d in dates]) for f in FIELDS.values()]

    for name in ("test.tsv", "test-years.tsv"):
        test_texts, expected = zip(*read_pairs(folder / name))
        test_rows = weights.transform(test_texts)
        nearest = (test_rows @ rows.T).argmax(axis=1).ravel().tolist()[0]
        print(name)
        report("python-dateutil", [parsed(text) for text in test_texts], expected)
        report("nearest training line", [dates[k] for k in nearest], expected)
        parts = zip(*(learner.predict(test_rows) for learner in learners))
        report("logistic regression", ["-".join(part) for part in parts], expected)


if __name__ == "__main__":
    main()
