"""Operations on values, element by element."""

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from .errors import ExportError
from .moves import Moves, Value, common_clock, inverse

_LARGEST = np.finfo(np.float32).max


@dataclass
class Elements(Moves):
    """Operations on each element, which leave moves as they are noted."""

    def unary(self, function, value):
        """function: a method of Builder."""
        value = self.whole(value)
        return value.computed(value.shape, function(self.joined(value)), picks=value.picks)

    def affine(self, value, scale, shift, name="affine"):
        """value scale + shift, with constants."""
        is_same = np.broadcast_shapes(value.shape, np.shape(scale), np.shape(shift)) == value.shape
        if is_same and np.all(np.equal(scale, 1)) and not np.any(shift):
            return value
        return self.weighted(self.builder.affine, value, scale, shift, name=name)

    def weighted(self, function, value, *constants, **named):
        """function: a method of Builder that takes constants, which are broadcast, as the value is."""
        shape = np.broadcast_shapes(value.shape, *map(np.shape, constants))
        value = self.whole(self.moved(value, lambda array: np.broadcast_to(array, shape)))
        order = inverse(value.numbers)
        constants = [self.constant(value, constant)[order] for constant in constants]
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
        try:
            shape = np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            raise ExportError(
                f"values of the shapes {list(a.shape)} and {list(b.shape)}; expected such that fit together (a "
                "convolution without padding has fewer frames than it is given: crop as many elsewhere)"
            ) from None
        a, b = (self.moved(value, lambda array: np.broadcast_to(array, shape)) for value in (a, b))
        clock = common_clock([a, b])
        if b.is_whole and (b.picks is not None or not a.is_whole):
            first = b
        else:
            first = self.whole(a)
        order = inverse(first.numbers)
        operands = [self.ordered(self.picked(value, order)) for value in (a, b)]
        return replace(first.computed(first.shape, function(*operands), picks=first.picks), clock=clock)

    def largest(self, operands):
        """The largest of the operands, element by element, of which some may be constant arrays."""
        return self._extreme(operands, self._largest, "low")

    def smallest(self, operands):
        """The smallest of the operands, element by element, of which some may be constant arrays."""

        def smallest(values):
            return self.affine(self._largest([self.affine(value, -1, 0) for value in values]), -1, 0)

        return self._extreme(operands, smallest, "high")

    def _extreme(self, operands, function, limit):
        """function of the values; constants are limits."""
        values = [operand for operand in operands if isinstance(operand, Value)]
        result = values[0] if len(values) == 1 else function(values)
        for constant in filter(_is_array, operands):
            result = self.clamp(result, **{limit: np.clip(constant, -_LARGEST, _LARGEST)})
        return result

    def _largest(self, values):
        return reduce(lambda a, b: self.binary(self._larger, a, b), values)

    def _larger(self, a, b):
        return self.builder.maximum(self.builder.concatenate([a, b]), a.size, 2, 1)

    def chosen(self, condition, a, b):
        """a where the condition holds and b elsewhere; it is constant, and so may one of a and b be."""
        shape = np.broadcast_shapes(np.shape(condition), *(np.shape(x) if _is_array(x) else x.shape for x in (a, b)))
        if _is_array(a):
            return self.chosen(np.logical_not(condition), b, a)
        a = self.moved(a, lambda array: np.broadcast_to(array, shape))
        is_a = self.constant(a, condition).astype(bool)
        numbers = np.arange(a.size)
        if _is_array(b):
            a = replace(self.picked(a, np.where(is_a, numbers, -1)), shape=shape, time=a.time, is_new=False)
            return self.affine(a, 1, np.where(condition, 0.0, b))
        b = self.moved(b, lambda array: np.broadcast_to(array, shape))
        common_clock([a, b])
        both = self.concatenate([self.picked(value, numbers) for value in (a, b)], 0)
        both = self.picked(both, np.where(is_a, numbers, a.size + numbers))
        return replace(both, shape=shape, time=a.time, states=None, is_new=False)

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

    def power(self, value, exponent):
        """x^p for whole numbers p up to 16, for p = 1/2, and for what is these but for its sign."""
        size = abs(float(exponent))
        if size == 0.5:
            result = self.unary(self.builder.square_root, value)
        elif size in range(1, 17):
            result = reduce(self.multiply, [value] * int(size))
        else:
            raise ExportError(f"the power {exponent}; expected 0.5, or a whole number from 1 to 16, or -1 times that")
        return result if exponent > 0 else self.divide(np.ones(1), result)

    def relu(self, value):
        return self.unary(self.builder.relu, value)

    def leaky_relu(self, value, slope):
        """max(x, 0) + slope min(x, 0); slope may be a constant array."""
        return self.weighted(self.builder.prelu, value, slope)

    def clamp(self, value, low=None, high=None):
        """max(min(x, high), low), where either may be None."""
        if low is None and high is None:
            return value
        low, high = (-_LARGEST if low is None else low), (_LARGEST if high is None else high)
        return self.weighted(self.builder.clip, value, low, high)

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
        return self.scaled(value, scale, -mean * scale + (0 if bias is None else bias), axis)

    def scaled(self, value, scale, shift, axis=1):
        """value scale + shift, one of each for each element along an axis; None stands for 1 and 0."""
        across = [1] * len(value.shape)
        across[axis] = -1
        scale, shift = (np.reshape(default if x is None else x, across) for x, default in ((scale, 1), (shift, 0)))
        return self.affine(value, scale, shift, name="normalisation")

    def glu(self, value, axis=-1):
        """a σ(b), for the halves a and b of the value along an axis."""
        a, b = (self.moved(value, lambda array, half=half: np.split(array, 2, axis)[half]) for half in range(2))
        return self.multiply(a, self.unary(self.builder.sigmoid, b))


def _is_array(operand):
    return not isinstance(operand, Value)
