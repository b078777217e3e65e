"""How near Runnel comes to what the machine allows: the figures, and what is required of them.

A metric is a quotient of two figures of one run, so that it means the same on a machine of another speed:

- `LSTM 64,128 f32`: the time of a step by the probe's limit for that type and size (lower is better); `int8/16` is
  int8 with 16-bit inputs, held to the limit of int8;
- `LSTM 64,128 f32, 64 streams`: multiply-adds a second of a whole step by the core's peak of f32 (higher is better);
- `LSTM 64,128 bf16, 64 streams, to f32`: frames a second by those of f32 (higher);
- `LSTM 64,128 f32, 64 streams, two cores`: frames a second on two cores by those on one (higher);
- `LSTM 64,128 f32, p99`: the 99th percentile of steps timed one by one by their median (lower), and
  `…, p99.9 to control`, `…, maximum to control`: those percentiles by the control loop's (lower).
"""

import json
import os
import statistics
import subprocess
from dataclasses import dataclass

from .cases import CELLS, STREAMS, WIDE_SIZES
from .peers import Unavailable

GATES = {"lstm": 4, "gru": 3}

#: Names of forms of weights, with the probe's type and the options of `runnel bench`.
FORMS = {
    "f32": ("f32", []),
    "f16": ("f16", ["--weights", "f16"]),
    "bf16": ("bf16", ["--weights", "bf16"]),
    "int8": ("int8", ["--weights", "int8", "--activation-bits", "8"]),
    "int8/16": ("int8", ["--weights", "int8", "--activation-bits", "16"]),
}

#: Steps that are timed one by one for percentiles.
PERCENTILE_STEPS = "100000"


@dataclass
class Metric:
    """A quotient, and what is required of it; `bound` is None where nothing is."""

    name: str
    value: float
    lower_is_better: bool
    bound: float | None = None
    figures: str = ""

    @property
    def passes(self):
        if self.bound is None:
            return True
        return self.value <= self.bound if self.lower_is_better else self.value >= self.bound

    def worse_than(self, other):
        """By what factor the value is worse than another one; below 1 where it is better."""
        return self.value / other if self.lower_is_better else other / self.value

    def as_dict(self):
        return {
            "name": self.name, "value": self.value, "bound": self.bound, "lowerIsBetter": self.lower_is_better,
            "passes": self.passes, "figures": self.figures,
        }


def step_bound(form, hidden):
    """What a step may take, by its limit; None where nothing is required."""
    if form == "f32":
        return 1.0 if hidden <= 32 else 1.05
    if form in ("f16", "bf16"):
        return 1.1 if hidden >= 32 else None
    if hidden < 64:
        return None
    return 1.15 if form == "int8" else 1.6


STREAMS_BOUNDS = {("lstm", 64, 128): 0.80, ("lstm", 40, 256): 0.85}
TO_F32_BOUNDS = {"bf16": 1.8, "int8": 2.5}
TWO_CORES_BOUND = 1.9
P99_BOUND = 1.15


class ProbeFailure(Exception):
    """The probe failed, in its words."""


def probe_figures(program, *arguments):
    """{(cell, figure): value} of a run of the probe."""
    result = subprocess.run([str(program), *map(str, arguments), "--json"], capture_output=True, text=True)
    if result.returncode != 0:
        raise ProbeFailure(result.stderr.strip())
    return {(f["cell"], f["figure"]): f["value"] for f in json.loads(result.stdout)["figures"]}


class Measurement:
    """Measures metrics; `missing` are those that this build or machine has not, with the reason."""

    def __init__(self, tool, probe, rounds, progress):
        self.tool = tool
        self.probe = probe
        self.rounds = rounds
        self.progress = progress
        self.missing = {}

    def bench(self, cell, size, options, frames="100"):
        return self.tool.bench(["--cell", cell, "--input", str(size[0]), "--hidden", str(size[1]), *options], frames)

    def steps(self, cell, size, forms=FORMS):
        """The ratio of each form to its limit: the median over rounds of probe and forms in turns."""
        ratios = {form: [] for form in forms}
        figures = {}
        for _ in range(self.rounds):
            limits = probe_figures(self.probe, cell, *size)
            for form in forms:
                limit_type, options = FORMS[form]
                try:
                    time = self.bench(cell, size, options)["medianNs"]
                except Unavailable as reason:
                    self.missing[step_name(cell, size, form)] = str(reason)
                    continue
                limit = limits[cell, f"limit_{limit_type}"]
                ratios[form].append(time / limit)
                figures[form] = f"{time:.1f} ns, limit {limit:.1f} ns"
        return [
            Metric(
                step_name(cell, size, form), statistics.median(values), True, step_bound(form, size[1]), figures[form]
            )
            for form, values in ratios.items()
            if values
        ]

    def streams(self, cell, size):
        """64 streams in one step: shares of the peak, and types by f32."""
        shares, speeds = {}, {}
        for _ in range(self.rounds):
            peak = probe_figures(self.probe, "peaks")["-", "fma_peak"]
            for form in FORMS:
                name = f"{step_name(cell, size, form)}, {STREAMS} streams"
                try:
                    time = self.bench(cell, size, [*FORMS[form][1], "--streams", str(STREAMS)])["medianNs"]
                except Unavailable as reason:
                    self.missing[name] = str(reason)
                    continue
                operations = 2 * GATES[cell] * size[1] * sum(size) * STREAMS
                shares.setdefault(form, []).append(operations / time / peak)
                speeds.setdefault(form, []).append(STREAMS / time * 1e9)
        metrics = []
        for form, values in shares.items():
            name = f"{step_name(cell, size, form)}, {STREAMS} streams"
            speed = statistics.median(speeds[form])
            bound = STREAMS_BOUNDS.get((cell, *size)) if form == "f32" else None
            metrics.append(Metric(name, statistics.median(values), False, bound, f"{speed / 1000:.0f}k frames/s"))
            if form != "f32" and "f32" in speeds:
                to_f32 = speed / statistics.median(speeds["f32"])
                bound = TO_F32_BOUNDS.get(form) if (cell, *size) in STREAMS_BOUNDS else None
                metrics.append(Metric(f"{name}, to f32", to_f32, False, bound))
        return metrics

    def two_cores(self, cell, size, cores):
        """Frames a second on two cores by those on one, in turns."""
        name = f"{step_name(cell, size, 'f32')}, {STREAMS} streams, two cores"
        if len(cores) < 2:
            self.missing[name] = "this process may use one core only"
            return []
        speed_ups = []
        for _ in range(self.rounds):
            times = []
            for count in (1, 2):
                os.sched_setaffinity(0, cores[:count])
                try:
                    options = ["--streams", str(STREAMS), "--threads", str(count)]
                    times.append(self.bench(cell, size, options)["medianNs"])
                except Unavailable as reason:
                    self.missing[name] = str(reason)
                    return []
                finally:
                    os.sched_setaffinity(0, cores[:1])
            speed_ups.append(times[0] / times[1])
        return [Metric(name, statistics.median(speed_ups), False, TWO_CORES_BOUND)]

    def percentiles(self, cell, size):
        """Steps timed one by one: the best of the rounds, as the machine's own interruptions are not the step's."""
        name = f"{step_name(cell, size, 'f32')}, "
        runs = [self.bench(cell, size, [], PERCENTILE_STEPS) for _ in range(self.rounds)]
        if "p50Ns" not in runs[0] or "control" not in runs[0]:
            self.missing[name + "p99"] = "this build of runnel bench prints no p50Ns and no control"
            return []
        run = min(runs, key=lambda run: run["p99Ns"] / run["p50Ns"])
        figures = f"{run['p99Ns']:.0f} ns, median {run['p50Ns']:.0f} ns"
        metrics = [Metric(name + "p99", run["p99Ns"] / run["p50Ns"], True, P99_BOUND, figures)]
        control = run["control"]
        for words, field in (("p99.9", "p999Ns"), ("maximum", "maxNs")):
            figures = f"{run[field]:.0f} ns, control {control[field]:.0f} ns"
            metrics.append(Metric(f"{name}{words} to control", run[field] / control[field], True, 1.0, figures))
        return metrics


def step_name(cell, size, form):
    return f"{cell.upper()} {size[0]},{size[1]} {form}"


def plan(measurement, sizes, cores=None):
    """[(title, function that returns metrics)], all that is measured for these sizes; two cores where given."""
    parts = [
        (f"{cell.upper()} {size[0]},{size[1]}", lambda cell=cell, size=size: measurement.steps(cell, size))
        for cell in CELLS
        for size in sizes
    ]
    for size in sizes:
        if size in WIDE_SIZES:
            for cell in CELLS:
                parts.append(
                    (
                        f"{cell.upper()} {size[0]},{size[1]}, {STREAMS} streams",
                        lambda cell=cell, size=size: measurement.streams(cell, size),
                    )
                )
            if cores is not None:
                parts.append(("two cores", lambda size=size: measurement.two_cores("lstm", size, cores)))
    if cores is not None and (64, 128) in sizes:
        parts.append(("percentiles", lambda: measurement.percentiles("lstm", (64, 128))))
    return parts
