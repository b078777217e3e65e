"""JSON (RFC 8259) whose values know where they stand.

Stricter than the RFC asks: a key stands once in an object, and nesting ends at 64 levels.
"""

import bisect
import json
import math
import re
from dataclasses import dataclass

from ..errors import RecipeError

_DEEPEST = 64
_SPACE = re.compile(r"[ \t\r\n]*")
_TEXT = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")


@dataclass(frozen=True)
class Located:
    """A value and the place of its first character, both from 1; a dict's keys are `Located`, too."""

    value: object
    line: int
    column: int


def parse(data, file):
    """The outermost value of a file's bytes. Raises RecipeError at the first character that is not as it should be."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RecipeError(file, "bytes that are not UTF-8", "text in UTF-8", line=line) from None
    parser = _Parser(text, file)
    value = parser.value(0)
    parser.skip_space()
    if parser.index < len(text):
        raise parser.error("the end of the file after the outermost value")
    return value


class _Parser:
    def __init__(self, text, file):
        self._text, self._file, self.index = text, file, 0
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def _place(self, index):
        line = bisect.bisect(self._lines, index)
        return line, index - self._lines[line - 1] + 1

    def _error(self, index, found, expected):
        line, column = self._place(index)
        return RecipeError(self._file, found, expected, line=line, column=column)

    def error(self, expected):
        rest = self._text[self.index : self.index + 1]
        found = f"'{rest}'" if rest >= " " else "a control character" if rest else "the end of the file"
        return self._error(self.index, found, expected)

    def skip_space(self):
        self.index = _SPACE.match(self._text, self.index).end()

    def value(self, depth):
        self.skip_space()
        if depth == _DEEPEST:
            raise self.error(f"at most {_DEEPEST} levels of nesting")
        start, first = self.index, self._text[self.index : self.index + 1]
        if first == "{":
            content = self._members(depth)
        elif first == "[":
            content = self._elements(depth)
        elif first == '"':
            content = self._string()
        else:
            content = self._scalar()
        return Located(content, *self._place(start))

    def _scalar(self):
        match = _SCALAR.match(self._text, self.index)
        if not match:
            raise self.error('a value: { [ " a number, true, false or null')
        value = json.loads(match[0]) if match[0][0] in "tfn" else float(match[0])
        if isinstance(value, float) and not math.isfinite(value):
            raise self._error(self.index, match[0], "a number that 64 bits can hold")
        self.index = match.end()
        return value

    def _string(self):
        match = _TEXT.match(self._text, self.index)
        if not match:
            raise self.error("a text that ends with '\"' in its line")
        try:
            text = json.loads(match[0])
            text.encode()
        except ValueError:
            raise self._error(self.index, "an escape that is no character", "a text in double quotes") from None
        self.index = match.end()
        return text

    def _members(self, depth):
        members = {}
        for start in self._separated("}"):
            if self._text[start : start + 1] != '"':
                raise self.error("a key in double quotes")
            name = self._string()
            if any(name == key.value for key in members):
                raise self._error(start, f'the key "{name}" again', "each key once")
            self.skip_space()
            if self._text[self.index : self.index + 1] != ":":
                raise self.error("':' after a key")
            self.index += 1
            members[Located(name, *self._place(start))] = self.value(depth + 1)
        return members

    def _elements(self, depth):
        return [self.value(depth + 1) for _ in self._separated("]")]

    def _separated(self, end):
        """The start of each part up to the closing bracket; the caller reads the part."""
        self.index += 1
        self.skip_space()
        if self._text[self.index : self.index + 1] == end:
            self.index += 1
            return
        while True:
            self.skip_space()
            yield self.index
            self.skip_space()
            sign = self._text[self.index : self.index + 1]
            if sign not in (",", end):
                raise self.error(f"',' or '{end}'")
            self.index += 1
            if sign == end:
                return
