"""The operations of a program: codes, what each takes, and the size of its result."""

from dataclasses import dataclass

import numpy as np

from .errors import ModelError
from .model import INDEX

# The gates of each cell, in the order of the rows of its matrices.
GATES = {"rnnTanh": 1, "rnnReLU": 1, "lstm": 4, "gruResetAfter": 3, "gruResetBefore": 3}


@dataclass(frozen=True)
class Rule:
    """What an operation takes; `operands` is None where it takes one or more."""

    code: int
    operands: int | None = 1
    tensors: int = 0
    states: int = 0
    matrices: int = 0  # how many of the tensors, from the first, are factors of products
    has_activations: bool = False
    numbers: tuple[str, ...] = ()  # of the attributes that are numbers, those that it takes


RULES = {
    "rnnTanh": Rule(1, tensors=3, states=1, matrices=2, has_activations=True),
    "rnnReLU": Rule(2, tensors=3, states=1, matrices=2),
    "lstm": Rule(3, tensors=3, states=2, matrices=2, has_activations=True),
    "gruResetAfter": Rule(4, tensors=4, states=1, matrices=2, has_activations=True),
    "gruResetBefore": Rule(5, tensors=3, states=1, matrices=2, has_activations=True),
    "dense": Rule(16, tensors=2, matrices=1),
    "embedding": Rule(17, tensors=1),
    "affine": Rule(18, tensors=2),
    "prelu": Rule(19, tensors=1),
    "clip": Rule(20, tensors=2),
    "elu": Rule(21, tensors=1),
    "layerNorm": Rule(22, tensors=3),
    "gather": Rule(23, tensors=1),
    "convolution": Rule(24, tensors=2, matrices=1, numbers=("stride",)),
    "depthwise": Rule(25, tensors=2, numbers=("stride",)),
    "maximum": Rule(26, numbers=("stride", "width", "count")),
    "tanh": Rule(32, has_activations=True),
    "sigmoid": Rule(33, has_activations=True),
    "relu": Rule(34),
    "softmax": Rule(35),
    "softplus": Rule(36),
    "gelu": Rule(37),
    "squareRoot": Rule(38),
    "exponential": Rule(39),
    "logarithm": Rule(40),
    "errorFunction": Rule(41),
    "add": Rule(48, operands=2),
    "multiply": Rule(49, operands=2),
    "concatenate": Rule(50, operands=None),
    "divide": Rule(51, operands=2),
    "recall": Rule(64, operands=0, states=1),
    "store": Rule(65, states=1),
    "window": Rule(66, states=1, numbers=("dilation",)),
    "every": Rule(67, states=1, numbers=("stride",)),
    "reverse": Rule(68),
}
NAMES = {rule.code: name for name, rule in RULES.items()}

# The attributes that are numbers, each 1 unless told otherwise.
NUMBERS = ("stride", "width", "count", "dilation")
LARGEST_NUMBER = 65_535

# Products of an operation on windows.
MAX_PRODUCTS = 1 << 28


def result_size(operation, slots, tensors, states):
    """The size of an operation's result, after checking all that it takes.

    slots are (kind, size) of the slots before it; tensors and states are the model's. Raises ModelError.
    """
    rule = RULES[operation.name]
    expected = max(1, len(operation.operands)) if rule.operands is None else rule.operands
    _require(len(operation.operands) == expected, operation, f"takes {expected} operands")
    _require(len(operation.tensors) == rule.tensors, operation, f"takes {rule.tensors} tensors")
    _require(len(operation.states) == rule.states, operation, f"takes {rule.states} states")
    for what, indices, count in (
        ("slot", operation.operands, len(slots)),
        ("tensor", operation.tensors, len(tensors)),
        ("state", operation.states, len(states)),
    ):
        for index in indices:
            _require(0 <= index < count, operation, f"names {what} {index}, and there are {count} before it")
    _require(operation.accuracy in ("exact", "fast"), operation, f"cannot have the accuracy {operation.accuracy!r}")
    _require(operation.accuracy == "exact" or rule.has_activations, operation, "has no activations to be fast")
    _require(
        operation.input_bits == 16 or operation.input_bits == 8 and rule.matrices,
        operation,
        f"cannot have inputBits {operation.input_bits}",
    )
    for name in NUMBERS:
        value = getattr(operation, name)
        _require(value == 1 or name in rule.numbers, operation, f"takes no {name}")
        _require(1 <= value <= LARGEST_NUMBER, operation, f"has the {name} {value}; expected 1 to {LARGEST_NUMBER}")
    operands = [slots[index] for index in operation.operands]
    shapes = [tuple(tensors[index].shape) for index in operation.tensors]
    sizes = [states[index].size for index in operation.states]

    if operation.name == "recall":
        return sizes[0]
    if operation.name == "embedding":
        kind, size = operands[0]
        _require(kind == INDEX, operation, "takes an index")
        _require(len(shapes[0]) == 2 and shapes[0][0] == size, operation, f"takes a table of {size} rows")
        return shapes[0][1]
    for kind, _ in operands:
        _require(kind != INDEX, operation, "takes vectors, not an index")
    size = operands[0][1]
    if operation.name in GATES:
        hidden = sizes[0]
        rows = GATES[operation.name] * hidden
        wanted = [(rows, size), (rows, hidden), (rows,), (hidden,)][: rule.tensors]
        _require(shapes == wanted, operation, f"takes tensors of the shapes {wanted}, not {shapes}")
        _require(all(other == hidden for other in sizes), operation, "takes states of one size")
        return hidden
    if operation.name == "dense":
        rows = shapes[0][0]
        _require(shapes == [(rows, size), (rows,)], operation, f"takes W [O, {size}] and b [O], not {shapes}")
        return rows
    if operation.name == "gather":
        _require(len(shapes[0]) == 1, operation, f"takes numbers [O], not {shapes[0]}")
        _gathered(operation, tensors[operation.tensors[0]], size)
        return shapes[0][0]
    if operation.name == "convolution":
        rows, taken = shapes[0][0], shapes[0][-1]
        _require(shapes == [(rows, taken), (rows,)], operation, f"takes W [O, K] and b [O], not {shapes}")
        return _windows(operation, size, taken, rows) * rows
    if operation.name == "depthwise":
        rows, width = shapes[0][0], shapes[0][-1]
        _require(shapes == [(rows, width), (width,)], operation, f"takes W [K, C] and b [C], not {shapes}")
        return _windows(operation, size, rows * width) * width
    if operation.name == "maximum":
        return _windows(operation, size, operation.count * operation.width) * operation.width
    if operation.name == "window":
        step = size * operation.dilation
        _require(sizes[0] % step == 0, operation, f"takes a state of a multiple of {step} elements, not of {sizes[0]}")
        return size * (1 + sizes[0] // step)
    if operation.name == "every":
        _require(sizes[0] == 1, operation, f"takes a state of one element, not of {sizes[0]}")
    if operation.name == "store":
        _require(size == sizes[0], operation, f"takes a vector of {sizes[0]}, as its state is, not of {size}")
    if operation.name == "concatenate":
        return sum(size for _, size in operands)
    # What is left goes element by element, with vectors for tensors; a layer norm's epsilon is one number.
    wanted = [(size,), (size,), (1,)][: rule.tensors]
    _require(shapes == wanted, operation, f"takes tensors of the shapes {wanted}, not {shapes}")
    _require(all(other == size for _, other in operands), operation, "takes operands of one size")
    return size


def _gathered(operation, tensor, size):
    """Refuses numbers of elements that are none."""
    _require(tensor.type == "f32", operation, f"takes numbers of the type f32, not {tensor.type}")
    numbers = tensor.data
    bad = np.flatnonzero((numbers != np.floor(numbers)) | (numbers < -1) | (numbers >= size))
    if len(bad):
        where = f"element {numbers[bad[0]]:g} at {bad[0]}"
        raise ModelError(f"operation {operation.name} names {where}; expected whole numbers from -1 to {size - 1}")


def _windows(operation, size, taken, rows=1):
    """How many windows of so many elements there are, each multiplied by so many rows."""
    _require(taken <= size, operation, f"takes windows of {taken} elements from a vector of {size}")
    count = (size - taken) // operation.stride + 1
    products = count * taken * rows
    _require(products <= MAX_PRODUCTS, operation, f"takes {products} products; expected at most {MAX_PRODUCTS}")
    return count


def _require(condition, operation, text):
    if not condition:
        raise ModelError(f"operation {operation.name} {text}")
