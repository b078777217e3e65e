"""An interpolated n-gram model of characters with modified Kneser-Ney smoothing.

After S. F. Chen, J. Goodman, "An empirical study of smoothing techniques for language modeling", Computer Speech and
Language 13 (1999), section 3. With c the count of an n-gram (at lower orders: how many different characters stand
before it), h a context and h' the same without its first character,

    P(w | h) = (c(h w) - D(c(h w))) / c(h) + (D1 N1(h) + D2 N2(h) + D3 N3(h)) / c(h) * P(w | h')

where Nk(h) is how many characters follow h just k times (N3: three times or more), and D(c) the discount of that count.
Below the shortest context stands the same probability for every character of the alphabet.
"""

from collections import Counter, defaultdict
from math import log2

FALLBACK = 0.75  # discount where too few n-grams were seen to estimate one


def discounts(counts):
    """[0, D1, D2, D3] for n-grams with these counts, from how many were seen just 1, 2, 3 and 4 times."""
    seen = Counter(counts)
    if not all(seen[k] for k in (1, 2, 3, 4)):
        return [0, FALLBACK, FALLBACK, FALLBACK]
    share = seen[1] / (seen[1] + 2 * seen[2])
    estimates = [k - (k + 1) * share * seen[k + 1] / seen[k] for k in (1, 2, 3)]
    return [0, *(min(max(estimate, 0), k) for k, estimate in enumerate(estimates, 1))]


class Order:
    """The n-grams of one length: which characters follow which contexts, and how often."""

    def __init__(self, counts):
        """counts: {n-gram: count}"""
        self.following = defaultdict(dict)
        for gram, count in counts.items():
            self.following[gram[:-1]][gram[-1]] = count
        self.discounts = discounts(counts.values())
        self.totals = {context: sum(row.values()) for context, row in self.following.items()}
        # What the discounts of a context free for the shorter one.
        self.freed = {
            context: sum(self.discounts[min(count, 3)] for count in row.values())
            for context, row in self.following.items()
        }

    def probability(self, context, character, shorter):
        """P(character | context), given that of the context without its first character."""
        total = self.totals.get(context)
        if total is None:
            return shorter
        count = self.following[context].get(character, 0)
        return (count - self.discounts[min(count, 3)] + self.freed[context] * shorter) / total


class KneserNey:
    def __init__(self, text, order):
        """order: the characters of the longest n-gram, so that order - 1 are known of what came before."""
        self.alphabet = sorted(set(text))
        counts = Counter(text[k : k + order] for k in range(len(text) - order + 1))
        self.orders = [Order(counts)]
        while len(self.orders) < order:
            counts = Counter(gram[1:] for gram in counts)
            self.orders.append(Order(counts))
        self.orders.reverse()  # unigrams first

    def probability(self, context, character):
        """P(character | context); of the context, no more than the model's order needs is looked at."""
        result = 1 / len(self.alphabet)
        for length, order in enumerate(self.orders[: len(context) + 1]):
            result = order.probability(context[len(context) - length :], character, result)
        return result

    def bits_per_character(self, text):
        """The mean of -log2 P over a text, each character given all before it."""
        longest = len(self.orders) - 1
        total = sum(
            -log2(self.probability(text[max(k - longest, 0) : k], character)) for k, character in enumerate(text)
        )
        return total / len(text)
