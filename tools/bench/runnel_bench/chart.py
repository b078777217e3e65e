"""The results of single streams as an SVG: time per frame by size, a panel a cell."""

import math
from html import escape

from .table import case_of, frame_time, row_name, sorted_rows

COLOURS = {
    "runnel": "#c2185b", "onnxruntime": "#1565c0", "openvino": "#2e7d32", "torch": "#ef6c00", "tract": "#6d4c41",
    "litert": "#6a1b9a",
}
DASHES = {"f32": "", "f16": "8 3", "bf16": "4 3", "int8": "1.5 3"}

PANEL_WIDTH, PANEL_HEIGHT = 620, 440
LEFT, TOP, GAP, BOTTOM = 88, 56, 88, 56
LEGEND_ROW, LEGEND_COLUMNS = 20, 4


def svg(document):
    """The picture of a document with results."""
    results = [result for result in document["results"] if case_of(result).mode == "stream"]
    cells = [cell for cell in ("lstm", "gru") if any(result["cell"] == cell for result in results)]
    times = [frame_time(result) for result in results]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    rows = sorted_rows(results)
    samples = {row_name(result): result for result in results}
    legend = math.ceil(len(rows) / LEGEND_COLUMNS) * LEGEND_ROW
    width = LEFT + 2 * PANEL_WIDTH + GAP + 16
    height = TOP + PANEL_HEIGHT + BOTTOM + legend + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="16">Nanoseconds per frame, one stream, one core of '
        f'{escape(document["cpu"])}, {document["date"]}</text>',
    ]
    for index, cell in enumerate(cells):
        panel = [result for result in results if result["cell"] == cell]
        parts += panel_parts(cell, panel, LEFT + index * (PANEL_WIDTH + GAP), (low, high))
    parts += legend_parts(rows, samples, TOP + PANEL_HEIGHT + BOTTOM)
    return "\n".join(parts) + "\n</svg>\n"


def panel_parts(cell, results, left, decades):
    low, high = decades
    cases = list(dict.fromkeys(case_of(result) for result in results))

    def x(case):
        return left + (cases.index(case) + 0.5) * PANEL_WIDTH / len(cases)

    def y(time):
        return TOP + PANEL_HEIGHT * (high - math.log10(time)) / (high - low)

    parts = [f'<text x="{left}" y="{TOP - 12}" font-weight="bold">{cell.upper()}</text>']
    for decade in range(low, high + 1):
        at = y(10**decade)
        parts.append(f'<path d="M{left} {at:.1f}h{PANEL_WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{10**decade:,}</text>')
    for case in cases:
        parts.append(
            f'<text x="{x(case):.1f}" y="{TOP + PANEL_HEIGHT + 20}" text-anchor="middle" font-size="11">'
            f"{case.input},{case.hidden}</text>"
        )
    parts.append(
        f'<text x="{left + PANEL_WIDTH / 2}" y="{TOP + PANEL_HEIGHT + 40}" text-anchor="middle">input, hidden</text>'
    )
    for row in sorted_rows(results):
        points = [result for result in results if row_name(result) == row]
        line = " ".join(f"{x(case_of(point)):.1f},{y(frame_time(point)):.1f}" for point in points)
        parts.append(f'<polyline points="{line}" {stroke(points[0])}/>')
        parts += [
            f'<circle cx="{x(case_of(point)):.1f}" cy="{y(frame_time(point)):.1f}" r="2.5" '
            f'fill="{COLOURS[point["runtime"]]}"/>'
            for point in points
        ]
    return parts


def stroke(result):
    width = 3 if result["runtime"] == "runnel" else 1.5
    return (
        f'fill="none" stroke="{COLOURS[result["runtime"]]}" stroke-width="{width}" '
        f'stroke-dasharray="{DASHES[result["weights"]]}"'
    )


def legend_parts(rows, samples, top):
    column = (2 * PANEL_WIDTH + GAP) / LEGEND_COLUMNS
    parts = []
    for index, row in enumerate(rows):
        left = LEFT + index % LEGEND_COLUMNS * column
        at = top + index // LEGEND_COLUMNS * LEGEND_ROW + 10
        parts.append(f'<path d="M{left:.1f} {at}h32" {stroke(samples[row])}/>')
        parts.append(f'<text x="{left + 40:.1f}" y="{at + 4}">{escape(row)}</text>')
    return parts
