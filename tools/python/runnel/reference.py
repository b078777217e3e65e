"""Runs models with NumPy in double precision: slow, and as simple as the definitions in Format.md."""

import math

import numpy as np

from .model import INDEX
from .operations import GATES, RULES
from .validation import program_sizes, validate

SMALLEST = 2.0**-60  # vectors without a larger magnitude have products of zero with int8


class Session:
    """The state of one stream of a model."""

    def __init__(self, model):
        validate(model)
        self.model = model
        self._tensors = [tensor.doubles() for tensor in model.tensors]
        self._bounds = _bounds(model, self._tensors)
        self.reset()

    def reset(self):
        """All states become what they are before the first frame."""
        self.states = [
            np.zeros(state.size) if state.initial is None else self._tensors[state.initial].copy()
            for state in self.model.states
        ]

    def step(self, frame, program=0):
        """The prediction for a frame: both are vectors, the parts side by side.

        None if the step ends at an `every`. Raises ValueError for a frame of another size, for an index that is none,
        and for a program of whole sequences.
        """
        program = self.model.programs[program]
        if program.takes_whole_sequences:
            raise ValueError(f"program {program.name!r} takes whole sequences and has no steps; expected a call of run")
        slots = _inputs(program, frame)
        if not self._advanced(program.operations, slots):
            return None
        return _outputs(program, slots)

    def run(self, frames, program=0):
        """The predictions for frames, one a row; zeros for the steps that end at an `every`. Raises as step does."""
        if self.model.programs[program].takes_whole_sequences:
            return self._whole(frames, self.model.programs[program])
        _, size = program_sizes(self.model, self.model.programs[program])
        predictions = [self.step(frame, program) for frame in frames]
        return np.stack([np.zeros(size) if prediction is None else prediction for prediction in predictions])

    def _whole(self, frames, program):
        """The predictions of a program of whole sequences, one stage between `reverse` after the other."""
        rows, stage = [_inputs(program, frame) for frame in frames], []
        for operation in (*program.operations, None):
            if operation is not None and operation.name != "reverse":
                stage.append(operation)
                continue
            for slots in rows:
                self._advanced(stage, slots)
            stage = []
            if operation is not None:
                (place,) = operation.operands
                for slots, value in zip(rows, [slots[place] for slots in reversed(rows)]):
                    slots.append(value)
        return np.stack([_outputs(program, slots) for slots in rows])

    def _advanced(self, operations, slots):
        """Adds the operations' results to the slots; whether the step goes on to the end."""
        following, goes_on = list(self.states), True
        for operation in operations:
            result = self._result(operation, [slots[index] for index in operation.operands], following)
            goes_on = result is not None
            if not goes_on:
                break
            slots.append(result)
        self.states = following
        return goes_on

    def _result(self, operation, operands, following):
        tensors = [self._tensors[index] for index in operation.tensors]
        states = [self.states[index] for index in operation.states]
        rounded = self._rounding(operation)
        if operation.name in GATES:
            # Nobody rounds the hidden state by its own size where its size is bounded.
            bound = self._bounds.get(operation.states[0])
            results = _CELLS[operation.name](rounded, bound, operands[0], *tensors, *states)
            for index, value in zip(operation.states, results):
                following[index] = value
            return results[0]
        if operation.name == "recall":
            return states[0]
        if operation.name == "store":
            following[operation.states[0]] = operands[0]
            return operands[0]
        if operation.name == "window":
            (x,), (past,) = operands, states
            following[operation.states[0]] = np.concatenate([past, x])[len(x) :]
            return np.concatenate([past.reshape(-1, len(x))[:: operation.dilation].ravel(), x])
        if operation.name == "every":
            goes_on = states[0][0] < 0.5
            following[operation.states[0]] = np.full(1, operation.stride - 1.0) if goes_on else states[0] - 1
            return operands[0] if goes_on else None
        if operation.name == "dense":
            return tensors[0] @ rounded(operands[0], None) + tensors[1]
        if operation.name == "convolution":
            w, b = tensors
            windows = _windows(operands[0], w.shape[1], operation.stride)
            return np.concatenate([w @ rounded(window, None) + b for window in windows])
        if operation.name == "depthwise":
            w, b = tensors
            windows = _windows(operands[0], w.size, operation.stride)
            return np.concatenate([(w * window.reshape(w.shape)).sum(axis=0) + b for window in windows])
        if operation.name == "maximum":
            windows = _windows(operands[0], operation.count * operation.width, operation.stride)
            return np.concatenate([window.reshape(-1, operation.width).max(axis=0) for window in windows])
        return _PLAIN[operation.name](*operands, *tensors)

    def _rounding(self, operation):
        types = {self.model.tensors[index].type for index in operation.tensors[: RULES[operation.name].matrices]}
        if types == {"bf16"}:
            return lambda x, bound: _bfloat16(x)
        if types == {"int8"}:
            return lambda x, bound: _integers(x, bound, 127 if operation.input_bits == 8 else 32767)
        return lambda x, bound: x


def _inputs(program, frame):
    """The slots that a frame fills."""
    frame = np.asarray(frame, np.float64).ravel()
    if frame.size != program.frame_size:
        raise ValueError(f"a frame of {frame.size} numbers; expected {program.frame_size}")
    slots, start = [], 0
    for port in program.inputs:
        part = frame[start : start + port.width]
        slots.append(_index(part[0], port) if port.kind == INDEX else part)
        start += port.width
    return slots


def _outputs(program, slots):
    return np.concatenate([slots[port.slot] for port in program.outputs])


def _windows(x, size, stride):
    """The windows of so many elements, from the start on."""
    return [x[start : start + size] for start in range(0, len(x) - size + 1, stride)]


def _index(value, port):
    if not (0 <= value < port.size and value == np.floor(value)):
        raise ValueError(f"{value} is not an index of {port.name!r}, a whole number from 0 to {port.size - 1}")
    return int(value)


def _bounds(model, tensors):
    """For each hidden state that only bounded cells change, the largest magnitude that it can have."""
    changes = {}
    for operation in (operation for program in model.programs for operation in program.operations):
        for place, index in enumerate(operation.written_states):
            is_bounded = place == 0 and RULES[operation.name].has_activations
            changes[index] = changes.get(index, True) and is_bounded
    bounds = {}
    for index, is_bounded in changes.items():
        if is_bounded:
            initial = model.states[index].initial
            bounds[index] = 1.0 if initial is None else max(1.0, np.abs(tensors[initial]).max())
    return bounds


def _bfloat16(x):
    bits = x.astype(np.float32).view(np.uint32)
    # Half of the last kept bit, less one if that bit is even: ties go to even.
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(np.float64)


def _integers(x, bound, limit):
    x = x.astype(np.float32)
    bound = np.float32(np.abs(x).max() if bound is None else bound)
    if bound < SMALLEST:
        return np.zeros(x.shape)
    return np.rint(x * (np.float32(limit) / bound)).astype(np.float64) * (float(bound) / limit)


def _sigmoid(x):
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def _softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def _layer_norm(x, scale, shift, epsilon):
    return (x - x.mean()) / np.sqrt(x.var() + epsilon) * scale + shift


def _gelu(x):
    return x * np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in x])


def _rnn(function):
    def cell(rounded, bound, x, w, r, b, h):
        return [function(w @ rounded(x, None) + r @ rounded(h, bound) + b)]

    return cell


def _lstm(rounded, bound, x, w, r, b, h, c):
    i, f, g, o = np.split(w @ rounded(x, None) + r @ rounded(h, bound) + b, 4)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return [_sigmoid(o) * np.tanh(c), c]


def _gru_reset_after(rounded, bound, x, w, r, b, d, h):
    input_r, input_z, input_n = np.split(w @ rounded(x, None) + b, 3)
    hidden_r, hidden_z, hidden_n = np.split(r @ rounded(h, bound), 3)
    z = _sigmoid(input_z + hidden_z)
    n = np.tanh(input_n + _sigmoid(input_r + hidden_r) * (hidden_n + d))
    return [(1 - z) * n + z * h]


def _gru_reset_before(rounded, bound, x, w, r, b, h):
    input_r, input_z, input_n = np.split(w @ rounded(x, None) + b, 3)
    r_r, r_z, r_n = np.split(r, 3)
    hidden = rounded(h, bound)
    reset, z = _sigmoid(input_r + r_r @ hidden), _sigmoid(input_z + r_z @ hidden)
    n = np.tanh(input_n + r_n @ rounded(reset * h, bound))
    return [(1 - z) * n + z * h]


_CELLS = {
    "rnnTanh": _rnn(np.tanh),
    "rnnReLU": _rnn(lambda x: np.maximum(x, 0)),
    "lstm": _lstm,
    "gruResetAfter": _gru_reset_after,
    "gruResetBefore": _gru_reset_before,
}
_PLAIN = {
    "embedding": lambda index, table: table[index],
    "affine": lambda x, scale, shift: x * scale + shift,
    "prelu": lambda x, slope: np.maximum(x, 0) + slope * np.minimum(x, 0),
    "clip": lambda x, low, high: np.maximum(np.minimum(x, high), low),
    "elu": lambda x, scale: np.maximum(x, 0) + scale * np.expm1(np.minimum(x, 0)),
    "layerNorm": _layer_norm,
    "gather": lambda x, numbers: np.append(x, 0)[numbers.astype(int)],
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "relu": lambda x: np.maximum(x, 0),
    "softmax": _softmax,
    "softplus": lambda x: np.logaddexp(x, 0),
    "gelu": _gelu,
    "squareRoot": np.sqrt,
    "exponential": np.exp,
    "logarithm": np.log,
    "errorFunction": lambda x: np.array([math.erf(value) for value in x]),
    "add": np.add,
    "multiply": np.multiply,
    "divide": np.divide,
    "concatenate": lambda *parts: np.concatenate(parts),
}
