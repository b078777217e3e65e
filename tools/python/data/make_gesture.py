#!/usr/bin/env python3
"""Makes the data of models/gesture: small clips of a hand that moves, each frame with the gesture it belongs to.

    python3 tools/python/data/make_gesture.py models/gesture

A hand, drawn as a palm and a thumb, 8 by 8 pixels a frame, rests and makes one gesture after the other: a stroke to the
left, right, up or down, circles either way, nearer (larger) or farther (smaller). It starts each where the last one
ended. Light, background, size, tremor and noise differ from clip to clip. Needs only the standard library; the same
bytes every time.
"""

from dataclasses import dataclass, replace
from math import cos, exp, pi, sin

from draws import Draws
from files import folder_argument, write_lines

SEED = 3
TRAIN, TEST = 250, 50  # clips
FRAMES = 90  # of a clip
SIDE = 8  # pixels
LEVELS = 9  # pixels are whole numbers from 0 to this
LOW, HIGH = 1.2, 5.8  # where the middle of the palm can be, in pixels
SMALL, LARGE = 0.8, 1.7  # radius of the palm, in pixels

STROKES = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
TURNS = {"clockwise": 1, "anticlockwise": -1}  # y grows downwards
SCALINGS = {"nearer": 1, "farther": -1}
STILL = "still"
# How often each is tried; those that need more room fit less often, and circles last longer.
SHARES = {**dict.fromkeys(STROKES, 5), **dict.fromkeys(TURNS, 2), **dict.fromkeys(SCALINGS, 3)}


@dataclass(frozen=True)
class Hand:
    x: float  # columns from the left
    y: float  # rows from the top
    radius: float

    def fits(self):
        return LOW <= self.x <= HIGH and LOW <= self.y <= HIGH and SMALL <= self.radius <= LARGE


def stroke(hand, direction, draws):
    frames, speed = 8 + draws.below(7), draws.between(0.28, 0.55)
    dx, dy = direction
    return [replace(hand, x=hand.x + dx * speed * k, y=hand.y + dy * speed * k) for k in range(1, frames + 1)]


def circle(hand, turn, draws):
    """One to two rounds and a bit, from a point of the circle back to near it."""
    radius, start, step = draws.between(1.0, 2.0), draws.between(0, 2 * pi), turn * draws.between(0.4, 0.7)
    frames = int(draws.between(1.2, 2.2) * 2 * pi / abs(step))
    middle_x, middle_y = hand.x - radius * cos(start), hand.y - radius * sin(start)
    angles = [start + step * k for k in range(1, frames + 1)]
    return [replace(hand, x=middle_x + radius * cos(a), y=middle_y + radius * sin(a)) for a in angles]


def scaling(hand, sign, draws):
    frames, rate = 8 + draws.below(7), draws.between(0.035, 0.07)
    return [replace(hand, radius=hand.radius * (1 + rate) ** (sign * k)) for k in range(1, frames + 1)]


def gesture(hand, draws):
    """A gesture that fits into the picture from where the hand is: its name, and the hand in each of its frames."""
    while True:
        name = draws.weighted(SHARES)
        if name in STROKES:
            hands = stroke(hand, STROKES[name], draws)
        elif name in TURNS:
            hands = circle(hand, TURNS[name], draws)
        else:
            hands = scaling(hand, SCALINGS[name], draws)
        if all(moved.fits() for moved in hands):
            return name, hands


def motion(draws):
    """[(gesture, hand)] of a clip, frame by frame: rests and gestures in turn."""
    hand = Hand(draws.between(LOW, HIGH), draws.between(LOW, HIGH), draws.between(SMALL, LARGE))
    frames = []
    while len(frames) < FRAMES:
        frames += [(STILL, hand)] * (4 + draws.below(7))
        name, hands = gesture(hand, draws)
        frames += [(name, moved) for moved in hands]
        hand = hands[-1]
    return frames[:FRAMES]


@dataclass(frozen=True)
class Camera:
    """What does not change within a clip."""

    light: float  # of the hand
    background: float
    tremor: float  # pixels
    noise: float  # levels


def camera(draws):
    return Camera(
        light=draws.between(5.0, 7.5),
        background=draws.between(0.5, 2.0),
        tremor=draws.between(0.0, 0.06),
        noise=draws.between(0.1, 0.45),
    )


def near_normal(draws):
    """Mean 0, deviation 1, never beyond 3."""
    return 2 * (draws.unit() + draws.unit() + draws.unit() - 1.5)


def blob(column, row, x, y, radius):
    return exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * radius * radius))


def frame(hand, camera, draws):
    """SIDE * SIDE pixels, row by row."""
    x, y = (at + camera.tremor * near_normal(draws) for at in (hand.x, hand.y))
    thumb_x, thumb_y = x + 1.3 * hand.radius, y - 0.6 * hand.radius
    light = camera.light * draws.between(0.94, 1.06)
    pixels = []
    for row in range(SIDE):
        for column in range(SIDE):
            palm = blob(column, row, x, y, hand.radius)
            thumb = 0.6 * blob(column, row, thumb_x, thumb_y, 0.45 * hand.radius)
            level = camera.background + light * max(palm, thumb) + camera.noise * near_normal(draws)
            pixels.append(min(max(round(level), 0), LEVELS))
    return pixels


def clip(draws):
    """[(gesture, pixels)], frame by frame."""
    seen = camera(draws)
    return [(name, frame(hand, seen, draws)) for name, hand in motion(draws)]


def row_of(fields):
    return ",".join(str(field) for field in fields)


def main():
    folder = folder_argument("make_gesture.py MODEL_FOLDER")
    draws = Draws(SEED)
    pixels = [f"p{k}" for k in range(SIDE * SIDE)]
    for name, count in (("train", TRAIN), ("test", TEST)):
        clips = [clip(draws) for _ in range(count)]
        rows = [row_of([k, label, *seen]) for k, frames in enumerate(clips) for label, seen in frames]
        write_lines(folder / f"{name}.csv", [row_of(["sequence", "label", *pixels]), *rows])
    write_lines(folder / "sample.csv", [row_of(pixels), *(row_of(seen) for _, seen in clips[0])])


if __name__ == "__main__":
    main()
