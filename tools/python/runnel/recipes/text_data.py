"""Data of kind `text`: each character's target is the next one."""

import numpy as np

from ..errors import RecipeError
from ..model import INDEX, VECTOR, Input
from .naming import INPUT, reading
from .sequences import Data, Sequence
from .specification import SOFTMAX
from .tokens import CHARACTERS


def read_text(source, loss, recipe):
    """The data of a recipe's source for a network with this loss."""
    if loss != SOFTMAX:
        raise RecipeError(recipe, "a loss on numbers with a text", f'"{SOFTMAX}"', element="network.loss")
    text, name = _content(source.train)
    characters = source.labels or tuple(sorted(set(text)))
    training = _sequences(_numbers(text, characters, name), len(characters), source, source.sequence_length)
    test = None
    if source.test is not None:
        text, name = _content(source.test)
        test = _sequences(_numbers(text, characters, name), len(characters), source, None)
    return Data(
        inputs=(Input(INPUT, VECTOR if source.is_one_hot else INDEX, len(characters)),),
        output_size=len(characters),
        labels=characters,
        entries={"tokens": (CHARACTERS,)},
        training=training,
        validation=None,
        test=test,
    )


def _content(content):
    """The text, and the name of what it is from."""
    if isinstance(content, str):
        return content, "the recipe's text"
    with reading(content):
        data = content.path.read_bytes()
    try:
        return data.decode(), content.path
    except UnicodeDecodeError:
        raise RecipeError(content.path, "bytes that are not UTF-8", "text in UTF-8") from None


def _numbers(text, characters, name):
    places = {character: number for number, character in enumerate(characters)}
    strangers = set(text) - places.keys()
    if strangers:
        start = min(text.index(character) for character in strangers)
        line = text.count("\n", 0, start) + 1
        expected = f"one of the {len(characters)} characters of the training text"
        column = start - (text.rfind("\n", 0, start) + 1) + 1
        raise RecipeError(name, f"the character {text[start]!r}", expected, line=line, column=column)
    if len(text) < 2:
        raise RecipeError(name, f"{len(text)} characters", "a text of at least two")
    return np.array([places[character] for character in text], np.int64)


def _sequences(numbers, count, source, length):
    # One byte for each element, as a text of a million characters has a hundred million of them.
    frames = np.eye(count, dtype=np.uint8)[numbers] if source.is_one_hot else numbers
    last, length = len(numbers) - 1, length or len(numbers)
    starts = range(0, last, length)
    ends = [min(start + length, last) for start in starts]
    return [Sequence((frames[start:end],), numbers[start + 1 : end + 1], False) for start, end in zip(starts, ends)]
