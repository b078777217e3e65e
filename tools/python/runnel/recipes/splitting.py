"""Sets a share of the sequences aside for validation."""

import numpy as np

from .randomness import SPLIT, generator


def split(sequences, fraction, seed):
    """The sequences to learn from and those set aside, both in their order; at least one is set aside.

    Of sequences of one class each, the same share of each class (stratified).
    """
    if not fraction:
        return sequences, []
    classes = [sequence.only_class for sequence in sequences]
    groups = {}
    for place, number in enumerate(classes):
        groups.setdefault(0 if None in classes else number, []).append(place)
    random, chosen = generator(seed, SPLIT), set()
    for _, places in sorted(groups.items()):
        share = int(np.floor(np.float32(len(places)) * np.float32(fraction) + np.float32(0.5)))
        chosen.update(random.permutation(places)[:share])
    if not chosen:
        chosen.add(random.integers(len(sequences)))
    return (
        [sequence for place, sequence in enumerate(sequences) if place not in chosen],
        [sequence for place, sequence in enumerate(sequences) if place in chosen],
    )
