"""JSON that others wrote: read within bounds, and refused with the place where it is not as expected."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import ExportError
from .layouts import shaped
from .validation import MAX_DIMENSION

MAX_BYTES = 1 << 28


@dataclass(frozen=True)
class Node:
    """A value of a JSON file, and where it stands. Methods raise ExportError unless the value is what they ask for."""

    value: object
    file: str
    path: str = ""

    @property
    def where(self):
        return f"{self.file}: {self.path}" if self.path else self.file

    def error(self, text):
        """The error to raise; the text goes on after the place."""
        return ExportError(f"{self.where} {text}")

    def fields(self, required, optional=()):
        """The members of an object by key; those that are not required may be missing, and no others may be there."""
        members = self.members()
        for key in required:
            if key not in members:
                raise self._missing(key)
        for key in members:
            if key not in required and key not in optional:
                raise self.error(f"has {key!r}, which is not known; expected no more than {_list(required, optional)}")
        return members

    def members(self):
        """The members of an object by key."""
        if not isinstance(self.value, dict):
            raise self.error(f"is {_short(self.value)}; expected an object")
        prefix = f"{self.path}." if self.path else ""
        return {key: Node(value, self.file, prefix + key) for key, value in self.value.items()}

    def member(self, key):
        """The member of an object that has this key."""
        members = self.members()
        if key not in members:
            raise self._missing(key)
        return members[key]

    def items(self):
        """The elements of a list."""
        if not isinstance(self.value, list):
            raise self.error(f"is {_short(self.value)}; expected a list")
        return [Node(value, self.file, f"{self.path}[{index}]") for index, value in enumerate(self.value)]

    def text(self):
        """A string."""
        if not isinstance(self.value, str):
            raise self.error(f"is {_short(self.value)}; expected a string")
        return self.value

    def choice(self, *choices):
        """One of the strings."""
        if self.value not in choices:
            raise self.error(f"is {_short(self.value)}; expected {_list(choices, last='or')}")
        return self.value

    def flag(self):
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.error(f"is {_short(self.value)}; expected true or false")
        return self.value

    def whole(self, least=1, most=MAX_DIMENSION):
        """A whole number within bounds."""
        if type(self.value) is not int or not least <= self.value <= most:
            raise self.error(f"is {_short(self.value)}; expected a whole number from {least} to {most}")
        return self.value

    def number(self):
        """A finite number."""
        if type(self.value) not in (int, float) or not np.isfinite(self.value):
            raise self.error(f"is {_short(self.value)}; expected a finite number")
        return float(self.value)

    def rate(self):
        """A number above zero, in decimal digits."""
        value = self.number()
        if value <= 0:
            raise self.error(f"is {value}; expected a number above zero")
        return np.format_float_positional(value, trim="-")

    def array(self, *shape):
        """Nested lists of finite numbers as an array of this shape; None stands for any size."""
        try:
            values = np.array(self.value)
        except ValueError:
            raise self.error("has lists of different lengths; expected an array") from None
        if values.dtype.kind not in "iuf":
            raise self.error("is not made of numbers alone; expected an array of them")
        return shaped(values, shape, self.where)

    def _missing(self, key):
        return self.error(f"has no {key!r}; expected it")


def read_json(path):
    """The root of a JSON file."""
    path = Path(path)
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ExportError(f"{path.name} is longer than {MAX_BYTES} bytes; expected less")
    return parse_json(data, path.name)


def parse_json(data, file):
    """The root of a JSON text in UTF-8; two members of one name are refused."""
    try:
        return Node(json.loads(data.decode(), object_pairs_hook=_object), file)
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{file} is not JSON: {error}; expected JSON in UTF-8") from None


def _object(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return members


def _list(words, more=(), last="and"):
    *first, word = [repr(word) for word in (*words, *more)]
    return f"{', '.join(first)} {last} {word}" if first else word


def _short(value):
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else text[:60] + "…"
