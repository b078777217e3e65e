#!/usr/bin/env python3
"""Scores classifiers without a state on the test set of models/gesture.

    python3 tools/python/data/baseline_gesture.py models/gesture

The most frequent class; logistic regression on one frame; on the difference of a frame and the one before; on the
difference and the frame; on the last five frames. A share of right frames counts every frame; one of settled frames
leaves out the first three frames of every rest and gesture, in which what comes cannot be seen yet.
"""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from files import data_folder

SETTLING = 3


def read_clips(path: Path):
    """[(labels, pixels)] of each sequence; pixels is [frames, pixels of a frame]."""
    clips = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            labels, frames = clips.setdefault(row.pop("sequence"), ([], []))
            labels.append(row.pop("label"))
            frames.append([float(value) for value in row.values()])
    return [(labels, np.array(frames)) for labels, frames in clips.values()]


def earlier(frames, lag):
    """The frames that came lag frames before; the first stands for what was before it."""
    return np.concatenate([np.repeat(frames[:1], lag, axis=0), frames[: len(frames) - lag]])


def recent(count):
    return lambda frames: np.hstack([earlier(frames, lag) for lag in range(count)])


VIEWS = {
    "one frame": lambda frames: frames,
    "difference of two frames": lambda frames: frames - earlier(frames, 1),
    "one frame and the one before": recent(2),
    "last five frames": recent(5),
}


def settled(labels):
    """Whether the last frames, SETTLING of them, were of the same gesture as this one."""
    return [k >= SETTLING and len(set(labels[k - SETTLING : k + 1])) == 1 for k in range(len(labels))]


def main():
    folder = data_folder("baseline_gesture.py MODEL_FOLDER")
    train, test = read_clips(folder / "train.csv"), read_clips(folder / "test.csv")
    taught = [label for labels, _ in train for label in labels]
    expected = np.array([label for labels, _ in test for label in labels])
    calm = np.array([mark for labels, _ in test for mark in settled(labels)])

    def report(name, found):
        right = found == expected
        print(f"{name}: right {right.mean():.4f}, settled frames {right[calm].mean():.4f}")

    frequent = Counter(taught).most_common(1)[0][0]
    report(f"most frequent class ({frequent})", np.full(len(expected), frequent))
    for name, view in VIEWS.items():
        learner = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
        learner.fit(np.concatenate([view(frames) for _, frames in train]), taught)
        report(f"logistic regression, {name}", learner.predict(np.concatenate([view(frames) for _, frames in test])))


if __name__ == "__main__":
    main()
