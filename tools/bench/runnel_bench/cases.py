"""What is measured: cells, sizes, ways of calling, types of weights."""

from dataclasses import asdict, dataclass

CELLS = ["lstm", "gru"]

#: (input, hidden), from a cell that is all overhead to one that no cache near the core holds.
SIZES = [
    (1, 8), (1, 16), (1, 32), (1, 40), (1, 64), (8, 24), (32, 64), (64, 128), (40, 256), (128, 512), (256, 1024),
]
#: The sizes of the modes that have more than one frame in a call.
WIDE_SIZES = [(64, 128), (40, 256)]
QUICK_SIZES = [(1, 32), (64, 128)]

STREAMS = 64
SEQUENCE = 1000

#: Types of weights, in the order of the tables.
WEIGHT_TYPES = ["f32", "f16", "bf16", "int8"]

#: What the outputs of a type may differ by from the reference in float64. A cell's outputs are in -1…1. f32 is held
#: to the tolerance that Runnel promises; the others show that the same cell was computed with weights of that type:
#: a wrong gate order, bias or reset variant is off by 0.1 and more.
TOLERANCES = {"f32": 1e-5, "f16": 2e-3, "bf16": 1e-2, "int8": 2e-2}


@dataclass(frozen=True)
class Case:
    """A cell of a size, and how many frames of how many streams a call takes."""

    cell: str
    input: int
    hidden: int
    streams: int = 1
    frames: int = 1

    @property
    def mode(self):
        if self.streams > 1:
            return "streams"
        return "sequence" if self.frames > 1 else "stream"

    @property
    def title(self):
        ways = {"stream": "", "streams": f", {self.streams} streams", "sequence": f", {self.frames} frames a call"}
        return f"{self.cell.upper()} ({self.input}, {self.hidden}){ways[self.mode]}"

    def as_dict(self):
        return asdict(self)


def cases(sizes):
    """All cases of these sizes, in the order of the tables."""
    wide = [size for size in sizes if size in WIDE_SIZES]
    return (
        [Case(cell, *size) for cell in CELLS for size in sizes]
        + [Case(cell, *size, streams=STREAMS) for cell in CELLS for size in wide]
        + [Case(cell, *size, frames=SEQUENCE) for cell in CELLS for size in wide]
    )


def parsed_sizes(text):
    """'1x8,64x128' as [(1, 8), (64, 128)].

    Raises ValueError with what was found and expected.
    """
    sizes = []
    for part in text.split(","):
        numbers = part.strip().split("x")
        if len(numbers) != 2 or not all(number.isdecimal() and int(number) > 0 for number in numbers):
            raise ValueError(f"found the size '{part.strip()}', expected INPUTxHIDDEN, such as 64x128")
        sizes.append((int(numbers[0]), int(numbers[1])))
    return sizes
