"""The reference against the definitions of Format.md, written out number by number."""

import math
from dataclasses import replace

import numpy as np
import pytest
from conftest import REPOSITORY
from random_models import CELLS, cell, everything, stored_as

import runnel
from runnel import Builder, Session

FRAMES = np.random.default_rng(7).normal(size=(20, 2))


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


class Scalar:
    """A cell of a few units, one number after the other; tensors and states are lists of floats."""

    def __init__(self, model):
        self.weights = [tensor.doubles().tolist() for tensor in model.tensors]
        self.h, *rest = ([0.0] * state.size for state in model.states)
        self.c = rest[0] if rest else None

    def row(self, gate, unit, x, h):
        """W x, R h and b, for a unit of a gate."""
        w, r, b = self.weights[:3]
        place = gate * len(self.h) + unit
        return sum(map(math.prod, zip(w[place], x))), sum(map(math.prod, zip(r[place], h))), b[place]

    def rnnTanh(self, x):
        return [math.tanh(sum(self.row(0, unit, x, self.h))) for unit in range(len(self.h))]

    def rnnReLU(self, x):
        return [max(sum(self.row(0, unit, x, self.h)), 0.0) for unit in range(len(self.h))]

    def lstm(self, x):
        result = []
        for unit in range(len(self.h)):
            i, f, g, o = (sum(self.row(gate, unit, x, self.h)) for gate in range(4))
            self.c[unit] = sigmoid(f) * self.c[unit] + sigmoid(i) * math.tanh(g)
            result.append(sigmoid(o) * math.tanh(self.c[unit]))
        return result

    def gruResetAfter(self, x):
        result = []
        for unit, old in enumerate(self.h):
            r, z = (sigmoid(sum(self.row(gate, unit, x, self.h))) for gate in range(2))
            wx, rh, b = self.row(2, unit, x, self.h)
            n = math.tanh(wx + b + r * (rh + self.weights[3][unit]))
            result.append((1 - z) * n + z * old)
        return result

    def gruResetBefore(self, x):
        reset = [sigmoid(sum(self.row(0, unit, x, self.h))) * old for unit, old in enumerate(self.h)]
        result = []
        for unit, old in enumerate(self.h):
            z = sigmoid(sum(self.row(1, unit, x, self.h)))
            n = math.tanh(sum(self.row(2, unit, x, reset)))
            result.append((1 - z) * n + z * old)
        return result


def one_cell(kind, **initial):
    builder = Builder()
    builder.output("h", cell(builder, kind, builder.vector("x", 2), 3, np.random.default_rng(3), **initial))
    return builder.model()


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_is_its_definition(kind):
    model = one_cell(kind)
    scalar, session = Scalar(model), Session(model)
    for frame in FRAMES:
        scalar.h = getattr(scalar, kind)(frame.tolist())
        assert session.step(frame) == pytest.approx(scalar.h, abs=1e-13)
    assert max(map(abs, scalar.h)) > 0.01, "a cell that is silent shows nothing"


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_starts_from_its_initial_states(kind):
    initial = {"hidden": [0.5, -1.5, 2]} | ({"cell": [-2, 0, 0.25]} if kind == "lstm" else {})
    model = one_cell(kind, **initial)
    scalar, session = Scalar(model), Session(model)
    scalar.h, scalar.c = [0.5, -1.5, 2.0], [-2.0, 0.0, 0.25]
    for frame in FRAMES[:5]:
        scalar.h = getattr(scalar, kind)(frame.tolist())
        assert session.step(frame) == pytest.approx(scalar.h, abs=1e-13)


@pytest.mark.parametrize("kind", CELLS)
def test_a_reset_starts_again_from_the_initial_states(kind):
    session = Session(one_cell(kind, hidden=[0.5, -1.5, 2]))
    first = session.run(FRAMES)
    assert not np.allclose(session.run(FRAMES)[0], first[0], atol=1e-6), "the stream goes on"
    session.reset()
    assert (session.run(FRAMES) == first).all()


def test_streams_of_one_model_are_apart():
    model = one_cell("lstm", hidden=[0.5, -1.5, 2])
    first, second = Session(model), Session(model)
    expected = first.run(FRAMES)
    assert (second.run(FRAMES) == expected).all()


def test_a_dense_layer_and_an_affine_one():
    builder = Builder()
    x = builder.vector("x", 2)
    builder.output("dense", builder.dense(x, [[1, 2], [3, 4], [5, 6]], [0.5, 0, -0.5]))
    builder.output("without bias", builder.dense(x, [[1, 2]]))
    builder.output("affine", builder.affine(x, [2, 3], [-1, 1]))
    builder.output("of numbers", builder.affine(x, 10, 1))
    expected = [50.5, 110, 169.5] + [50] + [19, 61] + [101, 201]
    assert Session(builder.model()).step([10, 20]).tolist() == expected


def test_element_by_element():
    builder = Builder()
    x, y = builder.vector("x", 3), builder.vector("y", 3)
    for result in (builder.tanh(x), builder.sigmoid(x), builder.relu(x), builder.softmax(x)):
        builder.output("", result)
    for result in (builder.add(x, y), builder.multiply(x, y), builder.concatenate([y, x, y])):
        builder.output("", result)
    a, b = [-1.5, 0.0, 2.0], [3.0, -4.0, 0.5]
    powers = [math.exp(value) for value in a]
    expected = [math.tanh(value) for value in a] + [sigmoid(value) for value in a] + [0, 0, 2]
    expected += [value / sum(powers) for value in powers]
    expected += [1.5, -4, 2.5] + [-4.5, 0, 1] + b + a + b
    assert Session(builder.model()).step(a + b) == pytest.approx(expected, abs=1e-15)


def test_large_numbers_overflow_nowhere():
    builder = Builder()
    x = builder.vector("x", 2)
    builder.output("softmax", builder.softmax(x))
    builder.output("sigmoid", builder.sigmoid(x))
    with np.errstate(over="raise", invalid="raise"):
        assert Session(builder.model()).step([1e4, -1e4]).tolist() == [1, 0, 1, 0]


def test_an_embedding_is_a_row_of_its_table():
    builder = Builder()
    x, token = builder.vector("x", 1), builder.index("token", 3)
    table = [[1, 2], [3, 4], [5, 6]]
    builder.output("row", builder.embedding(token, table))
    builder.output("x", x)
    session = Session(builder.model())
    for index, row in enumerate(table):
        assert session.step([0.5, index]).tolist() == [*row, 0.5]


@pytest.mark.parametrize("index", [-1, 3, 0.5, math.nan])
def test_an_index_that_is_none_is_refused(index):
    builder = Builder()
    builder.output("row", builder.embedding(builder.index("token", 3), np.eye(3)))
    with pytest.raises(ValueError, match="index of 'token'"):
        Session(builder.model()).step([index])


@pytest.mark.parametrize("frame", [[], [1], [1, 2, 3]])
def test_a_frame_of_another_size_is_refused(frame):
    session = Session(one_cell("rnnTanh"))
    with pytest.raises(ValueError, match=f"a frame of {len(frame)} numbers; expected 2"):
        session.step(frame)


def test_programs_share_states():
    model = everything(1)
    session, alone = Session(model), Session(replace(model, programs=(model.programs[1],)))
    session.step([0.5] * 5 + [3])
    # The LSTM of both programs has the states 2 and 3; the second program knows no other.
    alone.states = list(session.states)
    expected = alone.step([0.25] * 14)
    others = [session.states[index] for index in (0, 1, 4, 5)]
    assert (session.step([0.25] * 14, program=1) == expected).all()
    assert (session.states[2] == alone.states[2]).all() and (session.states[3] == alone.states[3]).all()
    assert all(session.states[index] is old for index, old in zip((0, 1, 4, 5), others))


@pytest.mark.parametrize("kind, tolerance", [("f16", 2e-3), ("bf16", 2e-2), ("int8", 2e-2)])
def test_smaller_weights_are_about_the_same(kind, tolerance):
    model = everything(1)
    frames = np.column_stack([np.random.default_rng(1).normal(size=(20, 5)), np.arange(20) % 7])
    difference = np.abs(Session(stored_as(model, kind)).run(frames) - Session(model).run(frames)).max()
    assert 0 < difference < tolerance


# The first weight is 1 and the second 0, whose element of the vector is the largest one.
def rounded(values, kind, bits=16, largest=2.0):
    data = {
        "f32": np.float32([[1, 0]]),
        "f16": np.float16([[1, 0]]),
        "bf16": np.uint16([[0x3F80, 0]]),
        "int8": np.int8([[1, 0]]),
    }[kind]
    weights = runnel.Tensor("W", kind, data, np.float32([1]) if kind == "int8" else None)
    dense = runnel.Operation("dense", (0,), (0, 1), input_bits=bits)
    program = runnel.Program("", (runnel.Input("x", "vector", 2),), (dense,), (runnel.Output("y", 1),))
    session = Session(runnel.Model((), (program,), (weights, runnel.Tensor.of("b", [0]))))
    return [session.step([value, largest])[0] for value in values]


def test_vectors_are_rounded_as_the_types_say():
    h = float.fromhex
    values = [1, -0.5, h("0x1.01p0"), h("0x1.03p0"), h("-0x1.0101p0"), h("0x1.00ffp0")]
    assert rounded(values, "f32") == values
    assert rounded(values, "f16") == values
    # To nearest, and from halfway to the even one.
    assert rounded(values, "bf16") == [1, -0.5, 1, h("0x1.04p0"), h("-0x1.02p0"), 1]
    assert rounded([0.5, 1.5, -2.5, 3, 127], "int8", 8, 127) == [0, 2, -2, 3, 127]
    assert rounded([2, -2, 0], "int8") == [2, -2, 0]
    assert rounded([1e-3], "int8") == pytest.approx([2 * 16 / 32767], abs=1e-15)


def test_a_vector_of_almost_nothing_is_zero_with_integers():
    assert rounded([2.0**-60], "int8", largest=0) == [2.0**-60]
    assert rounded([2.0**-61], "int8", largest=0) == [0]
    assert rounded([0], "int8", largest=0) == [0]


@pytest.mark.parametrize(
    "initial, is_shared, largest", [(0.25, False, 1), (-4.0, False, 4), (0.25, True, 0.25)], ids=str
)
def test_the_hidden_state_is_rounded_by_what_bounds_it(initial, is_shared, largest):
    # h' = tanh(1 h), whose h is rounded to a whole number of 127ths of the largest magnitude.
    tensors = [runnel.Tensor.of("W", [[0]]), runnel.Tensor.of("R", [[0]]), runnel.Tensor.of("b", [0])]
    for place, value in ((0, 0), (1, 1)):
        tensors[place] = runnel.Tensor(tensors[place].name, "int8", np.int8([[value]]), np.float32([1]))
    tensors.append(runnel.Tensor.of("h", [initial]))
    ports = (runnel.Input("x", "vector", 1),), (runnel.Output("y", 1),)
    programs = [
        runnel.Program(kind, ports[0], (runnel.Operation(kind, (0,), (0, 1, 2), (0,), input_bits=8),), ports[1])
        for kind in ("rnnTanh", "rnnReLU")[: 2 if is_shared else 1]
    ]
    model = runnel.Model((runnel.State("h", 1, 3),), tuple(programs), tuple(tensors))
    expected = math.tanh(round(initial * 127 / largest) * largest / 127)
    assert Session(model).step([1])[0] == pytest.approx(expected, abs=1e-12)


def test_a_cell_of_two_types_rounds_nothing():
    model = stored_as(one_cell("rnnTanh"), "int8")
    mixed = replace(model, tensors=(model.tensors[0], one_cell("rnnTanh").tensors[1], model.tensors[2]))
    scalar, session = Scalar(mixed), Session(mixed)
    for frame in FRAMES:
        scalar.h = scalar.rnnTanh(frame.tolist())
        assert session.step(frame) == pytest.approx(scalar.h, abs=1e-13)


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("models/*/*.runnel")), ids=lambda path: path.stem)
def test_golden_frames_of_committed_models_are_met(path):
    model = runnel.read(path)
    session = Session(model)
    assert model.golden
    for run in model.golden:
        if run.resets:
            session.reset()
        assert np.abs(session.run(run.frames, run.program) - run.predictions).max() <= model.tolerance


def test_an_invalid_model_is_not_run():
    with pytest.raises(runnel.ModelError):
        Session(replace(everything(1), programs=()))


# Moves, windows and whole sequences: naive loops over the definitions.


def of_one(build, size):
    """A session of one operation on a vector of so many elements."""
    builder = Builder()
    builder.output("y", build(builder, builder.vector("x", size)))
    return Session(builder.model())


def test_elements_are_gathered_by_their_numbers():
    session = of_one(lambda builder, x: builder.gather(x, [2, -1, 0, 2]), 3)
    assert session.step([5, 6, 7]).tolist() == [7, 0, 5, 7]


@pytest.mark.parametrize("size, taken, stride", [(7, 3, 2), (6, 6, 1), (9, 2, 3), (4, 1, 1), (8, 3, 4)])
def test_a_convolution_is_a_product_for_each_window(size, taken, stride):
    random = np.random.default_rng(size)
    w, b, x = random.normal(size=(2, taken)), random.normal(size=2), random.normal(size=size)
    expected, start = [], 0
    while start + taken <= size:
        for row in range(2):
            expected.append(b32(b)[row] + sum(b32(w)[row, k] * x[start + k] for k in range(taken)))
        start += stride
    found = of_one(lambda builder, slot: builder.convolution(slot, w, b, stride), size).step(x)
    assert found == pytest.approx(expected, abs=1e-13)
    without = of_one(lambda builder, slot: builder.convolution(slot, w, stride=stride), size).step(x)
    assert without == pytest.approx(found - np.tile(b32(b), len(found) // 2), abs=1e-13)


def b32(values):
    """The numbers as a file holds them."""
    return values.astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("size, count, width, stride", [(12, 2, 3, 3), (12, 2, 3, 2), (8, 4, 2, 1), (11, 1, 4, 3)])
def test_rows_of_a_window_are_summed_and_compared(size, count, width, stride):
    random = np.random.default_rng(size)
    w, b, x = random.normal(size=(count, width)), random.normal(size=width), random.normal(size=size)
    sums, largest, start = [], [], 0
    while start + count * width <= size:
        for column in range(width):
            values = [x[start + row * width + column] for row in range(count)]
            sums.append(b32(b)[column] + sum(b32(w)[row, column] * value for row, value in enumerate(values)))
            largest.append(max(values))
        start += stride
    found = of_one(lambda builder, slot: builder.depthwise(slot, w, b, stride), size).step(x)
    assert found == pytest.approx(sums, abs=1e-13)
    assert of_one(lambda builder, slot: builder.maximum(slot, width, count, stride), size).step(x).tolist() == largest


@pytest.mark.parametrize("kind, bits", [("bf16", 16), ("int8", 16), ("int8", 8)])
def test_a_convolution_rounds_each_window_as_a_vector_of_its_own(kind, bits):
    def build(method, size):
        builder = Builder()
        builder.output("y", getattr(builder, method)(builder.vector("x", size), [[0.5, -1], [0.25, 1]], [1, -2]))
        return Session(stored_as(builder.model(), kind, bits))

    x = np.array([0.001, 0.0031, 7, 1000.3])
    one = build("dense", 2)
    expected = np.concatenate([one.step(x[start : start + 2]) for start in range(3)])
    assert build("convolution", 4).step(x).tolist() == expected.tolist()


@pytest.mark.parametrize("count, dilation", [(2, 1), (3, 1), (3, 2), (2, 4)])
def test_a_window_is_of_frames_that_were(count, dilation):
    session = of_one(lambda builder, x: builder.window(x, count, dilation), 2)
    for now, found in enumerate(session.run(FRAMES)):
        places = [now - dilation * back for back in reversed(range(count))]
        assert found.tolist() == [value for place in places for value in (FRAMES[place] if place >= 0 else (0, 0))]


@pytest.mark.parametrize("stride, first", [(3, 0), (3, 2), (1, 0), (2, 5)])
def test_a_step_goes_on_every_so_often(stride, first):
    builder = Builder()
    x = builder.vector("x", 1)
    before, after = (builder.state(name, 1) for name in ("before", "after"))
    count = builder.store(builder.affine(builder.recall(before), 1, 1), before)
    x = builder.every(x, stride, first)
    later = builder.store(builder.add(builder.recall(after), builder.affine(x, 0, 1)), after)
    builder.output("y", builder.concatenate([x, count, later]))
    session, expected, goes_on = Session(builder.model()), [], 0
    for now in range(12):
        if now >= first and (now - first) % stride == 0:
            goes_on += 1
            expected.append([now + 0.5, now + 1, goes_on])
        else:
            expected.append(None)
    found = [session.step([now + 0.5]) for now in range(12)]
    assert [None if prediction is None else prediction.tolist() for prediction in found] == expected
    session.reset()
    rows = session.run([[now + 0.5] for now in range(12)])
    assert rows.tolist() == [[0.0] * 3 if row is None else row for row in expected]


def test_what_stands_behind_a_reverse_sees_the_frames_from_the_last_on():
    random = np.random.default_rng(4)
    builder = Builder()
    forward = cell(builder, "rnnTanh", builder.vector("x", 2), 3, random)
    backward = cell(builder, "gruResetAfter", builder.reverse(forward), 2, random)
    builder.output("y", builder.concatenate([builder.reverse(backward), forward]))
    model = builder.model()
    first, second = model.programs[0].operations[0], model.programs[0].operations[2]

    def alone(operation, size):
        program = runnel.Program("", (runnel.Input("x", "vector", size),), (replace(operation, operands=(0,)),), ())
        program = replace(program, outputs=(runnel.Output("y", 1),))
        return Session(replace(model, programs=(program,)))

    expected = alone(first, 2).run(FRAMES)
    turned = alone(second, 3).run(expected[::-1])[::-1]
    assert np.array_equal(Session(model).run(FRAMES), np.concatenate([turned, expected], axis=1))
    with pytest.raises(ValueError, match="program 'step' takes whole sequences and has no steps"):
        Session(model).step(FRAMES[0])
