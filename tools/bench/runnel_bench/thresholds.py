"""The accepted ratios of each CPU, in thresholds.json, and whether new ones are worse."""

import json
from dataclasses import dataclass

from .files import write_whole

#: How much worse than its threshold a metric may be: shared machines are noisy.
ALLOWANCE = 1.2


class ThresholdFault(Exception):
    """A file of thresholds that cannot be used, in words."""


def read(path):
    """{CPU: {"name": …, "date": …, "metrics": {name: value}}}; raises ThresholdFault."""
    try:
        table = json.loads(path.read_text())
        for entry in table.values():
            if not all(isinstance(value, (int, float)) and value > 0 for value in entry["metrics"].values()):
                raise ThresholdFault(f"{path}: found a threshold that is not positive; measure again with --update")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ThresholdFault(
            f"{path}: found {error!r}, expected an object of CPUs with their metrics; restore the file, or write "
            "'{}' into it and measure with --update"
        ) from error
    return table


def updated(table, key, name, date, metrics):
    """The table with the metrics of one CPU, three digits of each."""
    values = {metric.name: float(f"{metric.value:.3g}") for metric in metrics}
    return dict(sorted({**table, key: {"name": name, "date": date, "metrics": dict(sorted(values.items()))}}.items()))


def write(path, table):
    write_whole(path, json.dumps(table, indent=2) + "\n")


@dataclass
class Verdict:
    """What a check found: metrics that are worse than allowed, and thresholds that nothing was measured for."""

    worse: list
    unmeasured: list

    @property
    def passes(self):
        return not self.worse and not self.unmeasured


def verdict(accepted, metrics):
    """Compares metrics with accepted values {name: value}. A metric without one passes: it is new."""
    by_name = {metric.name: metric for metric in metrics}
    worse = [
        metric for name, metric in by_name.items()
        if name in accepted and metric.worse_than(accepted[name]) > ALLOWANCE
    ]
    return Verdict(worse, sorted(set(accepted) - set(by_name)))


def better_of(metrics, again):
    """For each metric the better of two measurements."""
    by_name = {metric.name: metric for metric in again}
    return [
        by_name[metric.name]
        if metric.name in by_name and metric.worse_than(by_name[metric.name].value) > 1
        else metric
        for metric in metrics
    ]
