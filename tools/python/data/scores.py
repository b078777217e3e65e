"""How answers are scored against the right ones."""


def edits(found, expected):
    """The least number of insertions, deletions and replacements that make the one sequence of the other."""
    row = list(range(len(expected) + 1))
    for i, a in enumerate(found, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(expected, 1):
            above, row[j] = row[j], min(above + (a != b), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def share(found, expected):
    """The share of answers that are the right ones."""
    return sum(a == b for a, b in zip(found, expected, strict=True)) / len(expected)


def word_error_rate(found, expected):
    """Words to insert, delete and replace, for each word of the right sentences."""
    wrong = sum(edits(a.split(), b.split()) for a, b in zip(found, expected, strict=True))
    return wrong / sum(len(sentence.split()) for sentence in expected)
