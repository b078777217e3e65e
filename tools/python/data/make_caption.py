#!/usr/bin/env python3
"""Makes the data of models/caption: images of up to three handwritten digits, and a sentence that describes each.

    python3 tools/python/data/make_caption.py models/caption

The digits are the 1,797 images of 8 by 8 pixels that scikit-learn carries (load_digits). An image is 8 rows by 24
columns: a left, a middle and a right place, each empty or with a digit, which may be faint. Test images are composed of
the last digits of scikit-learn's file alone, which no training image uses. One image has one right sentence. Needs
scikit-learn; the same bytes every time.
"""

from sklearn.datasets import load_digits

from captions import FAINT, NAMES, PLACES, SIDE, Thing, caption
from draws import Draws
from files import folder_argument, write_lines, write_pairs

SEED = 2
TRAIN, TEST = 6_500, 1_000
TEST_DIGITS = 360
SAMPLE = 5
SHARES = {0: 2, 1: 18, 2: 40, 3: 40}  # digits in an image -> how often
REPEATED = 0.2  # share of the images that show one digit several times
FAINT_SHARE = 0.35


def scene(draws):
    """Up to three things, at random."""
    count = draws.weighted(SHARES)
    places = sorted(draws.shuffled(range(len(PLACES)))[:count])
    digits = [draws.below(len(NAMES)) for _ in places]
    if draws.chance(REPEATED):
        digits = [digits[0] for _ in digits] if digits else []
    return [Thing(place, digit, draws.chance(FAINT_SHARE)) for place, digit in zip(places, digits)]


def image(things, bitmaps, draws):
    """[SIDE, 3 * SIDE] whole numbers from 0 to 16, row by row; bitmaps holds those of each digit."""
    pixels = [[0] * (SIDE * len(PLACES)) for _ in range(SIDE)]
    for thing in things:
        bitmap = draws.choice(bitmaps[thing.digit])
        for row in range(SIDE):
            for column in range(SIDE):
                value = int(bitmap[row][column])
                pixels[row][thing.place * SIDE + column] = value // FAINT if thing.faint else value
    return " ".join(str(value) for row in pixels for value in row)


def examples(count, bitmaps, draws, taken):
    """Pairs of image and sentence: no image twice, nor one of those taken, which it adds to."""
    pairs = []
    while len(pairs) < count:
        things = scene(draws)
        pixels = image(things, bitmaps, draws)
        if pixels in taken:
            continue
        taken.add(pixels)
        pairs.append((pixels, caption(things)))
    return pairs


def digits_by_name(images, labels):
    return [[image for image, label in zip(images, labels) if label == digit] for digit in range(len(NAMES))]


def main():
    folder = folder_argument("make_caption.py MODEL_FOLDER")
    digits = load_digits()
    draws, taken = Draws(SEED), set()
    for name, part, count in [("train", slice(-TEST_DIGITS), TRAIN), ("test", slice(-TEST_DIGITS, None), TEST)]:
        bitmaps = digits_by_name(digits.images[part], digits.target[part])
        pairs = examples(count, bitmaps, draws, taken)
        write_pairs(folder / f"{name}.tsv", pairs)
        if name == "test":
            write_lines(folder / "sample.txt", [pixels for pixels, _ in pairs[:SAMPLE]])


if __name__ == "__main__":
    main()
