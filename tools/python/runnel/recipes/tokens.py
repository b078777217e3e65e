"""What texts are cut into, and the numbers of the pieces."""

from collections import Counter

CHARACTERS, WORDS = "characters", "words"
UNKNOWN = "<unknown>"  # stands for tokens that are not known
END = "<end>"  # ends a sequence of tokens


def tokens(unit, text):
    """The tokens of a text: its Unicode code points, or what stands between spaces."""
    return list(text) if unit == CHARACTERS else [word for word in text.split(" ") if word]


class Vocabulary:
    """The tokens that a network knows, in the order of their numbers."""

    def __init__(self, known):
        self.tokens = tuple(known)
        self._numbers = {token: number for number, token in reversed(list(enumerate(self.tokens)))}

    @classmethod
    def of(cls, texts, minimum_count=1, special=()):
        """The tokens that are in the texts at least so often, in the order of their bytes, behind special ones."""
        counts = Counter(token for text in texts for token in text)
        frequent = sorted(token for token, count in counts.items() if count >= minimum_count)
        return cls([*special, *(token for token in frequent if token not in special)])

    def number(self, token):
        """The number of a token, or of the one for those that are not known; None where there is none."""
        return self._numbers.get(token, self._numbers.get(UNKNOWN))
