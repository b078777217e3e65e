"""Builds models operation by operation."""

from dataclasses import dataclass, replace

import numpy as np

from .model import INDEX, VECTOR, Input, Model, Operation, Output, Program, State, Tensor
from .operations import GATES, result_size
from .validation import validate


@dataclass(frozen=True)
class Slot:
    """A value of a step: an input, or an operation's result. `level` is the number of `every` that it stands behind."""

    index: int
    kind: str
    size: int
    level: int = 0


class Builder:
    """A model of one program.

    Inputs come first. Methods that add an operation give the slot of its result. Weights are arrays in the shapes
    and the order of gates that Format.md gives: i f g o for the LSTM, r z n for the GRU.
    """

    def __init__(self, name="step"):
        self._name = name
        self._inputs, self._operations, self._outputs = [], [], []
        self._levels = []  # of the operations
        self._slots, self._tensors, self._states = [], [], []

    # Ports

    def vector(self, name, size):
        """An input of `size` numbers."""
        return self._input(Input(name, VECTOR, size))

    def index(self, name, size):
        """An input of one index from 0 up to but not including `size`."""
        return self._input(Input(name, INDEX, size))

    def output(self, name, slot):
        """A part of the prediction."""
        self._outputs.append(Output(name, slot.index))

    # Cells; hidden and cell are what a reset gives, None for zeros

    def rnn(self, x, w, r, b, *, activation="tanh", name="rnn", hidden=None):
        """h' = f(W x + R h + b) for f = tanh or relu."""
        code = {"tanh": "rnnTanh", "relu": "rnnReLU"}[activation]
        return self._cell(code, x, (w, r, b), name, [("h", hidden)])

    def lstm(self, x, w, r, b, *, name="lstm", hidden=None, cell=None):
        """W [4H, I], R [4H, H], b [4H]."""
        return self._cell("lstm", x, (w, r, b), name, [("h", hidden), ("c", cell)])

    def gru_reset_after(self, x, w, r, b, d, *, name="gru", hidden=None):
        """W [3H, I], R [3H, H], b [3H], d [H]: n = tanh(W_n x + b_n + r (R_n h + d))."""
        return self._cell("gruResetAfter", x, (w, r, b, d), name, [("h", hidden)])

    def gru_reset_before(self, x, w, r, b, *, name="gru", hidden=None):
        """W [3H, I], R [3H, H], b [3H]: n = tanh(W_n x + R_n (r h) + b_n)."""
        return self._cell("gruResetBefore", x, (w, r, b), name, [("h", hidden)])

    # States of cells that are made of other operations

    def state(self, name, size, initial=None):
        """A state, which a reset sets to `initial`, or to zeros; gives its number."""
        if initial is None or not np.any(initial):
            self._states.append(State(name, size))
        else:
            self._states.append(State(name, size, self._named(name, ("initial", initial))[0]))
        return len(self._states) - 1

    def recall(self, state):
        """The state as it was before the step."""
        return self._add("recall", [], states=[state])

    def store(self, x, state):
        """Makes x the next value of the state."""
        return self._add("store", [x], states=[state])

    # Frames of other steps

    def window(self, x, count, dilation=1, *, name="window"):
        """The frames x of `dilation` (count - 1), …, `dilation` and 0 steps ago; zeros before the first one."""
        state = self.state(name, (count - 1) * dilation * x.size)
        return self._add("window", [x], states=[state], dilation=dilation)

    def every(self, x, stride, first=0, *, name="every"):
        """x in one step of `stride`; the others end here, and `first` steps do before the first one that goes on."""
        passed = self._add("every", [x], states=[self.state(name, 1, [first])], stride=stride)
        return replace(passed, level=x.level + 1)

    def reverse(self, x):
        """The x of the last frame for the first one, and so on; the program then takes whole sequences."""
        return self._add("reverse", [x])

    @property
    def takes_whole_sequences(self):
        """Whether there is a `reverse`."""
        return any(operation.name == "reverse" for operation in self._operations)

    # Other operations

    def dense(self, x, w, b=None, *, name="dense"):
        """W x + b, with W [O, I]."""
        w = np.asarray(w)
        b = np.zeros(len(w)) if b is None else b
        return self._add("dense", [x], self._named(name, ("weight", w), ("bias", b)))

    def embedding(self, index, table, *, name="embedding"):
        """The row of the table that the index names."""
        return self._add("embedding", [index], self._named(name, ("table", table)))

    def affine(self, x, scale, shift, *, name="affine"):
        """x scale + shift, element by element; numbers stand for vectors of them."""
        return self._weighted("affine", x, name, scale=scale, shift=shift)

    def prelu(self, x, slope, *, name="prelu"):
        """max(x, 0) + slope min(x, 0); a number stands for a vector of it."""
        return self._weighted("prelu", x, name, slope=slope)

    def clip(self, x, low, high, *, name="clip"):
        """max(min(x, high), low); numbers stand for vectors of them."""
        return self._weighted("clip", x, name, low=low, high=high)

    def elu(self, x, scale=1, *, name="elu"):
        """max(x, 0) + scale (exp(min(x, 0)) - 1); a number stands for a vector of it."""
        return self._weighted("elu", x, name, scale=scale)

    def gather(self, x, numbers, *, name="gather"):
        """The elements of x with these numbers, and 0 where a number is -1."""
        return self._add("gather", [x], self._named(name, ("numbers", numbers)))

    def convolution(self, x, w, b=None, stride=1, *, name="convolution"):
        """W times each window of K elements of x, `stride` elements apart, + b, with W [O, K]."""
        w = np.asarray(w)
        b = np.zeros(len(w)) if b is None else b
        return self._add("convolution", [x], self._named(name, ("weight", w), ("bias", b)), stride=stride)

    def depthwise(self, x, w, b=None, stride=1, *, name="depthwise"):
        """The sum of W_k times row k, element by element, for windows of K rows, + b, with W [K, C]."""
        w = np.asarray(w)
        b = np.zeros(w.shape[-1]) if b is None else b
        return self._add("depthwise", [x], self._named(name, ("weight", w), ("bias", b)), stride=stride)

    def maximum(self, x, width, count, stride):
        """The largest, element by element, of `count` rows of `width` elements, for windows `stride` elements apart."""
        return self._add("maximum", [x], width=width, count=count, stride=stride)

    def layer_norm(self, x, scale, shift, epsilon, *, name="norm"):
        """(x - mean) / sqrt(variance + epsilon) scale + shift, over all elements of x."""
        vectors = [(key, np.broadcast_to(value, x.size)) for key, value in (("scale", scale), ("shift", shift))]
        return self._add("layerNorm", [x], self._named(name, *vectors, ("epsilon", [epsilon])))

    def tanh(self, x):
        return self._add("tanh", [x])

    def sigmoid(self, x):
        return self._add("sigmoid", [x])

    def relu(self, x):
        return self._add("relu", [x])

    def softmax(self, x):
        return self._add("softmax", [x])

    def softplus(self, x):
        """log(1 + exp(x))"""
        return self._add("softplus", [x])

    def gelu(self, x):
        """x times the normal distribution's probability of less than x."""
        return self._add("gelu", [x])

    def square_root(self, x):
        return self._add("squareRoot", [x])

    def exponential(self, x):
        return self._add("exponential", [x])

    def logarithm(self, x):
        """The natural logarithm."""
        return self._add("logarithm", [x])

    def error_function(self, x):
        return self._add("errorFunction", [x])

    def add(self, x, y):
        return self._add("add", [x, y])

    def multiply(self, x, y):
        return self._add("multiply", [x, y])

    def divide(self, x, y):
        """x / y"""
        return self._add("divide", [x, y])

    def concatenate(self, parts):
        return self._add("concatenate", list(parts))

    def model(self, metadata=None, tolerance=0.0, golden=()):
        """The model. Raises ModelError if it breaks a rule of the format."""
        program = Program(self._name, tuple(self._inputs), *self._ordered())
        model = Model(
            tuple(self._states), (program,), tuple(self._tensors), dict(metadata or {}), tolerance, tuple(golden)
        )
        validate(model)
        return model

    def _ordered(self):
        """The operations by level, an `every` behind the others of its own, and the outputs of the slots then."""
        start = len(self._inputs)

        def rank(place):
            return self._levels[place], self._operations[place].name == "every"

        order = sorted(range(len(self._operations)), key=rank)
        slots = [*range(start), *(start + place for place in order)]
        moved = {slot: place for place, slot in enumerate(slots)}
        operations = (self._operations[place] for place in order)
        return (
            tuple(replace(entry, operands=tuple(moved[slot] for slot in entry.operands)) for entry in operations),
            tuple(replace(port, slot=moved[port.slot]) for port in self._outputs),
        )

    def _input(self, port):
        if self._operations:
            raise ValueError(f"input {port.name!r} must come before the first operation")
        self._inputs.append(port)
        return self._slot(port.kind, port.size)

    def _slot(self, kind, size):
        self._slots.append((kind, size))
        return Slot(len(self._slots) - 1, kind, size)

    def _cell(self, code, x, weights, name, states):
        size = len(weights[1]) // GATES[code]
        tensors = self._named(name, *zip(("weight", "recurrent", "bias", "candidateBias"), weights))
        return self._add(code, [x], tensors, [self.state(f"{name}.{key}", size, value) for key, value in states])

    def _weighted(self, code, x, name, **vectors):
        parts = [(key, np.broadcast_to(np.asarray(value, np.float64), x.size)) for key, value in vectors.items()]
        return self._add(code, [x], self._named(name, *parts))

    def _named(self, name, *parts):
        start = len(self._tensors)
        self._tensors += [Tensor.of(f"{name}.{key}", values) for key, values in parts]
        return tuple(range(start, len(self._tensors)))

    def _add(self, code, operands, tensors=(), states=(), **attributes):
        places = tuple(slot.index for slot in operands)
        operation = Operation(code, places, tuple(tensors), tuple(states), **attributes)
        size = result_size(operation, self._slots, self._tensors, self._states)
        level = max((slot.level for slot in operands), default=0)
        self._operations.append(operation)
        self._levels.append(level)
        return replace(self._slot(VECTOR, size), level=level)
