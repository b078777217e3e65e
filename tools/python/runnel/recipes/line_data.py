"""Data of kind `lines`: inputs and targets in the lines of a file."""

import json

import numpy as np

from ..errors import RecipeError
from ..model import INDEX, VECTOR, Input
from .csv_rows import finite_number
from .line_table import LineTable
from .naming import INPUT, reading
from .sequences import Data, Sequence
from .sources import LABEL, LABELS, NUMBERS
from .specification import SOFTMAX
from .tokens import END, UNKNOWN, WORDS, Vocabulary, tokens

_SHOWN = 20  # of the labels that are known, in an error


def read_lines(source, loss, recipe):
    """The data of a recipe's source for a network with this loss."""
    if loss != SOFTMAX:
        found = "a loss on numbers with labels or tokens"
        raise RecipeError(recipe, found, f'"{SOFTMAX}"', element="network.loss")
    train = _table(source.train)
    reader = _Reader(source, train)

    def read(file):
        return None if file is None else reader.sequences(_table(file))

    return Data(
        inputs=reader.inputs,
        output_size=len(reader.targets.tokens),
        labels=reader.targets.tokens,
        entries=reader.entries,
        training=reader.sequences(train),
        validation=read(source.validation),
        test=read(source.test),
    )


def _table(file):
    with reading(file):
        return LineTable(file.path)


class _Reader:
    """Turns lines into sequences, with the vocabularies that the training lines settle."""

    def __init__(self, source, train):
        self._source = source
        self._writes = source.target not in (LABEL, LABELS)
        self.words, self._width = None, 0
        if source.input == NUMBERS:
            self._width = len(tokens(WORDS, train.examples[0].input))
        else:
            texts = [tokens(source.input, example.input) for example in train.examples]
            special = [UNKNOWN] if source.minimum_count > 1 else []
            self.words = Vocabulary.of(texts, source.minimum_count, special)
        self.targets = self._target_vocabulary(train)

    def _target_vocabulary(self, train):
        source = self._source
        if self._writes:
            texts = [tokens(source.target, example.target) for example in train.examples]
            for example, text in zip(train.examples, texts):
                if END in text:
                    raise train.error(example, f"the word {END}", "other words: this one ends a text")
            return Vocabulary.of(texts, special=[END])
        if source.labels is not None:
            return Vocabulary(source.labels)
        is_one = source.target == LABEL
        return Vocabulary.of(
            [example.target] if is_one else tokens(WORDS, example.target) for example in train.examples
        )

    @property
    def inputs(self):
        """The ports of the programs."""
        first = Input(INPUT, VECTOR, self._width) if self.words is None else None
        first = first or Input(INPUT, INDEX, len(self.words.tokens))
        return (first, Input(INPUT, INDEX, len(self.targets.tokens))) if self._writes else (first,)

    @property
    def entries(self):
        entries = {}
        if self.words is not None:
            entries |= {"inputLabels": self.words.tokens, "inputTokens": (self._source.input,)}
        if self._writes:
            entries |= {"tokens": (self._source.target,), "end": (END,)}
        return entries

    def sequences(self, table):
        """The sequences of a file."""
        return [self._sequence(example, table) for example in table.examples]

    def _sequence(self, example, table):
        frames = self._frames(example, table)
        target = self._source.target
        if target == LABEL:
            number = self._number(example.target, example, table)
            return Sequence((frames,), np.array([number], np.int64), True)
        parts = tokens(WORDS if target == LABELS else target, example.target)
        numbers = [self._number(part, example, table) for part in parts]
        if target == LABELS:
            if len(numbers) != len(frames):
                expected = f"{len(frames)}, one for each token of the input"
                raise table.error(example, f"{len(numbers)} labels", expected)
            return Sequence((frames,), np.array(numbers, np.int64), False)
        # The token that ends a text, number 0, stands before its first one, too.
        return Sequence((frames, np.array([0, *numbers], np.int64)), np.array([*numbers, 0], np.int64), False)

    def _frames(self, example, table):
        """The frames of an input: indices [length], or numbers [1, width]."""
        if self.words is None:
            return self._values(example, table)
        unit, numbers = self._source.input, []
        for token in tokens(unit, example.input):
            number = self.words.number(token)
            if number is None:
                expected = f'one of the {len(self.words.tokens)} of the training inputs; with "minimumCount": 2 or '
                expected += "more, the model learns what to do with others"
                raise table.error(example, f"the {unit.removesuffix('s')} {_quoted(token)}", expected)
            numbers.append(number)
        if not numbers:
            raise table.error(example, "an input of spaces", "at least one word")
        return np.array(numbers, np.int64)

    def _values(self, example, table):
        texts = tokens(WORDS, example.input)
        if len(texts) != self._width:
            raise table.error(example, f"{len(texts)} numbers", f"{self._width}, as in the first line")
        values = [finite_number(text) for text in texts]
        if None in values:
            place = values.index(None)
            raise table.error(example, f"'{texts[place]}' as number {place + 1}", "a finite number")
        return np.array([values], np.float32)

    def _number(self, target, example, table):
        """The number of a label or of a token of a target."""
        number = self.targets.number(target)
        if number is None:
            known = ", ".join(map(_quoted, self.targets.tokens[:_SHOWN]))
            more = ", …" if len(self.targets.tokens) > _SHOWN else ""
            raise table.error(example, _quoted(target), f"one of {known}{more} as in the training lines")
        return number


def _quoted(text):
    return json.dumps(text, ensure_ascii=False)
