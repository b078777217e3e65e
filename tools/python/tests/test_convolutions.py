"""Moves, convolutions, pooling and reductions within a frame, against loops over the numbers of NumPy arrays."""

from itertools import product

import numpy as np
import pytest

from runnel import Builder, ExportError, ModelError, Session
from runnel.frames import Frames, Value


class Traced:
    """A value for an array, whose operations are run on the array's numbers.

    time: the axis of the shape that is time, if there is one; the array is one frame nevertheless.
    """

    def __init__(self, *shapes, time=None, frame_count=5):
        self.builder = Builder()
        self.frames = Frames(self.builder, frame_count)
        self.values = []
        for place, shape in enumerate(shapes):
            size = int(np.prod([size for axis, size in enumerate(shape) if axis != time]))
            self.values.append(Value(shape, time, (self.builder.vector(f"x{place}", size),)))

    def run(self, value, *arrays):
        """The value's elements in a frame, and the names of operations that it took."""
        self.builder.output("y", self.frames.slot(value))
        model = self.builder.model()
        found = Session(model).step(np.concatenate([np.ravel(array) for array in arrays]))
        return found.reshape(value.frame_shape), [operation.name for operation in model.programs[0].operations]


def numbers(*shape, seed=0):
    """Numbers that 32-bit floats have exactly."""
    return np.random.default_rng([seed, *shape]).integers(-64, 64, shape) / 16


def convolved(x, weights, bias, stride, dilation, groups, before, after):
    """One product after the other: x [channels, positions], weights [outputs, channels / groups, width]."""
    outputs, taken, width = weights.shape
    padded = np.concatenate([np.zeros((len(x), before)), x, np.zeros((len(x), after))], axis=1)
    count = (padded.shape[1] - (width - 1) * dilation - 1) // stride + 1
    result = np.zeros((outputs, count))
    for output, at in product(range(outputs), range(count)):
        first = output // (outputs // groups) * taken
        result[output, at] = bias[output] + sum(
            weights[output, channel, k] * padded[first + channel, at * stride + k * dilation]
            for channel, k in product(range(taken), range(width))
        )
    return result


# Channels, positions, outputs, width, stride, dilation, groups, before, after.
CONVOLUTIONS = [
    (1, 9, 3, 3, 1, 1, 1, 0, 0),
    (3, 9, 2, 3, 2, 1, 1, 0, 0),
    (3, 9, 2, 3, 2, 1, 1, 1, 1),
    (3, 10, 2, 3, 5, 1, 1, 0, 0),
    (3, 10, 2, 2, 4, 1, 1, 3, 2),
    (2, 11, 4, 3, 1, 2, 1, 0, 0),
    (2, 11, 4, 3, 2, 3, 1, 4, 1),
    (4, 8, 4, 3, 1, 1, 4, 1, 1),
    (4, 8, 4, 3, 2, 2, 4, 2, 2),
    (4, 8, 8, 2, 1, 1, 4, 0, 1),
    (4, 8, 6, 3, 1, 1, 2, 1, 0),
    (4, 8, 6, 2, 3, 2, 2, 2, 2),
    (3, 5, 2, 5, 1, 1, 1, 0, 0),
    (3, 2, 2, 3, 2, 1, 1, 1, 1),
    (2, 1, 3, 3, 1, 1, 1, 1, 1),
    (2, 1, 3, 5, 4, 1, 1, 4, 4),
    (3, 9, 2, 1, 1, 1, 1, 0, 0),
    (3, 9, 2, 1, 2, 4, 1, 0, 0),
    (3, 9, 2, 1, 2, 4, 1, 1, 2),
]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("time", [None, 0])
def test_a_convolution_is_sums_of_products(case, time):
    channels, length, outputs, width, stride, dilation, groups, before, after = case
    x, weights, bias = numbers(channels, length), numbers(outputs, channels // groups, width), numbers(outputs)
    traced = Traced((5 if time == 0 else 1, channels, length), time=time)
    value = traced.frames.convolution(traced.values[0], weights, bias, stride, dilation, groups, before, after)
    expected = convolved(x, weights, bias, stride, dilation, groups, before, after)
    assert value.shape == (traced.values[0].shape[0], *expected.shape) and value.time == time
    found, names = traced.run(value, x)
    assert np.array_equal(found.reshape(expected.shape), expected)
    if groups in (1, channels) and outputs % channels == 0 and outputs <= channels:
        assert names.count("gather") <= 2 and len(names) <= 3, names


def test_a_convolution_behind_another_takes_no_move_of_its_own():
    x, first, second = numbers(12, 3), numbers(4, 3, 2), numbers(2, 4, 3)
    traced = Traced((1, 12, 3))
    frames = traced.frames
    # The positions come first, as they stand in the slot.
    value = frames.moved(traced.values[0], lambda array: np.swapaxes(array, 1, 2))
    value = frames.convolution(frames.relu(value), first, np.zeros(4), stride=2)
    value = frames.multiply(frames.affine(value, numbers(4, 1), numbers(1)), numbers(4, 6))
    value = frames.convolution(value, second, np.zeros(2))
    value = frames.moved(value, lambda array: np.swapaxes(array, 1, 2))
    found, names = traced.run(value, x)
    expected = convolved(np.maximum(x.T, 0), first, np.zeros(4), 2, 1, 1, 0, 0)
    expected = (expected * numbers(4, 1) + numbers(1)) * numbers(4, 6)
    assert np.allclose(found[0].T, convolved(expected, second, np.zeros(2), 1, 1, 1, 0, 0), atol=1e-12, rtol=0)
    assert names == ["relu", "convolution", "affine", "affine", "convolution"]


# Channels, positions, width, stride, dilation, before, after.
POOLS = [
    (3, 9, 2, 2, 1, 0, 0),
    (3, 9, 3, 1, 1, 0, 0),
    (3, 9, 3, 2, 1, 2, 1),
    (2, 9, 2, 4, 1, 1, 0),
    (2, 9, 3, 1, 2, 0, 0),
    (2, 9, 3, 2, 3, 3, 4),
    (1, 6, 6, 1, 1, 0, 0),
    (3, 4, 1, 2, 3, 0, 0),
]


@pytest.mark.parametrize("case", POOLS, ids=str)
def test_pools_are_the_largest_and_the_means_of_windows(case):
    channels, length, width, stride, dilation, before, after = case
    # All below zero, so that a zero of the padding would be the largest.
    x = numbers(channels, length) - 20
    windows = []
    for start in range(-before, length + after - (width - 1) * dilation, stride):
        windows.append([place for place in range(start, start + width * dilation, dilation)])
    inside = [[place for place in window if 0 <= place < length] for window in windows]
    expected = {
        "max": [[x[c, window].max() for window in inside] for c in range(channels)],
        "mean": [[x[c, window].mean() for window in inside] for c in range(channels)],
        "all": [[x[c, window].sum() / width for window in inside] for c in range(channels)],
    }
    for kind, rows in expected.items():
        traced = Traced((1, channels, length))
        arguments = (traced.values[0], width, stride, dilation, before, after)
        if kind == "max":
            value = traced.frames.max_pool(*arguments)
        else:
            value = traced.frames.average_pool(*arguments, counts_padding=kind == "all")
        found, names = traced.run(value, x)
        assert np.allclose(found[0], rows, atol=1e-5, rtol=0), kind
        assert names.count("gather") <= 2 - (channels == 1)


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2), (-1,)], ids=str)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
@pytest.mark.parametrize("keeps", [True, False])
def test_reductions(axes, order, keeps):
    x = numbers(2, 3, 4)
    moved = np.transpose(x, order)
    expected = {
        "sum": moved.sum(axes, keepdims=keeps),
        "mean": moved.mean(axes, keepdims=keeps),
        "max": moved.max(axes, keepdims=keeps),
        "min": moved.min(axes, keepdims=keeps),
        "norm": np.sqrt((moved**2).sum(axes, keepdims=keeps)),
        "magnitude": np.abs(moved).sum(axes, keepdims=keeps),
    }
    for kind, rows in expected.items():
        traced = Traced((2, 3, 4))
        frames = traced.frames
        value = frames.moved(traced.values[0], lambda array: np.transpose(array, order))
        reduced = {
            "sum": lambda: frames.total(value, axes, keeps),
            "mean": lambda: frames.total(value, axes, keeps, is_mean=True),
            "max": lambda: frames.maximum(value, axes, keeps),
            "min": lambda: frames.minimum(value, axes, keeps),
            "norm": lambda: frames.norm(value, axes, keeps),
            "magnitude": lambda: frames.norm(value, axes, keeps, order=1),
        }[kind]()
        assert reduced.shape == np.shape(rows)
        found, names = traced.run(reduced, x)
        assert np.allclose(found, rows, atol=1e-6, rtol=0), kind
        assert names.count("gather") <= 2


def test_a_reduction_of_what_stands_as_it_should_moves_nothing():
    for shape, axis, expected in [((6, 4), 0, "depthwise"), ((6, 4), 1, "convolution"), ((6, 1), 0, "dense")]:
        traced = Traced(shape)
        _, names = traced.run(traced.frames.total(traced.values[0], [axis], False), numbers(*shape))
        assert names == [expected]
    traced = Traced((6, 4))
    turned = traced.frames.moved(traced.values[0], np.transpose)
    _, names = traced.run(traced.frames.maximum(turned, [1], False), numbers(6, 4))
    assert names == ["maximum"]


@pytest.mark.parametrize("rows, axes", [((3, 8), 1), ((2, 3, 4), 2), ((64, 2), 1)], ids=str)
def test_rows_are_normalised_one_by_one(rows, axes):
    x = numbers(*rows)
    size = x.shape[-axes:]
    weight, bias = numbers(*size, seed=1), numbers(*size, seed=2)
    traced = Traced(rows)
    value = traced.frames.layer_norm(traced.values[0], axes, weight, bias, 0.25)
    found, _ = traced.run(value, x)
    over = tuple(range(-axes, 0))
    expected = (x - x.mean(over, keepdims=True)) / np.sqrt(x.var(over, keepdims=True) + 0.25) * weight + bias
    assert np.allclose(found, expected, atol=1e-6, rtol=0)
    traced = Traced(rows)
    found, _ = traced.run(traced.frames.normalised(traced.values[0], over, 0.25), x)
    assert np.allclose(found, (expected - bias) / np.where(weight == 0, 1, weight), atol=1e-6) or (weight == 0).any()


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_softmax_of_rows(axis):
    x = numbers(3, 2, 4)
    traced = Traced((3, 2, 4))
    found, _ = traced.run(traced.frames.softmax(traced.values[0], axis), x)
    powers = np.exp(x)
    assert np.allclose(found, powers / powers.sum(axis, keepdims=True), atol=1e-12, rtol=0)


# Moves


MOVES = {
    "transposed": lambda array: np.transpose(array, (2, 0, 1)),
    "turned": lambda array: array[:, ::-1],
    "cut": lambda array: array[:, :, 1:3],
    "every other": lambda array: array[..., ::2],
    "repeated": lambda array: np.repeat(array, 2, axis=1),
    "flat": lambda array: array.reshape(-1, 1, 2),
}


def possible(chain):
    """Whether the moves, one after the other, leave elements, and an even number of them where they become flat."""
    array = np.zeros((2, 3, 4))
    for name in chain:
        if name == "flat" and array.size % 2:
            return False
        array = MOVES[name](array)
    return array.size > 0


@pytest.mark.parametrize("chain", filter(possible, product(MOVES, repeat=3)), ids="-".join)
def test_moves_collapse(chain):
    x = numbers(2, 3, 4)
    traced = Traced((2, 3, 4))
    value, expected = traced.values[0], x
    for name in chain:
        value, expected = traced.frames.moved(value, MOVES[name]), MOVES[name](expected)
    bent = traced.frames.weighted(traced.builder.prelu, value, numbers(*expected.shape))
    found, names = traced.run(bent, x)
    assert np.array_equal(found, np.maximum(expected, 0) + numbers(*expected.shape) * np.minimum(expected, 0))
    assert names.count("gather") <= 2 and len(names) <= 3


def test_moves_that_end_where_they_began_are_none():
    traced = Traced((2, 3))
    value = traced.frames.moved(traced.frames.moved(traced.values[0], np.transpose), np.transpose)
    _, names = traced.run(traced.frames.relu(value), numbers(2, 3))
    assert names == ["relu"]


# Moves that give [2, 3, 4], from [2, 3, 4] or what is broadcast to it.
OPERANDS = {
    "as they are": lambda array: array,
    "turned": lambda array: array[::-1, :, ::-1],
    "shuffled": lambda array: array.reshape(4, 3, 2).T,
    "rolled": lambda array: np.roll(array, 1, axis=2),
    "dropped": lambda array: array[:, [0, 2, 2]],
    "broadcast": lambda array: array[:, 1:2],
    "of one": lambda array: array[1, 2, 3],
}


@pytest.mark.parametrize("first, second", product(OPERANDS, repeat=2), ids=str)
def test_operands_of_other_moves_meet_element_by_element(first, second):
    x, y = numbers(2, 3, 4), numbers(2, 3, 4, seed=1)
    y[y == 0] = 1
    a, b = OPERANDS[first](x), OPERANDS[second](y)
    traced = Traced((2, 3, 4), (2, 3, 4))
    frames = traced.frames
    values = [frames.moved(value, OPERANDS[name]) for value, name in zip(traced.values, (first, second))]
    found, names = traced.run(frames.add(frames.divide(*values), values[0]), x, y)
    assert np.allclose(found, a / b + a, atol=1e-12, rtol=0)
    if first == second and first in ("as they are", "turned", "shuffled", "rolled"):
        assert names == ["divide", "add", "gather"][: 2 if first == "as they are" else 3]


def test_values_are_joined_and_taken_apart_without_a_move():
    traced = Traced((2, 3), (2, 2), (2, 1))
    frames = traced.frames
    joined = frames.concatenate(traced.values, 1)
    parts = [frames.moved(joined, lambda array: array[:, at:end]) for at, end in ((0, 3), (3, 5), (5, 6))]
    assert [part.slots for part in parts] == [value.slots for value in traced.values]
    assert [part.picks for part in parts] == [None] * 3
    turned = frames.concatenate([frames.moved(part, np.transpose) for part in parts[::-1]], 0)
    arrays = [numbers(2, 3), numbers(2, 2), numbers(2, 1)]
    found, names = traced.run(turned, *arrays)
    assert np.array_equal(found, np.concatenate([array.T for array in arrays[::-1]]))
    assert names == ["concatenate", "gather"]


@pytest.mark.parametrize("count, expected", [(64, 1), (65, 3), (130, 4)])
def test_many_values_are_joined_in_groups(count, expected):
    traced = Traced((count, 2))
    frames = traced.frames
    parts = [frames.moved(traced.values[0], lambda array: array[at : at + 1]) for at in range(count)]
    joined = frames.concatenate([frames.relu(part) for part in parts], 0)
    x = numbers(count, 2)
    found, names = traced.run(joined, x)
    assert np.array_equal(found, np.maximum(x, 0)) and names.count("concatenate") == expected


def test_a_constant_chooses_between_values():
    condition = np.array([[True, False, True], [False, False, True]])
    a, b = numbers(2, 3), numbers(2, 3, seed=1)
    for is_turned in (False, True):
        traced = Traced((2, 3), (2, 3))
        frames = traced.frames
        second = frames.moved(traced.values[1], lambda array: array[:, ::-1] if is_turned else array)
        found, _ = traced.run(frames.chosen(condition, traced.values[0], second), a, b)
        assert np.array_equal(found, np.where(condition, a, b[:, ::-1] if is_turned else b))
    traced = Traced((2, 1))
    found, _ = traced.run(traced.frames.chosen(condition, 0.5, traced.values[0]), a[:, :1])
    assert np.array_equal(found, np.where(condition, 0.5, a[:, :1]))


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "wrap"])
@pytest.mark.parametrize("constant", [0.0, -1.25])
def test_padding(mode, constant):
    x = numbers(2, 3, 4)
    traced = Traced((2, 5, 3, 4), time=1)
    value = traced.frames.padded(traced.values[0], (0, 0, 1, 2), (1, 0, 2, 3), constant, mode)
    assert value.shape == (3, 5, 6, 9) and value.time == 1
    found, names = traced.run(value, x)
    named = {"constant_values": constant} if mode == "constant" else {}
    assert np.array_equal(found, np.pad(x, [(0, 1), (1, 2), (2, 3)], mode, **named))
    assert names == ["gather", "affine"][: 2 if named and constant else 1]


def test_a_value_of_no_elements_adds_nothing_to_others():
    traced = Traced((2, 3))
    frames = traced.frames
    nothing = frames.moved(traced.values[0], lambda array: array[:, 3:])
    joined = frames.concatenate([nothing, traced.values[0], nothing], 1)
    assert joined.slots == traced.values[0].slots and joined.picks is None
    frames.slot(nothing)
    traced.builder.output("y", frames.slot(traced.values[0]))
    with pytest.raises(ModelError, match="0 elements along a dimension of tensor 'gather.numbers'"):
        traced.builder.model()


# Refusals


def over_time(shape, time):
    traced = Traced(shape, time=time)
    return traced.frames, traced.values[0]


WEIGHTS = np.ones((2, 3, 3))
REFUSALS = {
    "channels that are time": ((1, 5, 3), 1, lambda f, x: f.max_pool(x, 2, 1), "whose axis 1 is time"),
    "several tensors": ((5, 2, 3, 4), 0, lambda f, x: f.convolution(x, WEIGHTS, None), "in 2 tensors of a frame"),
    "other channels": ((5, 4, 4), 0, lambda f, x: f.convolution(x, WEIGHTS, None), "in 1 groups, and 4 channels"),
    "groups that do not divide": (
        (5, 9, 4),
        0,
        lambda f, x: f.convolution(x, WEIGHTS, None, groups=3),
        "weights [2, 3, 3] in 3 groups, and 9 channels",
    ),
    "too few positions": (
        (5, 3, 4),
        0,
        lambda f, x: f.convolution(x, WEIGHTS, None, dilation=2, before=0),
        "windows of 5 positions, and there are 4",
    ),
    "a window of padding": ((5, 3, 4), 0, lambda f, x: f.max_pool(x, 2, 1, 1, 2), "a window is all padding"),
    "a mean of padding": ((5, 3, 4), 0, lambda f, x: f.average_pool(x, 2, 1, 1, 0, 2), "a window is all padding"),
    "more than a vector": (
        (5, 3, 60_000),
        0,
        lambda f, x: f.convolution(x, np.ones((1, 3, 8)), None, stride=5, dilation=2),
        "windows of 287952 elements; expected at most 65536",
    ),
    "a huge number of windows": (
        (5, 1, 60_000),
        0,
        lambda f, x: f.max_pool(x, 30_000, 1),
        "30001 windows of 30000 positions; expected at most 16777216 in all",
    ),
    "huge padding": (
        (5, 3, 4),
        0,
        lambda f, x: f.padded(x, (0, 0, 0), (0, 0, 10**9)),
        "padding to the shape [5, 3, 1000000004]",
    ),
    "padding along time": (
        (5, 3, 4),
        0,
        lambda f, x: f.padded(x, (1, 0, 0), (0, 0, 0), 0.0, "edge"),
        "frames are padded along time",
    ),
    "axes that are not there": ((5, 3), 0, lambda f, x: f.total(x, [2], True), "over the axes [2] of [5, 3]"),
    "a maximum over time": ((5, 3), 0, lambda f, x: f.maximum(x, [0], True), "a maximum over frames"),
    "a norm over time": ((3, 5), 1, lambda f, x: f.layer_norm(x, 1, None, None, 0.1), "layer norm over [5] of [3, 5]"),
    "a softmax over time": ((3, 5), 1, lambda f, x: f.softmax(x, -1), "a softmax over axis 1 of [3, 5], which is time"),
    "too many rows": (
        (5, 65, 2),
        0,
        lambda f, x: f.softmax(x, -1),
        "a softmax of 65 rows in a frame; expected at most",
    ),
    "too many norms": (
        (5, 65, 2),
        0,
        lambda f, x: f.layer_norm(x, 1, None, None, 0.1),
        "a layer norm of 65 rows in a frame; expected at most 64",
    ),
    "a choice along time": (
        (5, 2),
        0,
        lambda f, x: f.chosen(np.eye(5, 2) > 0, x, 0.0),
        "a constant is another one for each frame",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused(name):
    shape, time, function, text = REFUSALS[name]
    with pytest.raises(ExportError) as caught:
        function(*over_time(shape, time))
    assert text in str(caught.value)


def test_an_index_is_not_moved():
    builder = Builder()
    frames = Frames(builder, 1)
    index = Value((1, 1), None, (builder.index("x", 7),))
    assert frames.slot(frames.moved(index, np.transpose)).kind == "index"
    with pytest.raises(ExportError, match="an index is repeated or moved"):
        frames.slot(frames.moved(index, lambda array: np.repeat(array, 2, axis=1)))
