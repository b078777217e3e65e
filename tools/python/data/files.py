"""The files of a model's folder: what every script of data writes and every baseline reads."""

import sys
from pathlib import Path


def folder_argument(usage):
    """The only argument of the command, a model's folder, which is made where it is missing."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(f"usage: {usage}")
    return made_folder(sys.argv[1])


def made_folder(name):
    folder = Path(name)
    if folder.exists() and not folder.is_dir():
        sys.exit(f"{folder}: found a file, expected a folder to write to: name models/NAME")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def data_folder(usage):
    """The only argument of a baseline's command: a folder that has data."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(f"usage: {usage}")
    folder = Path(sys.argv[1])
    if not folder.is_dir():
        sys.exit(f"{folder}: found no such folder, expected one with train and test files: name models/NAME")
    return folder


def write_text(path, text):
    path.write_text(text, encoding="utf-8", newline="\n")
    print(f"{path}: {len(text.encode()):,} bytes")


def write_lines(path, lines):
    write_text(path, "".join(line + "\n" for line in lines))
    print(f"{path}: {len(lines):,} lines")


def write_pairs(path, pairs):
    """Writes one example a line: its input, a tab, its target."""
    for pair in pairs:
        if any("\t" in side or "\n" in side or not side for side in pair):
            raise ValueError(f"{path}: an example is empty or has a tab or a line break inside: {pair!r}")
    write_lines(path, ["\t".join(pair) for pair in pairs])


def read_text(path):
    if not path.is_file():
        sys.exit(f"{path}: found no such file: make it with the script that the folder's DATA.md names")
    return path.read_bytes().decode()


def read_pairs(path):
    """Reads [(input, target)], one example a line."""
    pairs = []
    for number, line in enumerate(read_text(path).removesuffix("\n").split("\n"), 1):
        sides = line.split("\t")
        if len(sides) != 2:
            sys.exit(f"{path}:{number}: found {len(sides) - 1} tabs, expected one, between input and target")
        pairs.append(tuple(sides))
    return pairs
