"""What a .runnel file says, as data: see Format.md of the runtime's documentation."""

from dataclasses import dataclass, field

import numpy as np

# The types of stored numbers. bf16 is held as the upper 16 bits of a float32.
STORAGE = {"f32": np.dtype("<f4"), "f16": np.dtype("<f2"), "bf16": np.dtype("<u2"), "int8": np.dtype("i1")}

VECTOR, INDEX = "vector", "index"


@dataclass(frozen=True, eq=False)
class Tensor:
    """Weights: a vector, or a matrix whose rows stand one behind the other.

    data has the type that STORAGE gives; scales, one float32 a row, go with int8.
    """

    name: str
    type: str
    data: np.ndarray
    scales: np.ndarray | None = None

    @classmethod
    def of(cls, name, values):
        """A tensor of 32-bit floats."""
        return cls(name, "f32", np.ascontiguousarray(values, STORAGE["f32"]))

    @property
    def shape(self):
        return self.data.shape

    def doubles(self):
        """The numbers that the tensor stands for."""
        if self.type == "bf16":
            return (self.data.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        values = self.data.astype(np.float64)
        if self.type == "int8":
            scales = self.scales.astype(np.float64)
            return values * scales.reshape(-1, *[1] * (values.ndim - 1))
        return values


@dataclass(frozen=True)
class State:
    """A vector that lives from step to step; a reset sets it to the tensor `initial`, or to zeros."""

    name: str
    size: int
    initial: int | None = None


@dataclass(frozen=True)
class Input:
    """A part of a frame: `size` numbers, or one index below `size`."""

    name: str
    kind: str
    size: int

    @property
    def width(self):
        """How many numbers of the frame it takes."""
        return 1 if self.kind == INDEX else self.size


@dataclass(frozen=True)
class Operation:
    """What fills the next slot; the name is that of the table in operations.py."""

    name: str
    operands: tuple[int, ...]
    tensors: tuple[int, ...] = ()
    states: tuple[int, ...] = ()
    accuracy: str = "exact"
    input_bits: int = 16
    stride: int = 1
    width: int = 1
    count: int = 1
    dilation: int = 1

    @property
    def written_states(self):
        """The states that the operation replaces; it reads them as they were before the step."""
        return () if self.name == "recall" else self.states


@dataclass(frozen=True)
class Output:
    """A part of a prediction."""

    name: str
    slot: int


@dataclass(frozen=True)
class Program:
    """What a step computes. Slots are the inputs, then the operations' results."""

    name: str
    inputs: tuple[Input, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[Output, ...]

    @property
    def frame_size(self):
        return sum(port.width for port in self.inputs)

    @property
    def takes_whole_sequences(self):
        """Whether all frames have to be known before the first prediction is given."""
        return any(operation.name == "reverse" for operation in self.operations)


@dataclass(frozen=True, eq=False)
class GoldenRun:
    """Frames, shape [count, frame size], with the predictions, [count, prediction size], that they must give."""

    program: int
    resets: bool
    frames: np.ndarray
    predictions: np.ndarray


@dataclass(frozen=True, eq=False)
class Model:
    states: tuple[State, ...]
    programs: tuple[Program, ...]
    tensors: tuple[Tensor, ...]
    metadata: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tolerance: float = 0.0
    golden: tuple[GoldenRun, ...] = ()
