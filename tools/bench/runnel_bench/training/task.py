"""What is trained: a character model's data, shape and settings, as a recipe of Runnel's and in numbers.

32 streams read their parts of a text side by side, in windows of 64 characters that an update each is made after; the
state goes on from window to window and begins afresh with an epoch. So an epoch is one minibatch in Runnel's words, and
both trainers see the same characters in the same order.
"""

import json
import random
from dataclasses import asdict, dataclass

VOCABULARY = [chr(code) for code in range(ord("!"), ord("!") + 65)]
STREAMS, WINDOW, WINDOWS = 32, 64, 16
LENGTH = WINDOW * WINDOWS
#: Characters that an epoch learns to predict.
TOKENS = STREAMS * LENGTH

RATE, CLIP = 2e-3, 1.0
CELLS, UNITS, INPUTS = ["lstm", "gru"], [32, 64, 128, 256], ["one-hot", "index"]

#: What Runnel's rate is to be, by PyTorch's: at so many units and below.
REQUIRED = {64: 2.0, 128: 1.5, 256: 1.0}


@dataclass(frozen=True)
class Case:
    """A network: the cell, its units, then a dense layer to the vocabulary. `index`: an embedding of as many numbers as
    there are units comes first; `one-hot`: nothing does."""

    cell: str
    units: int
    input: str

    @property
    def title(self):
        return f"{self.cell.upper()} {self.units}, {'one-hot' if self.input == 'one-hot' else 'embedding'}"

    @property
    def required(self):
        return next((ratio for units, ratio in REQUIRED.items() if self.units <= units), None)

    def as_dict(self):
        return asdict(self)


def cases(cells=CELLS, units=UNITS, inputs=INPUTS):
    return [Case(cell, size, kind) for cell in cells for size in units for kind in inputs]


def text(seed=1):
    """Characters that the two before them mostly determine: what a network can learn, and not at once."""
    source = random.Random(seed)
    # Which characters may follow depends on the last one, which of them does on the one before it.
    followers = {character: source.sample(VOCABULARY, 8) for character in VOCABULARY}
    order = {character: source.sample(range(8), 8) for character in VOCABULARY}
    characters = source.sample(VOCABULARY, 2)
    while len(characters) <= TOKENS:
        before, last = characters[-2:]
        rank = min(int(source.expovariate(1.0)), 7)
        characters.append(followers[last][order[before][rank]])
    return "".join(characters)


def recipe(case, text_file, epochs, seed):
    """The recipe as text."""
    embedding = [{"kind": "embedding", "size": case.units}] if case.input == "index" else []
    return json.dumps(
        {
            "name": "characters",
            "data": {
                "kind": "text",
                "train": text_file,
                "labels": VOCABULARY,
                "input": case.input,
                "sequenceLength": LENGTH,
            },
            "network": {
                "layers": [*embedding, {"kind": case.cell, "hidden": case.units}, {"kind": "dense"}],
                "loss": "softmax-cross-entropy",
            },
            "training": {
                "epochs": epochs,
                "batchSize": STREAMS,
                "window": WINDOW,
                "optimizer": {"kind": "adam"},
                "schedule": {"kind": "constant", "rate": RATE},
                "clipNorm": CLIP,
                "seed": seed,
            },
        }
    )
