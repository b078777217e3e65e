"""Examples from a file with one a line: an input, a tab, a target."""

from dataclasses import dataclass

from ..errors import RecipeError
from .text_lines import numbered_lines


@dataclass(frozen=True)
class Example:
    input: str
    target: str
    line: int


class LineTable:
    """The examples of a file; empty lines are passed over. Raises RecipeError and OSError."""

    def __init__(self, path):
        self.path = path
        self.examples, line = [], 0
        for line, text in numbered_lines(path):
            if text:
                self.examples.append(self._example(line, text.split("\t")))
        if not self.examples:
            raise RecipeError(path, "the end of the file", "lines of an input, a tab and a target", line=line + 1)

    def error(self, example, found, expected):
        """An error in a line."""
        return RecipeError(self.path, found, expected, line=example.line)

    def _example(self, line, fields):
        if len(fields) != 2 or not all(fields):
            found = f"{len(fields) - 1} tabs"
            if len(fields) == 2:
                found = f"nothing {'after' if fields[0] else 'before'} the tab"
            raise RecipeError(self.path, found, "an input, a tab and a target", line=line)
        return Example(*fields, line)
