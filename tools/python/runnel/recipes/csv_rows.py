"""Lines of comma-separated values.

Fields may stand in double quotes (a quote inside is written twice); spaces around a field do not count. A field does
not go on in the next line.
"""

import math

import numpy as np

from ..errors import RecipeError

_SPACE = " \t\r"
_LARGEST = float(np.finfo(np.float32).max)


class Row:
    """One line's fields, without quotes and surrounding spaces."""

    def __init__(self, text, file, line):
        self._file, self._line = file, line
        if '"' in text:
            self.fields = self._quoted(text)
        else:
            self.fields = [field.strip(_SPACE) for field in text.split(",")]

    def number(self, place, name):
        """The finite number in a field, counted from 0, of the column of this name."""
        field = self.fields[place]
        value = _number(field)
        if value is None:
            found = f"'{field}'" if field else "nothing"
            raise self.error(place, name, found, "a number such as -0.25 or 3e-2")
        if not abs(value) <= _LARGEST:
            raise self.error(place, name, f"'{field}'", "a finite number")
        return value

    def error(self, place, name, found, expected):
        """An error at a field."""
        return RecipeError(self._file, found, expected, line=self._line, column=place + 1, element=name)

    def require_count(self, count, what):
        if len(self.fields) == count:
            return
        is_semicolons = len(self.fields) < count and any(";" in field for field in self.fields)
        advice = " (separate columns with commas, and write decimals with a point)" if is_semicolons else ""
        found = "1 column" if len(self.fields) == 1 else f"{len(self.fields)} columns"
        column = count + 1 if len(self.fields) > count else None
        raise RecipeError(self._file, found, f"{count}, {what}{advice}", line=self._line, column=column)

    def _quoted(self, text):
        fields, rest = [], text
        while True:
            rest = rest.lstrip(_SPACE)
            if rest.startswith('"'):
                field, rest = self._quote(rest[1:], len(fields))
            else:
                field, comma, after = rest.partition(",")
                field, rest = field.rstrip(_SPACE), comma + after
            fields.append(field)
            if not rest.startswith(","):
                return fields
            rest = rest[1:]

    def _quote(self, rest, place):
        """The field whose opening quote stands before `rest`, and what follows it."""
        field = ""
        while True:
            part, quote, rest = rest.partition('"')
            if not quote:
                raise self.error(place, None, "a quote that is not closed in its line", "a closing '\"'")
            field += part
            if not rest.startswith('"'):
                break
            field, rest = field + '"', rest[1:]
        rest = rest.lstrip(_SPACE)
        if rest and not rest.startswith(","):
            expected = "a comma or the end of the line (write a quote inside quotes twice)"
            raise self.error(place, None, "text after a closing quote", expected)
        return field, rest


def finite_number(text):
    """The number that a text is, if 32 bits can hold it; None for all else."""
    value = _number(text)
    return value if value is not None and abs(value) <= _LARGEST else None


def is_number(text):
    value = _number(text)
    return value is not None and not math.isnan(value)


def _number(text):
    """The number that a text is, without what Python takes besides: spaces, underscores, other digits than 0 to 9."""
    if not text.isascii() or "_" in text or text.strip() != text:
        return None
    try:
        return float(text)
    except ValueError:
        return None
