"""The images of make_caption.py and the sentences that describe them: which sentence is the right one."""

from dataclasses import dataclass

SIDE = 8  # rows of an image, and columns of one place
FAINT = 3  # by which the pixels of a faint digit are divided, rounded down
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PLURALS = ["zeros", "ones", "twos", "threes", "fours", "fives", "sixes", "sevens", "eights", "nines"]
PLACES = ["on the left", "in the middle", "on the right"]


@dataclass(frozen=True)
class Thing:
    """A digit in a place."""

    place: int  # 0 to 2, from the left
    digit: int
    faint: bool

    def name(self):
        if self.faint:
            return f"a faint {NAMES[self.digit]}"
        return f"{'an' if self.digit == 8 else 'a'} {NAMES[self.digit]}"


def listed(parts):
    """As English lists things: one , two and three."""
    return " and ".join([" , ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def caption(things):
    """The sentence for the things of an image, from left to right."""
    if not things:
        return "nothing"
    full = len(things) == len(PLACES)
    if len(things) > 1 and len({thing.digit for thing in things}) == 1:
        number, plural = NAMES[len(things)], PLURALS[things[0].digit]
        if len({thing.faint for thing in things}) == 1:
            group = f"{number} {'faint ' if things[0].faint else ''}{plural}"
            return group if full else f"{group} , " + listed([PLACES[thing.place] for thing in things])
        kinds = ["a faint one" if thing.faint else "a bright one" for thing in things]
        return f"{number} {plural} , " + listed([f"{k} {PLACES[t.place]}" for k, t in zip(kinds, things)])
    if full:
        return listed([thing.name() for thing in things])
    return listed([f"{thing.name()} {PLACES[thing.place]}" for thing in things])
