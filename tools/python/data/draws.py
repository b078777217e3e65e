"""Seeded draws that come out the same in every version of Python.

Of the module random, only the sequence of Random.random() is promised to stay as it is; the ways in which
choice, shuffle and the rest use it have changed. So everything here is made from random() alone.
"""

import random


class Draws:
    def __init__(self, seed):
        self._random = random.Random(seed).random

    def unit(self):
        """A number from 0 up to, not including, 1."""
        return self._random()

    def between(self, low, high):
        """A number from low up to high."""
        return low + (high - low) * self._random()

    def below(self, count):
        """A whole number from 0 up to count - 1."""
        return int(self._random() * count)

    def chance(self, share):
        """True in this share of the cases."""
        return self._random() < share

    def choice(self, items):
        return items[self.below(len(items))]

    def weighted(self, weights):
        """A key of weights, as often as its value says in proportion to the others."""
        left = self._random() * sum(weights.values())
        for item, weight in weights.items():
            left -= weight
            if left < 0:
                return item
        return item

    def shuffled(self, items):
        """A new list with the items in random order (Fisher and Yates)."""
        items = list(items)
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
        return items
