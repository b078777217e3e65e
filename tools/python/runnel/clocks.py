"""When the frames of a stream are known."""

from typing import NamedTuple


class Clock(NamedTuple):
    """The steps at which the frames of a stream are known: `first`, first + hop, first + 2 hop and so on."""

    first: int = 0
    hop: int = 1

    def __str__(self):
        return "step " + ", ".join(str(self.first + self.hop * place) for place in range(3)) + ", …"

    def after(self, first, hop):
        """The clock of every hop-th frame from the first on, which are numbers of this clock's frames."""
        return Clock(self.first + self.hop * first, self.hop * hop)

    def within(self, other):
        """The first and the hop in frames of another clock; None if some frames are known at none of its steps."""
        first, hop = self.first - other.first, self.hop
        if first < 0 or first % other.hop or hop % other.hop:
            return None
        return first // other.hop, hop // other.hop

    def steps(self, count):
        """Those of so many steps at which a frame is known."""
        return range(self.first, count, self.hop)


EVERY_STEP = Clock()
