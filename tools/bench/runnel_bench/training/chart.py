"""The rates as an SVG: characters a second by units, a panel a cell."""

import math
from html import escape

from ..chart import COLOURS

WIDTH, HEIGHT, LEFT, TOP, GAP, BOTTOM = 420, 320, 88, 64, 88, 84
#: Dashes by what the network takes.
DASHES = {"one-hot": "", "index": "6 4"}
TRAINERS = {"runnel": "Runnel", "torch": "PyTorch"}
INPUTS = {"one-hot": "one-hot", "index": "embedding"}


def svg(document):
    speeds = document["speeds"]
    cells = list(dict.fromkeys(result["cell"] for result in speeds))
    rates = [result[trainer] for result in speeds for trainer in TRAINERS]
    decades = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    width, height = LEFT + len(cells) * (WIDTH + GAP), TOP + HEIGHT + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="16">Characters a second while training, {document["threads"]} threads, '
        f"{escape(document['cpu'])}, {document['date']}</text>",
    ]
    for index, cell in enumerate(cells):
        panel = [result for result in speeds if result["cell"] == cell]
        parts += panel_parts(cell, panel, LEFT + index * (WIDTH + GAP), decades)
    for index, (trainer, kind) in enumerate((trainer, kind) for trainer in TRAINERS for kind in DASHES):
        x, y = LEFT + index * 180, height - 16
        parts.append(f'<path d="M{x} {y - 4}h28" {stroke(trainer, kind)}/>')
        parts.append(f'<text x="{x + 34}" y="{y}">{TRAINERS[trainer]}, {INPUTS[kind]}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def panel_parts(cell, results, left, decades):
    low, high = decades
    units = sorted({result["units"] for result in results})

    def x(size):
        return left + (units.index(size) + 0.5) * WIDTH / len(units)

    def y(rate):
        return TOP + HEIGHT * (high - math.log10(rate)) / (high - low)

    parts = [f'<text x="{left}" y="{TOP - 12}" font-weight="bold">{cell.upper()}</text>']
    for decade in range(low, high + 1):
        at = y(10**decade)
        parts.append(f'<path d="M{left} {at:.1f}h{WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{10**decade:,}</text>')
    for size in units:
        parts.append(f'<text x="{x(size):.1f}" y="{TOP + HEIGHT + 20}" text-anchor="middle">{size}</text>')
    parts.append(f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 40}" text-anchor="middle">units</text>')
    for trainer in TRAINERS:
        for kind in DASHES:
            line = sorted((r for r in results if r["input"] == kind), key=lambda result: result["units"])
            if not line:
                continue
            points = [(x(result["units"]), y(result[trainer])) for result in line]
            text = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
            parts.append(f'<polyline points="{text}" {stroke(trainer, kind)}/>')
            parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5" fill="{COLOURS[trainer]}"/>' for a, b in points]
    return parts


def stroke(trainer, kind):
    width = 3 if trainer == "runnel" else 1.5
    dashes = f' stroke-dasharray="{DASHES[kind]}"' if DASHES[kind] else ""
    return f'fill="none" stroke="{COLOURS[trainer]}" stroke-width="{width}"{dashes}'
