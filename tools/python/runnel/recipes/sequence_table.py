"""Sequences of frames from a CSV file in long form: a line of column names, then one row a frame."""

from dataclasses import dataclass, field

import numpy as np

from ..errors import RecipeError
from .csv_rows import Row, is_number
from .text_lines import numbered_lines


@dataclass
class TableSequence:
    """One sequence: frames [length, features], targets [length, targets], and each frame's class and line."""

    frames: list = field(default_factory=list)
    labels: list = field(default_factory=list)
    targets: list = field(default_factory=list)
    lines: list = field(default_factory=list)

    def arrays(self):
        return np.array(self.frames, np.float32), np.array(self.targets, np.float32)


class SequenceTable:
    """The sequences of a file in its order. Raises RecipeError at the first field that is wrong, and OSError."""

    def __init__(self, path, columns):
        self.path = path
        rows = numbered_lines(path)
        _, first = next(rows, (1, ""))
        if not first:
            raise RecipeError(path, "nothing", "a line of column names", line=1)
        self._header = header = Row(first, path, 1)
        for place, name in enumerate(header.fields):
            if name in header.fields[:place]:
                raise header.error(place, None, f"the name '{name}' again", "each name once")
        sequence_field = self._field(columns.sequence, "the number of the sequence")
        self.label_field = self._field(columns.label, "the class")
        target_fields = [self._field(name, "a number to predict") for name in columns.targets]
        taken = [sequence_field, self.label_field, *target_fields]
        if columns.features is None:
            feature_fields = [place for place in range(len(header.fields)) if place not in taken]
        else:
            feature_fields = [self._field(name, "an element of a frame") for name in columns.features]
        self.features = tuple(header.fields[place] for place in feature_fields)
        if not self.features:
            raise self._wrong_columns("at least one more, for the frames")
        self.sequences = list(self._read(rows, columns, sequence_field, feature_fields, target_fields))

    def classes(self):
        """The classes that occur: by value when all are numbers, otherwise by alphabet."""
        classes = sorted({label for sequence in self.sequences for label in sequence.labels})
        return tuple(sorted(classes, key=float) if all(map(is_number, classes)) else classes)

    def class_numbers(self, classes, is_constant):
        """The number of each frame's class, per sequence, which has to be of one class where that is said."""
        numbers = {name: number for number, name in enumerate(classes)}
        return [self._numbers(sequence, numbers, is_constant) for sequence in self.sequences]

    def _numbers(self, sequence, numbers, is_constant):
        found = []
        for label, line in zip(sequence.labels, sequence.lines):
            expected = None
            if label not in numbers:
                expected = "one of the classes " + ", ".join(numbers)
            elif is_constant and found and numbers[label] != found[0]:
                expected = f"'{sequence.labels[0]}', as in the sequence's first row"
            if expected:
                raise RecipeError(self.path, f"'{label}'", expected, line=line, column=self.label_field + 1)
            found.append(numbers[label])
        return np.array(found, np.int64)

    def _field(self, name, purpose):
        if name is None:
            return None
        if name not in self._header.fields:
            raise self._wrong_columns(f"a column '{name}' with {purpose}")
        return self._header.fields.index(name)

    def _wrong_columns(self, expected):
        return RecipeError(self.path, "the columns " + ", ".join(self._header.fields), expected, line=1)

    def _read(self, rows, columns, sequence_field, feature_fields, target_fields):
        header = self._header.fields
        current, names, sequence, line = None, set(), None, 1
        for line, text in rows:
            if not text:
                continue
            row = Row(text, self.path, line)
            row.require_count(len(header), "as many as the first line names")
            name = "" if sequence_field is None else row.fields[sequence_field]
            if name != current:
                if name in names:
                    expected = "the rows of a sequence one behind the other"
                    raise row.error(sequence_field, columns.sequence, f"sequence '{name}' again", expected)
                if sequence:
                    yield sequence
                current, sequence = name, TableSequence()
                names.add(name)
            sequence.frames.append([row.number(place, header[place]) for place in feature_fields])
            sequence.targets.append([row.number(place, header[place]) for place in target_fields])
            if self.label_field is not None:
                if not row.fields[self.label_field]:
                    raise row.error(self.label_field, columns.label, "nothing", "a class")
                sequence.labels.append(row.fields[self.label_field])
            sequence.lines.append(line)
        if not sequence:
            raise RecipeError(self.path, "the end of the file", "rows of frames", line=line + 1)
        yield sequence
