"""From a graph of whole sequences to the program of one step.

Source graphs know tensors such as [batch, time, features]. A step sees one frame of each: what is left without the
time axis, row by row. Operations that only move elements (reshape, transpose, select…) are applied to the numbers of
elements and of frames, so that what they do is seen and not assumed: a result is a stream if each of its frames is made
of one frame of the operand, in order, or if it is the operand's last frame.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from .builder import Slot
from .errors import ExportError
from .model import INDEX
from .validation import MAX_ELEMENTS


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the source graph.

    slots hold a frame's elements, one behind the other. `time` is the axis of time, None where the tensor is of one
    frame. `states` are numbers of elements of the state that the tensor is: as it goes in, or as it comes out where
    there are slots too or `is_new` is set.
    """

    shape: tuple[int, ...]
    time: int | None
    slots: tuple[Slot, ...] = ()
    states: np.ndarray | None = None
    is_new: bool = False

    @property
    def frame_shape(self):
        """The shape of a frame: without time."""
        return tuple(size for axis, size in enumerate(self.shape) if axis != self.time)

    @property
    def size(self):
        return int(np.prod(self.frame_shape, dtype=np.int64))


@dataclass
class Frames:
    """Adds the operations of a source graph to a Builder.

    `frame_count` is the length of the time axis in the source graph.
    """

    builder: object
    frame_count: int
    _joined: dict = field(default_factory=dict)

    # Elements

    def slot(self, value):
        """The one slot of a frame's elements."""
        if not value.slots:
            if value.states is not None and value.is_new:
                raise ExportError("a cell state is used, or given out, outside of its cell; a step keeps it to itself")
            raise ExportError("a state is used outside of its cell")
        if len(value.slots) == 1:
            return value.slots[0]
        if value.slots not in self._joined:
            self._joined[value.slots] = self.builder.concatenate(value.slots)
        return self._joined[value.slots]

    def moved(self, value, move):
        """The value after an operation that only moves, drops or repeats elements.

        move: a function of an array of the value's shape.
        """
        numbers = np.arange(value.size).reshape(value.frame_shape)
        frames = np.zeros(value.shape, np.int64)
        if value.time is not None:
            numbers = np.expand_dims(numbers, value.time)
            across = [1] * len(value.shape)
            across[value.time] = self.frame_count
            frames = frames + np.arange(self.frame_count).reshape(across)
        numbers, frames = move(np.broadcast_to(numbers, value.shape)), move(frames)
        time = self._time_axis(frames) if value.time is not None else None
        picked = numbers if time is None else numbers.take(0, time)
        if time is not None and (numbers != np.expand_dims(picked, time)).any():
            raise ExportError("elements of a frame stand elsewhere in the next one")
        picked = picked.ravel()
        result = replace(value, shape=numbers.shape, time=time, slots=self._picked(value, picked))
        if value.states is not None:
            states = value.states.ravel()[picked]
            result = replace(result, states=states.reshape(result.frame_shape))
        return result

    def _time_axis(self, frames):
        """Where time is after a move; None if only the last frame is left."""
        if frames.size and (frames == self.frame_count - 1).all():
            return None
        for axis, size in enumerate(frames.shape):
            across = [1] * frames.ndim
            across[axis] = self.frame_count
            if size == self.frame_count and (frames == np.arange(size).reshape(across)).all():
                return axis
        raise ExportError("frames are mixed, dropped, or not in order: a step sees one frame, and answers at once")

    def _picked(self, value, numbers):
        """Slots of the elements with these numbers."""
        if not value.slots or np.array_equal(numbers, np.arange(value.size)):
            return value.slots
        starts = np.cumsum([0] + [slot.size for slot in value.slots])
        for first in range(len(value.slots)):
            for last in range(first + 1, len(starts)):
                if np.array_equal(numbers, np.arange(starts[first], starts[last])):
                    return value.slots[first:last]
        slot = self.slot(value)
        if slot.kind == INDEX:
            raise ExportError("an index is repeated or moved")
        _refuse_matrix(len(numbers), value.size)
        # A matrix of zeros and ones: no number is changed.
        matrix = np.zeros((len(numbers), value.size))
        matrix[np.arange(len(numbers)), numbers] = 1
        return (self.builder.dense(slot, matrix, name="selection"),)

    # Element by element

    def unary(self, function, value):
        """function: a method of Builder."""
        return replace(value, slots=(function(self.slot(value)),), states=None, is_new=False)

    def affine(self, value, scale, shift, name="affine"):
        """value scale + shift, with constants."""
        return self.weighted(self.builder.affine, value, scale, shift, name=name)

    def weighted(self, function, value, *constants, **named):
        """function: a method of Builder that takes constants, which are broadcast, as the value is."""
        shape = np.broadcast_shapes(value.shape, *map(np.shape, constants))
        value = self.moved(value, lambda array: np.broadcast_to(array, shape))
        constants = [self.constant(value, constant) for constant in constants]
        return self.unary(lambda slot: function(slot, *constants, **named), value)

    def constant(self, value, array):
        """A constant's elements, one for each of a frame's."""
        array = np.broadcast_to(np.asarray(array, np.float64), value.shape)
        if value.time is None:
            return array.ravel()
        first = array.take(0, value.time)
        if (array != np.expand_dims(first, value.time)).any():
            raise ExportError("a constant is another one for each frame")
        return first.ravel()

    def binary(self, function, a, b):
        """function: a method of Builder; both operands are streams, or both are of one frame."""
        shape = np.broadcast_shapes(a.shape, b.shape)
        a, b = (self.moved(value, lambda array: np.broadcast_to(array, shape)) for value in (a, b))
        if a.time != b.time:
            raise ExportError("a stream meets a value of the last frame, which a step does not know yet")
        return replace(a, slots=(function(self.slot(a), self.slot(b)),), states=None, is_new=False)

    def add(self, a, b):
        """a + b, where one of them may be a constant array."""
        if not isinstance(a, Value):
            a, b = b, a
        return self.binary(self.builder.add, a, b) if isinstance(b, Value) else self.affine(a, 1, b)

    def multiply(self, a, b):
        """a b, element by element, where one of them may be a constant array."""
        if not isinstance(a, Value):
            a, b = b, a
        return self.binary(self.builder.multiply, a, b) if isinstance(b, Value) else self.affine(a, b, 0)

    def relu(self, value):
        return self.unary(self.builder.relu, value)

    def leaky_relu(self, value, slope):
        """max(x, 0) + slope min(x, 0); slope may be a constant array."""
        return self.weighted(self.builder.prelu, value, slope)

    def clamp(self, value, low, high):
        """max(min(x, high), low), where either may be None."""
        if low is None and high is None:
            return value
        largest = np.finfo(np.float32).max
        return self.weighted(
            self.builder.clip, value, -largest if low is None else low, largest if high is None else high
        )

    def elu(self, value, scale=1):
        """max(x, 0) + scale (exp(min(x, 0)) - 1)"""
        return self.weighted(self.builder.elu, value, scale)

    def selu(self, value, alpha=1.6732632423543772, gamma=1.0507009873554805):
        """gamma times the ELU with alpha."""
        return self.affine(self.elu(value, alpha), gamma, 0)

    def gelu(self, value, approximate="none"):
        """x Φ(x), or what approximates it by tanh."""
        if approximate == "none":
            return self.unary(self.builder.gelu, value)
        if approximate != "tanh":
            raise ExportError(f"a GELU with the approximation {approximate!r}; expected 'none' or 'tanh'")
        root = np.sqrt(2 / np.pi)
        # √(2/π) (x + 0.044715 x³) = x (√(2/π) + √(2/π) 0.044715 x²)
        inner = self.multiply(value, self.affine(self.multiply(value, value), root * 0.044715, root))
        return self.multiply(value, self.affine(self.unary(self.builder.tanh, inner), 0.5, 0.5))

    def silu(self, value):
        """x σ(x)"""
        return self.multiply(value, self.unary(self.builder.sigmoid, value))

    def softplus(self, value):
        return self.unary(self.builder.softplus, value)

    def mish(self, value):
        """x tanh(softplus(x))"""
        return self.multiply(value, self.unary(self.builder.tanh, self.softplus(value)))

    def divide(self, a, b):
        """a / b, where one of them may be a constant array."""
        if not isinstance(b, Value):
            return self.affine(a, 1 / np.asarray(b, np.float64), 0)
        if not isinstance(a, Value):
            a = self.affine(b, 0, a)
        return self.binary(self.builder.divide, a, b)

    def layer_norm(self, value, axes, weight, bias, epsilon):
        """(x - mean) / sqrt(variance + epsilon) weight + bias, over the last `axes` axes, which are all of a frame."""
        first = len(value.shape) - axes
        shape = value.shape[first:]
        is_along_time = value.time is not None and value.time >= first
        if is_along_time or np.prod(shape, dtype=np.int64) != value.size:
            raise ExportError(f"a layer norm over {list(shape)} of {list(value.shape)} is not one over all of a frame")
        weight, bias = (
            default if given is None else self.constant(value, given) for given, default in ((weight, 1), (bias, 0))
        )
        return self.unary(lambda slot: self.builder.layer_norm(slot, weight, bias, epsilon), value)

    def hard_sigmoid(self, value, slope, shift):
        """min(max(slope x + shift, 0), 1)"""
        return self.clamp(self.affine(value, slope, shift), 0, 1)

    def hard_swish(self, value):
        """x min(max(x / 6 + 1/2, 0), 1)"""
        return self.multiply(value, self.hard_sigmoid(value, 1 / 6, 0.5))

    def batch_norm(self, value, weight, bias, mean, variance, epsilon, axis=1):
        """(x - mean) / sqrt(variance + epsilon) weight + bias, one of each for each element along an axis."""
        scale = 1 / np.sqrt(variance + epsilon)
        if weight is not None:
            scale = scale * weight
        shift = -mean * scale + (0 if bias is None else bias)
        across = [1] * len(value.shape)
        across[axis] = -1
        return self.affine(value, scale.reshape(across), shift.reshape(across), name="normalisation")

    # Rows

    def linear(self, value, weights, bias, name="dense"):
        """x W' + b over the last axis."""
        weights = np.asarray(weights)
        if value.time == len(value.shape) - 1 or value.shape[-1] != weights.shape[1]:
            raise ExportError(f"a matrix {list(weights.shape)} multiplies a tensor {list(value.shape)} along time")
        rows = value.size // weights.shape[1]
        bias = np.zeros(len(weights)) if bias is None else np.asarray(bias)
        _refuse_matrix(rows * len(weights), value.size)
        # Several rows in a frame are multiplied one by one: by a matrix with a block for each.
        matrix = weights if rows == 1 else np.kron(np.eye(rows), weights)
        slot = self.builder.dense(self.slot(value), matrix, np.tile(bias, rows), name=name)
        return Value(value.shape[:-1] + (len(weights),), value.time, (slot,))

    def total(self, value, axes, keeps, is_mean=False):
        """The sum, or the mean, over axes that are not time; `keeps` leaves them there, of size 1."""
        axes = {axis % len(value.shape) for axis in axes}
        if value.time in axes:
            raise ExportError("a sum, or a mean, over frames: a step sees one frame, and answers at once")
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(value.shape))
        result = Value(kept, value.time)
        # Which result each element belongs to.
        numbers = np.broadcast_to(np.arange(result.size).reshape(result.frame_shape), value.frame_shape)
        _refuse_matrix(result.size, value.size)
        matrix = np.zeros((result.size, value.size))
        matrix[numbers.ravel(), np.arange(value.size)] = result.size / value.size if is_mean else 1
        result = replace(result, slots=(self.builder.dense(self.slot(value), matrix, name="total"),))
        return result if keeps else self.moved(result, lambda array: np.squeeze(array, tuple(axes)))

    def norm(self, value, axes, keeps):
        """The square root of the sum of squares over axes that are not time."""
        return self.unary(self.builder.square_root, self.total(self.multiply(value, value), axes, keeps))

    def softmax(self, value, axis):
        axis %= len(value.shape)
        if axis == value.time or value.shape[axis] != value.size:
            raise ExportError(f"a softmax over axis {axis} of {list(value.shape)} is not one over all of a frame")
        return self.unary(self.builder.softmax, value)

    def concatenate(self, values, axis):
        """The values, side by side along an axis that is not time."""
        times = {value.time for value in values}
        axis %= len(values[0].shape)
        if len(times) != 1 or axis in times:
            raise ExportError("a concatenation along time, or of a stream with a value of the last frame")
        time = values[0].time
        starts = np.cumsum([0] + [value.size for value in values])
        numbers = [
            np.arange(start, start + value.size).reshape(value.frame_shape) for start, value in zip(starts, values)
        ]
        frame_axis = axis - (time is not None and time < axis)
        numbers = np.concatenate(numbers, frame_axis)
        shape = list(values[0].shape)
        shape[axis] = sum(value.shape[axis] for value in values)
        # A cell state has no slot that could be joined; as a state, its numbers are.
        has_slots = all(value.slots for value in values)
        joined = Value(tuple(shape), time, sum((value.slots for value in values), ()) if has_slots else ())
        # What comes out stays a state, whether it went in or not.
        is_new = all(value.is_new for value in values)
        is_state = all(value.states is not None for value in values) and len({value.is_new for value in values}) == 1
        if is_new or is_state:
            states = np.concatenate([value.states for value in values], frame_axis) if is_state else None
            return replace(joined, slots=self._picked(joined, numbers.ravel()), states=states, is_new=is_new)
        for value in values:
            self.slot(value)
        return replace(joined, slots=self._picked(joined, numbers.ravel()))


def _refuse_matrix(rows, columns):
    if rows * columns > MAX_ELEMENTS:
        raise ExportError(f"a matrix [{rows}, {columns}]; expected at most {MAX_ELEMENTS} elements")
