#!/usr/bin/env python3
"""Makes the data of models/charlm: this repository's own source and documentation at one revision.

    python3 tools/python/data/make_charlm.py models/charlm [REVISION]

Whole files go to the training or to the test set, about a tenth of the characters of each kind of file to the latter.
Tests, fixtures, data and measured results are left out. Before each file stands a line with its name. Characters that
are rare in the training set are one stand-in in both. Needs git and the standard library; the same revision gives the
same bytes every time.
"""

import io
import re
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

from draws import Draws
from files import made_folder, write_text

REVISION = "2ce2d8076918082c8b7603a7446d18b36df8281a"
SEED = 4
TEST_SHARE = 0.1
RAREST = 20  # occurrences in the training set below which a character becomes the stand-in
STAND_IN = "¤"
MARK = "¶"  # begins the line with a file's name
SAMPLE = 1_000  # characters

TAKEN = re.compile(r"\.(swift|md|py|c|h|cpp)$|^tools/(check|bench/bench|bench/ratios)$|^models/.*/recipe.*\.json$")
LEFT_OUT = re.compile(r"(^|/)[Tt]ests/|^tools/bench/results")


def files_of(revision):
    """{path: text} of the repository that the working folder is in."""
    command = ["git", "archive", "--format=tar", revision]
    root = Path(__file__).resolve().parents[3]
    archive = subprocess.run(command, cwd=root, capture_output=True)
    if archive.returncode != 0:
        sys.exit(
            f"{revision}: git found no such revision in {root}: {archive.stderr.decode().strip()}\n"
            "name one that 'git log' lists, or fetch the whole history with 'git fetch --unshallow'"
        )
    texts = {}
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as members:
        for member in members:
            if member.isfile() and TAKEN.search(member.name) and not LEFT_OUT.search(member.name):
                texts[member.name] = members.extractfile(member).read().decode()
    return texts


def kind_of(path):
    return Path(path).suffix or "script"


def split(texts, draws):
    """(train, test): lists of paths in random order, the kinds of files in the same proportion of characters."""
    order = draws.shuffled(sorted(texts))
    wanted = Counter()
    for path in order:
        wanted[kind_of(path)] += len(texts[path]) * TEST_SHARE
    train, test = [], []
    for path in order:
        chosen = len(texts[path]) <= wanted[kind_of(path)]
        wanted[kind_of(path)] -= len(texts[path]) if chosen else 0
        (test if chosen else train).append(path)
    return train, test


def joined(paths, texts):
    return "".join(f"{MARK} {path}\n{texts[path].rstrip()}\n\n" for path in paths)


def without(rare, text):
    return "".join(STAND_IN if character in rare else character for character in text)


def main():
    if not 2 <= len(sys.argv) <= 3 or sys.argv[1].startswith("-"):
        sys.exit("usage: make_charlm.py MODEL_FOLDER [REVISION]")
    texts = files_of(sys.argv[2] if len(sys.argv) == 3 else REVISION)
    folder = made_folder(sys.argv[1])
    paths = split(texts, Draws(SEED))
    train, test = (joined(part, texts) for part in paths)
    counts = Counter(train)
    rare = {character for character in train + test if counts[character] < RAREST}
    for name, part, text in zip(("train", "test"), paths, (train, test)):
        write_text(folder / f"{name}.txt", without(rare, text))
        print(f"  {len(text):,} characters of {len(part)} files")
        print("  " + ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(map(kind_of, part)).items())))
    write_text(folder / "sample.txt", without(rare, test[:SAMPLE]))
    alphabet = set(without(rare, train))
    print(f"alphabet: {len(alphabet)} characters; {len(rare)} rare ones became {STAND_IN}: {''.join(sorted(rare))}")


if __name__ == "__main__":
    main()
