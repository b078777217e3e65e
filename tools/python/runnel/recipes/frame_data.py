"""Data of kind `frames`: sequences from CSV files."""

from dataclasses import replace

import numpy as np

from ..errors import RecipeError
from ..model import VECTOR, Input
from .naming import INPUT, reading
from .sequence_table import SequenceTable
from .sequences import Data, Sequence
from .specification import SIGMOID, SOFTMAX


def read_frames(source, loss, recipe):
    """The data of a recipe's source for a network with this loss."""
    has_classes = source.columns.label is not None
    if has_classes != (loss == SOFTMAX):
        found = 'a loss on numbers with "label"' if has_classes else f'"{SOFTMAX}" with "targets"'
        expected = f'"{SOFTMAX}" for a "label", another loss for "targets"'
        raise RecipeError(recipe, found, expected, element="network.loss")
    train = _table(source.train, source.columns)
    # The other files are read by the names that the first one settled.
    columns = replace(source.columns, features=train.features)
    classes = (source.labels or train.classes()) if has_classes else ()

    def sequences(file, table, is_every_frame):
        numbers = table.class_numbers(classes, is_constant=not source.is_every_frame) if has_classes else None
        found = []
        for place, sequence in enumerate(table.sequences):
            frames, values = sequence.arrays()
            targets = numbers[place] if has_classes else values
            if loss == SIGMOID:
                _refuse_targets(file, sequence, targets, columns)
            found.append(Sequence((frames,), targets if is_every_frame else targets[-1:], not is_every_frame))
        return found

    def read(file, is_every_frame):
        return None if file is None else sequences(file, _table(file, columns), is_every_frame)

    return Data(
        inputs=(Input(INPUT, VECTOR, len(train.features)),),
        output_size=len(classes or columns.targets),
        labels=classes or source.labels or columns.targets,
        entries={"features": train.features},
        training=sequences(source.train, train, source.teaches_every_frame),
        validation=read(source.validation, source.teaches_every_frame),
        test=read(source.test, source.is_every_frame),
    )


def _table(file, columns):
    with reading(file):
        return SequenceTable(file.path, columns)


def _refuse_targets(file, sequence, targets, columns):
    wrong = np.argwhere((targets < 0) | (targets > 1))
    if len(wrong):
        frame, place = wrong[0]
        found, name = f"the target {targets[frame, place]}", columns.targets[place]
        expected = f'a number from 0 to 1, as "{SIGMOID}" needs'
        raise RecipeError(file.path, found, expected, line=sequence.lines[frame], element=name)
