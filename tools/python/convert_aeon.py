#!/usr/bin/env python3
"""Writes the training data of models/vowels and models/motions as CSV.

    python3 tools/python/convert_aeon.py aeon-1.6.0-py3-none-any.whl models

The aeon wheel on PyPI (https://pypi.org/project/aeon/1.6.0/) carries the JapaneseVowels and BasicMotions
series as .ts text files. This reads them straight from the wheel and writes, for each data set,
train.csv, test.csv and sample.csv. The digits of every value are copied, never reformatted, so the same
wheel always gives the same bytes. Only the standard library is used.

A .ts line is one sequence: its channels joined by ":", each a comma-separated series, then the label.
Where a file is padded, the padding is "?" or "NaN" at the end of every channel; only that is removed.
A missing value anywhere else is an error, as are channels of one sequence that differ in length.
"""

import math
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

DATA_ROOT = "aeon/datasets/data"


@dataclass(frozen=True)
class DataSet:
    folder: str  # under models/
    source: str  # in the wheel
    channels: list
    labels: set
    sequence_counts: dict  # split -> expected sequences
    lengths: tuple  # shortest and longest sequence, in frames, over both splits
    sample_label: str  # sample.csv is the first test sequence with this label


DATA_SETS = [
    DataSet(
        folder="vowels",
        source="JapaneseVowels",
        channels=[f"c{k}" for k in range(1, 13)],
        labels={str(k) for k in range(1, 10)},
        sequence_counts={"train": 270, "test": 370},
        lengths=(7, 29),
        sample_label="1",
    ),
    DataSet(
        folder="motions",
        source="BasicMotions",
        channels=["ax", "ay", "az", "gx", "gy", "gz"],
        labels={"standing", "running", "walking", "badminton"},
        sequence_counts={"train": 40, "test": 40},
        lengths=(100, 100),
        sample_label="walking",
    ),
]


def is_missing(value):
    return value in ("", "?") or value.lower() == "nan"


def unpadded(values):
    """Drops missing values at the end, and refuses any other."""
    while values and is_missing(values[-1]):
        values = values[:-1]
    for value in values:
        if is_missing(value) or not math.isfinite(float(value)):
            raise ValueError(f"missing or non-finite value {value!r} inside a sequence")
    return values


def read_ts(text):
    """Returns [(label, frames)], a frame being a list of the channels' values as text."""
    sequences = []
    in_data = False
    for line in text.splitlines():
        line = line.strip()
        if not in_data:
            in_data = line.lower() == "@data"
            continue
        if not line or line.startswith("#"):
            continue
        *channels, label = line.split(":")
        series = [unpadded([v.strip() for v in channel.split(",")]) for channel in channels]
        if len({len(s) for s in series}) != 1:
            raise ValueError(f"channels of different length: {[len(s) for s in series]}")
        sequences.append((label.strip().lower(), list(zip(*series))))
    return sequences


def write_lines(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")


def check(data_set, split, sequences):
    expected = data_set.sequence_counts[split]
    assert len(sequences) == expected, f"{len(sequences)} {split} sequences, not {expected}"
    assert {label for label, _ in sequences} == data_set.labels
    for _, frames in sequences:
        assert len(frames[0]) == len(data_set.channels)
        assert data_set.lengths[0] <= len(frames) <= data_set.lengths[1]


def convert(wheel, data_set, models):
    folder = models / data_set.folder
    folder.mkdir(parents=True, exist_ok=True)
    lengths = []
    for split in ("train", "test"):
        name = f"{DATA_ROOT}/{data_set.source}/{data_set.source}_{split.upper()}.ts"
        sequences = read_ts(wheel.read(name).decode("ascii"))
        check(data_set, split, sequences)
        lengths += [len(frames) for _, frames in sequences]
        lines = [",".join(["sequence", "label", *data_set.channels])]
        for index, (label, frames) in enumerate(sequences):
            lines += [",".join([str(index), label, *frame]) for frame in frames]
        write_lines(folder / f"{split}.csv", lines)
        print(f"{folder / split}.csv: {len(sequences)} sequences, {len(lines) - 1} frames")
        if split == "test":
            frames = next(f for label, f in sequences if label == data_set.sample_label)
            sample = [",".join(data_set.channels)] + [",".join(frame) for frame in frames]
            write_lines(folder / "sample.csv", sample)
    assert (min(lengths), max(lengths)) == data_set.lengths


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: convert_aeon.py AEON_WHEEL MODELS_FOLDER")
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        for data_set in DATA_SETS:
            convert(wheel, data_set, Path(sys.argv[2]))


if __name__ == "__main__":
    main()
