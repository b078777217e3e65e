"""The results as Markdown: all of them, and the few columns that the README shows."""

import statistics

from .cases import STREAMS, TOLERANCES, WEIGHT_TYPES, Case

START = "<!-- tools/bench: from here -->"
END = "<!-- tools/bench: to here -->"

#: What the README shows.
README_CASES = [
    Case("lstm", 1, 8), Case("lstm", 1, 32), Case("lstm", 64, 128), Case("lstm", 256, 1024), Case("gru", 64, 128),
    Case("lstm", 64, 128, streams=64), Case("lstm", 64, 128, frames=1000),
]


def case_of(result):
    return Case(*(result[name] for name in ("cell", "input", "hidden", "streams", "frames")))


def frame_time(result):
    """Nanoseconds a frame of a stream."""
    return result["callNs"] / (result["streams"] * result["frames"])


def row_name(result):
    return f"{result['title']}, {result['weights']}"


def nanoseconds(value):
    """Three digits, of which one below 1 at most in nanoseconds: '9.9', '45.2', '441', '2.21k', '309k', '1.52M'."""
    if value < 99.95:
        return f"{value:.1f}"
    for unit in ("", "k", "M"):
        if value < 999.5:
            break
        value /= 1000
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}{unit}"


def markdown_table(results, cases, headings):
    """A row for each runtime and type of weights, a column a case; the best of each type in a column is bold."""
    cells = {(row_name(result), case_of(result)): frame_time(result) for result in results}
    best = set()
    for case in cases:
        for weight_type in WEIGHT_TYPES:
            same = [r for r in results if case_of(r) == case and r["weights"] == weight_type]
            if same:
                best.add((row_name(min(same, key=frame_time)), case))
    rows = [row for row in sorted_rows(results) if any((row, case) in cells for case in cases)]
    lines = ["| ns per frame | " + " | ".join(headings) + " |", "| --- |" + " ---: |" * len(cases)]
    for row in rows:
        texts = []
        for case in cases:
            time = cells.get((row, case))
            text = "" if time is None else nanoseconds(time)
            texts.append(f"**{text}**" if (row, case) in best else text)
        lines.append(f"| {row} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def sorted_rows(results):
    """Names of rows: Runnel's first, then the peers in the order in which they were asked, by types of weights."""
    order = {}
    for result in results:
        key = (
            result["runtime"] != "runnel", [r["runtime"] for r in results].index(result["runtime"]),
            WEIGHT_TYPES.index(result["weights"]), result["title"],
        )
        order.setdefault(row_name(result), key)
    return sorted(order, key=order.get)


def heading(case):
    return f"{case.input}, {case.hidden}"


def readme_heading(case):
    notes = {"stream": "", "streams": f", {case.streams} streams", "sequence": f", {case.frames:,} known frames"}
    return f"{case.cell.upper()} {heading(case)}{notes[case.mode]}"


def readme_section(document):
    """What stands between the markers of the README."""
    measured = [case_of(result) for result in document["results"]]
    cases = [case for case in README_CASES if case in measured]
    return (
        markdown_table(document["results"], cases, [readme_heading(case) for case in cases])
        + f"\n\n{conditions(document)}\n"
    )


def conditions(document):
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    notes = "".join(f" {note}." for note in document["notes"])
    spread = statistics.median(result["slowestNs"] / result["fastestNs"] for result in document["results"])
    return (
        f"Nanoseconds per frame of one stream (input, hidden), medians of {document['rounds']} rounds in turns on one "
        f"core of {document['cpu']}, {document['date']}: {versions}. The slowest round of a figure is {spread - 1:.0%} "
        f"above its fastest, in the median.{notes}"
    )


def full_page(document):
    """results.md."""
    results = document["results"]
    parts = [
        "# Runnel beside other runtimes",
        "`tools/bench/bench` wrote this page; [README.md](README.md) says what is measured and how.",
        conditions(document),
        "![Time per frame by size](results.svg)",
    ]
    modes = [
        ("stream", "one frame of one stream a call"),
        ("streams", f"one frame of {STREAMS} streams a call"),
        ("sequence", "1,000 known frames of one stream a call"),
    ]
    measured = list(dict.fromkeys(case_of(result) for result in results))
    for mode, words in modes:
        for cell in ("lstm", "gru"):
            cases = [case for case in measured if case.mode == mode and case.cell == cell]
            if cases:
                parts.append(f"## {cell.upper()}, {words}")
                parts.append(markdown_table(results, cases, [heading(case) for case in cases]))
    parts.append("## How far outputs are from the cell in float64")
    parts.append(deviation_table(results))
    if document["gaps"]:
        parts.append("## What is missing")
        parts.append(gap_list(document["gaps"]))
    return "\n\n".join(parts) + "\n"


def deviation_table(results):
    largest = {}
    for result in results:
        row = row_name(result)
        largest[row] = max(largest.get(row, 0), result["deviation"])
    tolerances = {row_name(result): TOLERANCES[result["weights"]] for result in results}
    lines = ["| | largest | allowed |", "| --- | ---: | ---: |"]
    lines += [f"| {row} | {largest[row]:.1e} | {tolerances[row]:.0e} |" for row in sorted_rows(results)]
    return "\n".join(lines)


def gap_list(gaps):
    """The reasons, each once, with how many cases they concern."""
    counts = {}
    for gap in gaps:
        key = (row_name(gap), gap["reason"])
        counts[key] = counts.get(key, 0) + 1
    return "\n".join(
        f"- {row}: {reason} ({count} case{'s' if count > 1 else ''})" for (row, reason), count in counts.items()
    )


def with_section(text, section):
    """A text with the part between the markers replaced.

    Raises ValueError where the markers are not there once each, in order.
    """
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise ValueError(f"found no single pair of the lines '{START}' and '{END}', expected them around the table")
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{section}{END}{after}"
