"""Which sequences make up a minibatch, and which of their frames."""

import math
from dataclasses import dataclass

from .randomness import BUCKETS, CROPPING, SHUFFLING, generator
from .sequences import Sequence

_BUCKET_MINIBATCHES = 32  # made of sequences that are sorted by length together


@dataclass(frozen=True)
class Visit:
    """A sequence, or a run of its frames."""

    sequence: Sequence
    start: int
    stop: int

    @property
    def length(self):
        return self.stop - self.start


def epoch_order(sequences, settings, epoch):
    """The numbers of the sequences in the order of an epoch; each run of `batch_size` of them is a minibatch."""
    order = generator(settings.seed, SHUFFLING, epoch).permutation(len(sequences))
    if not settings.buckets:
        return order
    # Within every so many minibatches of a random order, by length; and these minibatches in random order.
    size, full = settings.batch_size, len(order) // settings.batch_size * settings.batch_size

    def length(number):
        return sum(map(len, sequences[number].inputs)), number

    span = _BUCKET_MINIBATCHES * size
    by_length = [
        number
        for start in range(0, full, span)
        for number in sorted(order[start : min(start + span, full)], key=length)
    ]
    starts = generator(settings.seed, BUCKETS, epoch).permutation(range(0, full, size))
    # The minibatch that is not full stays the last one.
    return [number for start in starts for number in by_length[start : start + size]] + list(order[full:])


def visits(sequences, numbers, settings, epoch):
    """The visits of a minibatch, from the longest to the shortest."""
    found = [(_visit(sequences[number], number, settings, epoch), number) for number in numbers]
    found.sort(key=lambda visit: (-visit[0].length, visit[1]))
    return [visit for visit, _ in found]


def _visit(sequence, number, settings, epoch):
    """The whole sequence, or a random run of its frames."""
    length, fraction = sequence.length, settings.minimum_crop_fraction
    if fraction is None:
        return Visit(sequence, 0, length)
    random = generator(settings.seed, CROPPING, epoch, number)
    shortest = min(max(math.ceil(length * fraction), 1), length)
    count = int(random.integers(shortest, length + 1))
    start = int(random.integers(length - count + 1))
    return Visit(sequence, start, start + count)
