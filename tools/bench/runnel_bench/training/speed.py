"""Characters a second of both trainers, in turns."""

import statistics

from . import task

#: Epochs of a turn that do not count: memory is touched and code is found for the first time.
WARM_UP = 2
#: How long a turn is, in seconds, and how many epochs it has at least and at most beside the warm-up.
TURN, FEWEST, MOST = 1.0, 3, 40


def rate(run):
    """Characters a second in the median epoch, without the warm-up."""
    return task.TOKENS / statistics.median(run["seconds"][WARM_UP:])


def turn(trainer, case, way, epochs, round_number):
    return rate(trainer.train(case, way, WARM_UP + epochs, seed=round_number))


def epochs_of(trainer, case, way):
    """How many epochs a turn of a trainer has."""
    seconds = task.TOKENS / turn(trainer, case, way, FEWEST, 0)
    return min(max(round(TURN / seconds), FEWEST), MOST)


def fastest_way(trainer, case):
    """The way of a trainer that is the fastest, each tried twice."""
    if len(trainer.ways) == 1:
        return 0
    rates = [max(turn(trainer, case, way, FEWEST, 0) for _ in range(2)) for way in range(len(trainer.ways))]
    return rates.index(max(rates))


def compare(case, ours, theirs, rounds):
    """The medians of both rates and of their quotients, a quotient a round."""
    trainers = [(trainer, fastest_way(trainer, case)) for trainer in (ours, theirs)]
    plans = [(trainer, way, epochs_of(trainer, case, way)) for trainer, way in trainers]
    found = [[turn(trainer, case, way, epochs, n) for trainer, way, epochs in plans] for n in range(1, rounds + 1)]
    ratios = [mine / other for mine, other in found]
    ratio = statistics.median(ratios)
    return {
        **case.as_dict(),
        "runnel": statistics.median(mine for mine, _ in found),
        "torch": statistics.median(other for _, other in found),
        "way": theirs.ways[plans[1][1]],
        "ratio": ratio,
        "slowestRatio": min(ratios),
        "fastestRatio": max(ratios),
        "required": case.required,
        "passes": case.required is None or ratio >= case.required,
    }
