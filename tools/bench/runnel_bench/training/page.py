"""The results as Markdown."""

import statistics

from .task import RATE, STREAMS, TOKENS, VOCABULARY, WINDOW, Case


def case_of(result):
    return Case(result["cell"], result["units"], result["input"])


def rate(value):
    """'1.23 M', '456 k'."""
    return f"{value / 1e6:.2f} M" if value >= 999_500 else f"{value / 1e3:.0f} k"


def speed_table(results):
    lines = [
        "| network | Runnel | PyTorch | quotient | in all rounds | required | |",
        "| --- | ---: | ---: | ---: | --- | ---: | --- |",
    ]
    for result in results:
        required = "" if result["required"] is None else f"{result['required']:.1f}"
        lines.append(
            f"| {case_of(result).title} | {rate(result['runnel'])} | {rate(result['torch'])} ({result['way']}) "
            f"| **{result['ratio']:.2f}** | {result['slowestRatio']:.2f} to {result['fastestRatio']:.2f} "
            f"| {required} | {'met' if result['passes'] else 'NOT MET'} |"
        )
    return "\n".join(lines)


def mean_and_deviation(values):
    return f"{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f}"


def curve_table(curve, rows=10):
    """Some epochs of both trainers' curves, the first and the last among them."""
    count = len(curve["runnel"][0])
    chosen = sorted({round(k * (count - 1) / (rows - 1)) for k in range(rows)})
    lines = ["| epoch | Runnel | PyTorch | t |", "| ---: | ---: | ---: | ---: |"]
    for epoch in chosen:
        ours, theirs = ([run[epoch] for run in curve[name]] for name in ("runnel", "torch"))
        lines.append(
            f"| {epoch + 1} | {mean_and_deviation(ours)} | {mean_and_deviation(theirs)} | {curve['t'][epoch]:+.2f} |"
        )
    return "\n".join(lines)


def curve_section(curve):
    verdict = "agree within the noise of the seeds" if curve["agrees"] else "DIFFER by more than the noise of the seeds"
    return (
        f"### {case_of(curve).title}\nLoss, mean and deviation of {len(curve['runnel'])} seeds: the trainers {verdict} "
        f"(median |t| {curve['medianT']:.2f}, bound {curve['bound']:.2f}).\n\n{curve_table(curve)}"
    )


def full_page(document):
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    sections = [
        "# Training beside PyTorch",
        f"Characters a second that a model of {len(VOCABULARY)} characters learns from: {STREAMS} streams, windows of "
        f"{WINDOW}, Adam ({RATE:g}), clipping, {document['threads']} threads, {TOKENS:,} characters an epoch. Medians "
        f"of {document['rounds']} rounds in turns; the quotient is the median of the rounds' quotients. "
        f"{document['cpu']}, {document['date']}: {versions}.",
        speed_table(document["speeds"]),
        "![Characters a second by units](training.svg)",
        "## The same losses\nThe same text in the same order, weights that begin from the same distributions; "
        "`runnel_bench/training/noise.py` says how curves are compared.",
        *(curve_section(curve) for curve in document["curves"]),
    ]
    return "\n\n".join(sections) + "\n"
