"""A recipe's values on their way into the program's own types; every refusal names the key and its place."""

import math

import numpy as np

from ..errors import RecipeError


class Field:
    """A value, such as that of `network.layers[0].hidden`. Methods raise RecipeError unless it is what they ask for."""

    def __init__(self, file, located, path=""):
        self.file, self.path = file, path
        self._located = located

    @property
    def line(self):
        return self._located.line

    @property
    def _value(self):
        return self._located.value

    def error(self, expected, found=None):
        """The error that says what was expected here."""
        place = {"line": self._located.line, "column": self._located.column, "element": self.path}
        return RecipeError(self.file, _summary(self._value) if found is None else found, expected, **place)

    def text(self, expected="a text in double quotes"):
        """A text that is not empty."""
        if not isinstance(self._value, str) or not self._value:
            raise self.error(expected)
        return self._value

    def flag(self):
        if not isinstance(self._value, bool):
            raise self.error("true or false")
        return self._value

    def number(self, expected, is_valid=lambda number: True):
        """A number for which the condition holds, which `expected` states in words, and which 32 bits can hold."""
        value = self._value
        if not isinstance(value, float) or abs(value) > np.finfo(np.float32).max or not is_valid(value):
            raise self.error(expected)
        return value

    def positive(self, what):
        return self.number(f"{what} above 0", lambda number: number > 0)

    def share(self):
        return self.number("a number from 0 to below 1", lambda number: 0 <= number < 1 and np.float32(number) < 1)

    def whole(self, least, most):
        expected = f"a whole number from {least} to {most}"
        number = self.number(expected)
        if number != math.floor(number) or not least <= number <= most:
            raise self.error(expected)
        return int(number)

    def choice(self, *choices):
        expected = "one of " + ", ".join(f'"{choice}"' for choice in choices)
        if self.text(expected) not in choices:
            raise self.error(expected)
        return self._value

    def items(self):
        """The elements of a list that has some."""
        if not isinstance(self._value, list) or not self._value:
            raise self.error("a list with at least one element, in [ ]")
        return [Field(self.file, value, f"{self.path}[{place}]") for place, value in enumerate(self._value)]

    def texts(self):
        """A list of texts, none of them twice."""
        return self._once(lambda field: field.text(), "text")

    def characters(self):
        """A list of single characters (Unicode code points), none of them twice."""

        def character(field):
            text = field.text()
            if len(text) != 1:
                raise field.error("a text of one character (one Unicode code point)")
            return text

        return self._once(character, "character")

    def members(self, *keys):
        """An object that has no other keys than these."""
        if not isinstance(self._value, dict):
            raise self.error("an object, in { }")
        return Members(self, self._value, keys)

    def texts_by_key(self):
        """An object of lists of texts."""
        if not isinstance(self._value, dict):
            raise self.error("an object, in { }")
        fields = {key.value: Field(self.file, value, f"{self.path}.{key.value}") for key, value in self._value.items()}
        return {key: tuple(part.text() for part in field.items()) for key, field in fields.items()}

    def _once(self, read, what):
        texts = []
        for field in self.items():
            text = read(field)
            if text in texts:
                raise field.error(f"each {what} once", found=f'"{text}" again')
            texts.append(text)
        return texts


class Members:
    """An object whose keys are taken one by one."""

    def __init__(self, field, members, keys):
        self.field = field
        self._members = {key.value: value for key, value in members.items()}
        self._keys = {key.value: key for key in members}
        self._taken = []
        self._refuse_others(keys)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        """Refuses keys that nobody asked for, such as those of another kind of layer."""
        if kind is None:
            self._refuse_others(self._taken)

    def optional(self, name):
        """The value that may be left out, or None; `null` counts as left out."""
        self._taken.append(name)
        located = self._members.get(name)
        if located is None or located.value is None:
            return None
        return Field(self.field.file, located, self._path(name))

    def required(self, name):
        field = self.optional(name)
        if field is None:
            raise self.missing(name)
        return field

    def is_null(self, name):
        """Whether the key stands there with the value `null`."""
        return name in self._members and self._members[name].value is None

    def missing(self, name):
        """The error for a value that is not there."""
        return self.field.error(f'the key "{name}"', found=f'no "{name}"')

    def _path(self, name):
        return f"{self.field.path}.{name}" if self.field.path else name

    def _refuse_others(self, known):
        for name, key in self._keys.items():
            if name not in known:
                place = {"line": key.line, "column": key.column, "element": self._path(name)}
                expected = "one of " + ", ".join(f'"{key}"' for key in known)
                raise RecipeError(self.field.file, "an unknown key", expected, **place)


def _summary(value):
    """A short value itself, otherwise its kind."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else "a text"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:.0f}" if abs(value) < 1e15 and value == math.floor(value) else f"{value}"
