"""`tools/bench/ratios`: how near Runnel comes to what the machine allows."""

import argparse
import json
import os
import sys
import time

from . import build, machine, thresholds
from .cases import SIZES, parsed_sizes
from .metrics import Measurement, ProbeFailure, plan
from .progress import Progress
from .tool import ToolFailure

ROUNDS, CHECK_ROUNDS = 3, 1
#: What --check and --update measure: a cell that is all latency, one that L1 or L2 holds, one that L2 does not.
CHECK_SIZES = [(1, 32), (64, 128)]
#: How often a part with a suspicious metric is measured again before it counts, and after how many seconds: a busy
#: neighbour stays for some.
REPEATS, PAUSE = 5, 15
THRESHOLDS = build.BENCH / "thresholds.json"


def arguments(words):
    parser = argparse.ArgumentParser(
        prog="tools/bench/ratios",
        description="Measures Runnel against the probe of what the machine allows, in turns in one run, and prints "
        "each quotient with what is required of it.",
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--check", action="store_true",
        help=f"a small set: fails where it is {thresholds.ALLOWANCE:g} times worse than thresholds.json",
    )
    group.add_argument("--update", action="store_true", help="write that set into thresholds.json")
    group.add_argument("--sizes", metavar="1x8,64x128", help="INPUTxHIDDEN, instead of all")
    parser.add_argument(
        "--rounds", type=int, help=f"turns of probe and Runnel (default: {ROUNDS}; --check: {CHECK_ROUNDS})"
    )
    parser.add_argument("--json", action="store_true", help="print an object")
    parser.add_argument("--core", type=int, help="the core to run on (default: the first that is allowed)")
    options = parser.parse_args(words)
    try:
        options.sizes = parsed_sizes(options.sizes) if options.sizes else SIZES
    except ValueError as error:
        parser.error(f"--sizes: {error}")
    if options.rounds is None:
        options.rounds = CHECK_ROUNDS if options.check else ROUNDS
    if options.rounds < 1:
        parser.error(f"--rounds: found {options.rounds}, expected 1 or more")
    return options


def measurement(options, progress):
    progress.say("building runnel and the probe")
    return Measurement(build.runnel(), build.probe(), options.rounds, progress)


def measured(parts, progress):
    """[(function, its metrics)] of all parts."""
    result = []
    for title, part in parts:
        result.append((part, part()))
        progress.advance(title)
    return result


def flat(parts):
    return [metric for _, metrics in parts for metric in metrics]


def report(options):
    """All metrics, with what is required of them; 0 whether they are met or not: --check is the gate."""
    cores = sorted(os.sched_getaffinity(0))
    first = machine.pin(options.core)
    cores = [first, *(core for core in cores if core != first)]
    run = measurement(options, Progress(0))
    parts = plan(run, options.sizes, cores)
    metrics = flat(measured(parts, Progress(len(parts))))
    if options.json:
        document = {
            "cpu": machine.cpu_name(), "cpuKey": machine.cpu_key(), "date": machine.today(),
            "metrics": [metric.as_dict() for metric in metrics], "missing": run.missing,
        }
        print(json.dumps(document, indent=1))
        return 0
    for metric in metrics:
        print(line(metric))
    for reason in dict.fromkeys(run.missing.values()):
        names = [name for name, why in run.missing.items() if why == reason]
        print(f"not measured, as {reason}: {'; '.join(names)}")
    failed = sum(not metric.passes for metric in metrics)
    required = sum(metric.bound is not None for metric in metrics)
    print(f"{required - failed} of {required} required quotients are met, on {machine.cpu_name()}, {machine.today()}")
    return 0


def line(metric):
    required = ""
    if metric.bound is not None:
        sign = "<=" if metric.lower_is_better else ">="
        required = f"{sign} {metric.bound:4.2f}  {'pass' if metric.passes else 'FAIL'}"
    return f"{metric.name:44} {metric.value:6.3f}  {required:13}  {metric.figures}".rstrip()


def check(options):
    """1 where a metric stays worse than its threshold allows, however often it is measured."""
    machine.pin(options.core)
    run = measurement(options, Progress(0))
    key = machine.cpu_key()
    table = thresholds.read(THRESHOLDS)
    if key not in table:
        print(
            f"ratios: no thresholds for this CPU ({machine.cpu_name()}, {key}), so nothing to compare with: passed. "
            "'tools/bench/ratios --update' adds them"
        )
        return 0
    accepted = table[key]["metrics"]
    parts = plan(run, CHECK_SIZES)
    progress = Progress(len(parts))
    results = measured(parts, progress)
    verdict = thresholds.verdict(accepted, flat(results))
    for repeat in range(REPEATS):
        if not verdict.worse:
            break
        names = {metric.name for metric in verdict.worse}
        progress.say(f"measuring again ({repeat + 1} of {REPEATS}): {', '.join(sorted(names))}")
        time.sleep(PAUSE)
        results = [
            (part, thresholds.better_of(metrics, part()))
            if names & {metric.name for metric in metrics}
            else (part, metrics)
            for part, metrics in results
        ]
        verdict = thresholds.verdict(accepted, flat(results))
    for metric in flat(results):
        known = f"accepted {accepted[metric.name]:.3f}" if metric.name in accepted else "new"
        print(f"{metric.name:44} {metric.value:6.3f}  {known}")
    for metric in verdict.worse:
        print(
            f"ratios: {metric.name}: found {metric.value:.3f}, accepted {accepted[metric.name]:.3f} and "
            f"{thresholds.ALLOWANCE - 1:.0%} for noise; make it faster again, or accept it with "
            "'tools/bench/ratios --update'",
            file=sys.stderr,
        )
    for name in verdict.unmeasured:
        print(
            f"ratios: {name}: found no measurement ({run.missing.get(name, 'it is not in the set')}), "
            f"accepted {accepted[name]:.3f}",
            file=sys.stderr,
        )
    return 0 if verdict.passes else 1


def update(options):
    machine.pin(options.core)
    table = thresholds.read(THRESHOLDS)
    run = measurement(options, Progress(0))
    parts = plan(run, CHECK_SIZES)
    metrics = flat(measured(parts, Progress(len(parts))))
    table = thresholds.updated(table, machine.cpu_key(), machine.cpu_name(), machine.today(), metrics)
    thresholds.write(THRESHOLDS, table)
    for metric in metrics:
        print(line(metric))
    print(f"ratios: {THRESHOLDS} has {len(metrics)} thresholds for {machine.cpu_name()}")
    return 0


def main(words=None):
    options = arguments(words)
    if not machine.has_wide_dot_products():
        text = f"ratios: {machine.cpu_name()} has no AVX-512 with VNNI and BF16, which the probe needs"
        print(text + (": nothing checked, passed" if options.check else ""), file=sys.stderr)
        return 0 if options.check else 69
    command = check if options.check else update if options.update else report
    try:
        return command(options)
    except (build.BuildFailure, ProbeFailure, ToolFailure, thresholds.ThresholdFault, ValueError, OSError) as error:
        print(f"ratios: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
