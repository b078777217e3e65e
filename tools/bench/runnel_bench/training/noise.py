"""Whether two trainers learn alike: whether their losses differ more than those of one trainer's seeds do.

For each epoch, Student's t of the two means, with the deviation of the seeds that both trainers have together:

    t = (mean of ours - mean of theirs) / (s √(1/n + 1/m)),    s² = (Σ (ours - mean)² + Σ (theirs - mean)²) / (n + m - 2)

The epochs of a run depend on each other, so that they are no tests of their own: the median |t| is the curve's, and it
agrees where that is at most what 95 % of all draws from one distribution give. (Both curves come from the same data in
the same order; what differs is how the weights begin.)
"""

import math
import statistics

#: The two-sided 95 % bounds of Student's t, by degrees of freedom.
BOUNDS = {2: 4.303, 4: 2.776, 6: 2.447, 8: 2.306, 10: 2.228, 12: 2.179, 14: 2.145, 16: 2.120, 18: 2.101}


def t_statistic(ours, theirs):
    n, m = len(ours), len(theirs)
    squares = sum((x - statistics.fmean(values)) ** 2 for values in (ours, theirs) for x in values)
    error = math.sqrt(squares / (n + m - 2) * (1 / n + 1 / m))
    difference = statistics.fmean(ours) - statistics.fmean(theirs)
    if error == 0:
        return 0.0 if difference == 0 else math.inf
    return difference / error


def compare(ours, theirs):
    """Curves are [loss of each epoch] of each seed, as many seeds of both."""
    if len(ours) != len(theirs) or 2 * len(ours) - 2 not in BOUNDS:
        raise ValueError(f"found {len(ours)} and {len(theirs)} seeds, expected as many of both, from 2 to 10")
    epochs = [t_statistic(mine, other) for mine, other in zip(zip(*ours), zip(*theirs))]
    median = statistics.median(abs(t) for t in epochs)
    bound = BOUNDS[2 * len(ours) - 2]
    return {"t": epochs, "medianT": median, "bound": bound, "agrees": median <= bound}
