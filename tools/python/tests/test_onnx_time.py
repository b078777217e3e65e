"""ONNX models over time: layers that run backward, and convolutions and pooling over frames, beside onnxruntime."""

import sys

import numpy as np
import pytest
from streaming import assert_close, frames_of, predicted

import runnel

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'onnx>=1.17'")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs every model here, is not installed")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

import runnel.onnx  # noqa: E402
from runnel import command  # noqa: E402
from runnel.frames import Frames  # noqa: E402
from runnel.onnx import cells  # noqa: E402

FLOAT = TensorProto.FLOAT
I, H = 3, 4
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}
KINDS = {
    "rnn": ("RNN", {}),
    "lstm": ("LSTM", {}),
    "gru-before": ("GRU", {}),
    "gru-after": ("GRU", {"linear_before_reset": 1}),
}


def random(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).uniform(-0.6, 0.6, shape).astype(np.float32)


def node(kind, *inputs, outputs=("y",), name=None, **attributes):
    return helper.make_node(kind, inputs, outputs, name=name or f"the{kind}", **attributes)


def graph_model(nodes, x, constants, outputs=("y",)):
    """A model from x, of this shape, to outputs whose shapes are found out."""
    port = helper.make_tensor_value_info("x", FLOAT, x)
    results = [onnx.ValueInfoProto(name=name) for name in outputs]
    for result in results:
        result.type.tensor_type.elem_type = FLOAT
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "graph", [port], results, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model)


def by_onnxruntime(model, x):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # An optimization takes the zeros that a Pad puts before a MaxPool for padding that does not count.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})


def names(model):
    return [operation.name for operation in model.programs[0].operations]


# Layers in both directions


def layer(kind, x, size, units, key="", direction="bidirectional", starts=(), outputs=None, seed=0, **attributes):
    """A node `layer` from x, and its weights."""
    count, rows = DIRECTIONS[direction], GATES[kind] * units
    shapes = {"W": (count, rows, size), "R": (count, rows, units), "B": (count, 2 * rows)}
    weights = {f"{name}{key}": random(*shape, seed=seed) for name, shape in shapes.items()}
    inputs = [x, *weights, "", *starts]
    outputs = outputs or [f"Y{key}"]
    attributes |= {"hidden_size": units, "direction": direction}
    return node(kind, *inputs, outputs=outputs, name=f"layer{key}", **attributes), weights


def stack(kind, direction, layers, units, **attributes):
    """Layers of one size over x, [time, 1, I], to y, [time, 1, directions units]."""
    nodes, constants, x, size = [], {"flat": np.array([0, 0, -1])}, "x", I
    for place in range(layers):
        made, weights = layer(kind, x, size, units, place, direction, seed=place, **attributes)
        last = "y" if place == layers - 1 else f"y{place}"
        nodes += [
            made,
            node("Transpose", f"Y{place}", outputs=[f"t{place}"], perm=[0, 2, 1, 3], name=f"turn{place}"),
            node("Reshape", f"t{place}", "flat", outputs=[last], name=f"join{place}"),
        ]
        constants |= weights
        x, size = last, DIRECTIONS[direction] * units
    return graph_model(nodes, ("time", 1, I), constants)


def compared_whole(model, path, run_tool, lengths=(1, 2, 33)):
    """The export, after comparisons over whole sequences through the reference and the tool."""
    exported = runnel.onnx.export(model, path)
    assert exported.programs[0].takes_whole_sequences
    for length in lengths:
        frames = frames_of(length, I, seed=length)
        (expected,) = by_onnxruntime(model, frames[:, None])
        expected = expected.reshape(length, -1)
        assert_close(runnel.Session(exported).run(frames), expected)
        assert_close(predicted(run_tool, path, frames), expected)
    return exported


@pytest.mark.parametrize("units", [1, 8, 17])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("direction", ["reverse", "bidirectional"])
@pytest.mark.parametrize("kind", KINDS)
def test_layers(kind, direction, layers, units, tmp_path, run_tool):
    operator, attributes = KINDS[kind]
    model = stack(operator, direction, layers, units, **attributes)
    exported = compared_whole(model, tmp_path / "model.runnel", run_tool)
    assert names(exported).count("reverse") == 2 * layers


def test_a_large_layer(tmp_path, run_tool):
    compared_whole(stack("LSTM", "bidirectional", 2, 64), tmp_path / "model.runnel", run_tool, lengths=(200,))


def test_a_layer_that_runs_forward_before_one_that_runs_backward(tmp_path, run_tool):
    first, weights = layer("GRU", "x", I, H, "a", "forward")
    second, more = layer("LSTM", "s", H, H, "b", "reverse")
    nodes = [first, node("Squeeze", "Ya", "one", outputs=["s"]), second, node("Identity", "Yb")]
    model = graph_model(nodes, ("time", 1, I), {**weights, **more, "one": np.array([1])})
    exported = compared_whole(model, tmp_path / "model.runnel", run_tool)
    assert names(exported) == ["gruResetBefore", "reverse", "lstm", "reverse"]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_both_layouts_give_the_same(kind, direction):
    """onnxruntime has layout 0 only: what it gives is brought into the other one here."""
    operator, attributes = KINDS[kind]
    count, states = DIRECTIONS[direction], 2 if operator == "LSTM" else 1
    starts = {name: random(count, 1, H, seed=place + 5) for place, name in enumerate("hc"[:states])}
    frames = frames_of(20, I)
    found, sessions = [], []
    for layout in (0, 1):
        made, weights = layer(operator, "x", I, H, "", direction, tuple(starts), layout=layout, **attributes)
        given = {name: np.swapaxes(array, 0, 1) if layout else array for name, array in starts.items()}
        x = (1, "time", I) if layout else ("time", 1, I)
        model = graph_model([made], x, {**weights, **given}, ["Y"])
        sessions.append(runnel.Session(runnel.onnx.export(model)))
        found.append(sessions[-1].run(frames))
        if not layout:
            (expected,) = by_onnxruntime(model, frames[:, None])
    for rows in found:
        assert_close(rows, expected.reshape(20, count * H))


@pytest.mark.parametrize("kind", GATES)
def test_initial_states_differ_in_each_direction(kind, tmp_path, run_tool):
    starts = {name: random(2, 1, H, seed=7) for name in ("h", "c")[: 2 if kind == "LSTM" else 1]}
    made, weights = layer(kind, "x", I, H, starts=tuple(starts))
    model = graph_model([made], ("time", 1, I), {**weights, **starts}, ["Y"])
    exported = compared_whole(model, tmp_path / "model.runnel", run_tool)
    found = [exported.tensors[state.initial].data.ravel() for state in exported.states]
    expected = [array[place, 0] for place in range(2) for array in starts.values()]
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


ACTIVATIONS = {
    "RNN": (["Affine", "LeakyRelu"], [0.4, 0.3], [0.1]),
    "LSTM": (
        ["HardSigmoid", "Tanh", "ScaledTanh", "Sigmoid", "Softsign", "Affine"],
        [0.3, 1.2, 0.5],
        [0.6, 0.7, 0.2],
    ),
    "GRU": (["HardSigmoid", "Tanh", "Sigmoid", "ScaledTanh"], [0.3, 1.2], [0.6, 0.7]),
}


@pytest.mark.parametrize("kind", GATES)
def test_each_direction_has_its_own_activations(kind, tmp_path, run_tool):
    functions, alpha, beta = ACTIVATIONS[kind]
    named = {"activations": functions, "activation_alpha": alpha, "activation_beta": beta}
    compared_whole(stack(kind, "bidirectional", 1, H, **named), tmp_path / "model.runnel", run_tool)


@pytest.mark.parametrize("direction", ["reverse", "bidirectional"])
def test_an_rnn_names_an_activation_for_each_direction(direction):
    functions = ["Relu", "Tanh"][: DIRECTIONS[direction]]
    exported = runnel.onnx.export(stack("RNN", direction, 1, H, activations=functions))
    expected = [{"Relu": "rnnReLU", "Tanh": "rnnTanh"}[name] for name in functions]
    assert [name for name in names(exported) if name.startswith("rnn")] == expected


@pytest.mark.parametrize("direction", ["reverse", "bidirectional"])
@pytest.mark.parametrize("kind", KINDS)
def test_clipping(kind, direction, tmp_path, run_tool):
    operator, attributes = KINDS[kind]
    model = stack(operator, direction, 1, H, clip=0.2, **attributes)
    compared_whole(model, tmp_path / "model.runnel", run_tool)


@pytest.mark.parametrize("attributes", [{}, {"input_forget": 1}, {"input_forget": 1, "clip": 0.3}])
@pytest.mark.parametrize("direction", ["reverse", "bidirectional"])
def test_peepholes_and_coupled_gates(direction, attributes, tmp_path, run_tool):
    made, weights = layer("LSTM", "x", I, H, "", direction, ("", "", "P"), **attributes)
    weights["P"] = random(DIRECTIONS[direction], 3 * H, seed=3)
    compared_whole(graph_model([made], ("time", 1, I), weights, ["Y"]), tmp_path / "model.runnel", run_tool)


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("direction", ["reverse", "bidirectional"])
def test_the_last_states_are_those_of_the_whole_sequence(kind, direction, tmp_path, run_tool):
    """The backward half of Y_h has seen all frames: it is right in the last row alone."""
    made, weights = layer(kind, "x", I, H, "", direction, outputs=["", "Y_h"])
    model, path = graph_model([made], ("time", 1, I), weights, ["Y_h"]), tmp_path / "model.runnel"
    exported = runnel.onnx.export(model, path)
    for length in (1, 9, 30):
        frames = frames_of(length, I)
        expected = by_onnxruntime(model, frames[:, None])[0].reshape(1, -1)
        assert_close(runnel.Session(exported).run(frames)[-1:], expected)
        assert_close(predicted(run_tool, path, frames)[-1:], expected)


def test_one_direction_of_two_is_taken(tmp_path, run_tool):
    made, weights = layer("LSTM", "x", I, H)
    nodes = [made, node("Gather", "Y", "second", axis=1)]
    model = graph_model(nodes, ("time", 1, I), {**weights, "second": np.array(1)})
    compared_whole(model, tmp_path / "model.runnel", run_tool)


@pytest.mark.parametrize("count", [12, 20])
def test_a_sequence_of_one_length(count):
    """The graph takes so many frames only, as a Reshape says: fewer than a golden run has, or more."""
    made, weights = layer("GRU", "x", I, H)
    nodes = [made, node("Reshape", "Y", "shape")]
    model = graph_model(nodes, (count, 1, I), {**weights, "shape": np.array([count, 2 * H])})
    exported = runnel.onnx.export(model)
    assert len(exported.golden[0].frames) == count
    frames = frames_of(count, I)
    assert_close(runnel.Session(exported).run(frames), by_onnxruntime(model, frames[:, None])[0])


def test_a_length_that_is_that_of_the_sequence():
    made, weights = layer("GRU", "x", I, H)
    made.input[4] = "lengths"
    nodes = [
        node("Shape", "x", outputs=["sizes"]),
        node("Gather", "sizes", "zero", outputs=["long"]),
        node("Cast", "long", outputs=["lengths"], to=TensorProto.INT32),
        made,
    ]
    model = graph_model(nodes, ("time", 1, I), {**weights, "zero": np.array([0])}, ["Y"])
    exported = runnel.onnx.export(model)
    frames = frames_of(14, I)
    assert_close(runnel.Session(exported).run(frames), by_onnxruntime(model, frames[:, None])[0].reshape(14, -1))


def test_a_step_of_a_whole_sequence_is_refused():
    session = runnel.Session(runnel.onnx.export(stack("GRU", "reverse", 1, H)))
    with pytest.raises(ValueError, match="takes whole sequences and has no steps"):
        session.step(np.zeros(I))


SWAPPED = {"reverse": (False,), "bidirectional": (True, False)}


@pytest.mark.parametrize("direction", SWAPPED)
@pytest.mark.parametrize("kind", KINDS)
def test_another_direction_is_caught(kind, direction, monkeypatch):
    operator, attributes = KINDS[kind]
    model = stack(operator, direction, 1, H, **attributes)
    runnel.onnx.export(model)
    monkeypatch.setitem(cells._DIRECTIONS, direction, SWAPPED[direction])
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.onnx.export(model)


def test_the_reference_of_onnx_runs_no_layer_backward(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(runnel.ExportError, match="reference: it runs no recurrent layer backward"):
        runnel.onnx.export(stack("GRU", "reverse", 1, H))


def layer_refusals():
    def of(kind, x=("time", 1, I), direction="bidirectional", changes=(), **options):
        made, weights = layer(kind, "x", I, H, "", direction, **options)
        return graph_model([made], x, weights | dict(changes), ["Y"])

    yield "W", of("GRU", changes={"W": random(1, 12, I)}), "GRU layer: W has the shape [1, 12, 3]; expected 2 first"
    yield "R", of("GRU", changes={"R": random(1, 12, H)}), "GRU layer: R has the shape [1, 12, 4]; expected 2 first"
    yield (
        "B",
        of("RNN", direction="reverse", changes={"B": random(2, 8)}),
        "RNN layer: B has the shape [2, 8]; expected 1 first",
    )
    yield (
        "P",
        of("LSTM", starts=("", "", "P"), changes={"P": random(1, 12)}),
        "LSTM layer: P has the shape [1, 12]; expected 2 first",
    )
    yield (
        "initial state",
        of("GRU", starts=("h",), changes={"h": random(1, 1, H)}),
        "GRU layer: layer: initial state has the shape [1, 1, 4]; expected [2, 1, 4]",
    )
    yield (
        "initial state of the other layout",
        of("GRU", starts=("h",), changes={"h": random(2, 1, H)}, x=(1, "time", I), layout=1),
        "GRU layer: layer: initial state has the shape [2, 1, 4]; expected [1, 2, 4]",
    )
    yield (
        "activations of one direction",
        of("LSTM", activations=["Sigmoid", "Tanh", "Tanh"]),
        "LSTM layer: activations sigmoid, tanh, tanh; expected 6 of",
    )
    yield (
        "constants of one direction",
        of("RNN", activations=["ThresholdedRelu"] * 2, activation_alpha=[0.3]),
        "RNN layer: the activation thresholdedrelu without its alpha",
    )
    yield "one frame", of("GRU", (1, 1, I)), "GRU layer: the layer runs backward, and the graph is of one frame"
    yield "cell state", of("LSTM", outputs=["", "", "Y"]), "result 0: a state is used outside of its cell"


REFUSED_LAYERS = {name: (model, reason) for name, model, reason in layer_refusals()}


@pytest.mark.parametrize("name", REFUSED_LAYERS)
def test_layers_that_are_refused(name):
    model, reason = REFUSED_LAYERS[name]
    with pytest.raises(runnel.ExportError) as caught:
        runnel.onnx.export(model)
    assert reason in str(caught.value)


# Convolutions, pooling and moves over time

CHANNELS = 4
WEIGHTS = {
    "k1": random(CHANNELS, CHANNELS, 1),
    "k2": random(CHANNELS, CHANNELS, 2),
    "k3": random(CHANNELS, CHANNELS, 3),
    "k5": random(6, CHANNELS, 5),
    "halves": random(6, CHANNELS // 2, 3),
    "depth": random(CHANNELS, 1, 3),
    "bias": random(CHANNELS, seed=1),
    "gain": random(CHANNELS, seed=2),
    "variance": np.abs(random(CHANNELS, seed=3)) + 0.5,
    "left": np.array([0, 0, 4, 0, 0, 0]),
    "right": np.array([0, 0, 0, 0, 0, 1]),
    "around": np.array([0, 0, 2, 0, 0, 2]),
    "nothing": np.zeros((1, CHANNELS, 2), np.float32),
    "ones": np.ones((1, CHANNELS, 2), np.float32),
    "first": np.array([0]),
    "second": np.array([1]),
    "third": np.array([2]),
    "minus2": np.array([-2]),
    "end": np.array([2**62]),
    "last": np.array(-1),
    "scalar": np.float32(0.7),
}
CHOMP = ("first", "minus2", "third")  # from the start to the last two, along axis 2
# Nodes from x, [1, CHANNELS, time], to y; the steps at which frames are known, first and hop.
CONVOLUTIONS = {
    "causal": ([node("Conv", "x", "k3", "bias", pads=[2, 0])], (0, 1)),
    "causal, dilated": ([node("Conv", "x", "k3", pads=[8, 0], dilations=[4])], (0, 1)),
    "of two, SAME_LOWER": ([node("Conv", "x", "k2", auto_pad="SAME_LOWER")], (0, 1)),
    "of points": ([node("Conv", "x", "k1")], (0, 1)),
    "valid": ([node("Conv", "x", "k3")], (2, 1)),
    "valid, by name": ([node("Conv", "x", "k5", auto_pad="VALID")], (4, 1)),
    "valid, dilated": ([node("Conv", "x", "k5", dilations=[3])], (12, 1)),
    "less padding": ([node("Conv", "x", "k5", pads=[1, 0])], (3, 1)),
    "strides": ([node("Conv", "x", "k3", pads=[2, 0], strides=[2])], (0, 2)),
    "valid, strides": ([node("Conv", "x", "k3", strides=[3])], (2, 3)),
    "strides twice": (
        [
            node("Conv", "x", "k3", pads=[2, 0], strides=[2], outputs=["a"]),
            node("Relu", "a", outputs=["b"]),
            node("Conv", "b", "k3", strides=[2], name="second"),
        ],
        (4, 4),
    ),
    "strides, padded at the end": ([node("Conv", "x", "k3", pads=[1, 1], strides=[2])], (1, 2)),
    "groups": ([node("Conv", "x", "halves", pads=[2, 0], group=2)], (0, 1)),
    "depthwise": ([node("Conv", "x", "depth", "bias", pads=[4, 0], dilations=[2], group=CHANNELS)], (0, 1)),
    "separable": (
        [
            node("Conv", "x", "depth", pads=[2, 0], group=CHANNELS, outputs=["a"]),
            node("Conv", "a", "k1", name="second"),
        ],
        (0, 1),
    ),
    "Pad": ([node("Pad", "x", "left", outputs=["p"]), node("Conv", "p", "k3", dilations=[2])], (0, 1)),
    "zeros before": ([node("Concat", "nothing", "x", axis=2, outputs=["p"]), node("Conv", "p", "k3")], (0, 1)),
    "a chomp": (
        [node("Conv", "x", "k3", pads=[2, 2], outputs=["a"]), node("Slice", "a", *CHOMP)],
        (0, 1),
    ),
    "zeros behind, and a chomp": (
        [
            node("Concat", "nothing", "x", "nothing", axis=2, outputs=["p"]),
            node("Conv", "p", "k3", outputs=["a"]),
            node("Slice", "a", *CHOMP),
        ],
        (0, 1),
    ),
    "a residual": (
        [
            node("Conv", "x", "k3", pads=[2, 0], outputs=["a"]),
            node("Relu", "a", outputs=["b"]),
            node("Add", "x", "b"),
        ],
        (0, 1),
    ),
    "a cropped residual": (
        [
            node("Conv", "x", "k3", outputs=["a"]),
            node("Slice", "x", "third", "end", "third", outputs=["c"]),
            node("Add", "a", "c"),
        ],
        (2, 1),
    ),
    "gates": (
        [
            node("Conv", "x", "k3", pads=[2, 0], outputs=["a"]),
            node("Conv", "x", "k3", "bias", pads=[2, 0], outputs=["b"], name="other"),
            node("Tanh", "a", outputs=["c"]),
            node("Sigmoid", "b", outputs=["d"]),
            node("Mul", "c", "d"),
        ],
        (0, 1),
    ),
    "a batch norm": (
        [
            node("Conv", "x", "k3", pads=[2, 0], outputs=["a"]),
            node("BatchNormalization", "a", "gain", "bias", "bias", "variance"),
        ],
        (0, 1),
    ),
    "MaxPool": ([node("MaxPool", "x", kernel_shape=[3])], (2, 1)),
    "MaxPool, strides": ([node("MaxPool", "x", kernel_shape=[2], strides=[2])], (1, 2)),
    "MaxPool behind zeros": (
        [node("Pad", "x", "left", outputs=["p"]), node("MaxPool", "p", kernel_shape=[5])],
        (0, 1),
    ),
    "AveragePool": ([node("AveragePool", "x", kernel_shape=[4], strides=[4])], (3, 4)),
    "AveragePool, padded": (
        [node("AveragePool", "x", kernel_shape=[3], pads=[2, 0], count_include_pad=1)],
        (0, 1),
    ),
    "a later start": ([node("Slice", "x", "third", "end", "third")], (2, 1)),
    "every second frame": ([node("Slice", "x", "first", "end", "third", "third")], (0, 2)),
    "every second frame from the second on": ([node("Slice", "x", "second", "end", "third", "third")], (1, 2)),
    "every second frame behind a convolution": (
        [
            node("Conv", "x", "k3", pads=[2, 0], outputs=["a"]),
            node("Slice", "a", "second", "end", "third", "third"),
        ],
        (1, 2),
    ),
    "both rates": (
        [
            node("Conv", "x", "k3", pads=[2, 0], strides=[2], outputs=["a"]),
            node("Slice", "x", "first", "end", "third", "third", outputs=["b"]),
            node("Concat", "a", "b", axis=1),
        ],
        (0, 2),
    ),
    "frames first": (
        [
            node("Conv", "x", "k3", pads=[2, 0], outputs=["a"]),
            node("Transpose", "a", perm=[0, 2, 1]),
        ],
        (0, 1),
    ),
}


def over_time(nodes, constants=(), outputs=("y",), x=(1, CHANNELS, "time")):
    used = {name for made in nodes for name in made.input}
    given = {name: array for name, array in WEIGHTS.items() if name in used}
    return graph_model(nodes, x, given | dict(constants), outputs)


def rows(result, count, clock, axis):
    """A result's frames at their steps, first and hop, and zeros at the others."""
    first, hop = clock
    steps, result = range(first, count, hop), np.moveaxis(result, axis, 0)
    found = np.zeros((count, result[0].size))
    # What is behind them is made of padding.
    assert 0 <= len(result) - len(steps) <= 1
    found[steps] = result[: len(steps)].reshape(len(steps), -1)
    return found


def compared(model, clock, path, run_tool, axis=2, **options):
    exported = runnel.onnx.export(model, path, **options)
    for length in (41, 64):
        frames = frames_of(length, CHANNELS, seed=length)
        (result,) = by_onnxruntime(model, frames.T[None])
        expected = rows(result, length, clock, axis)
        assert_close(runnel.Session(exported).run(frames), expected)
        assert_close(predicted(run_tool, path, frames), expected)
    return exported


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_over_time(name, tmp_path, run_tool):
    nodes, clock = CONVOLUTIONS[name]
    exported = compared(
        over_time(nodes), clock, tmp_path / "model.runnel", run_tool, 1 if name == "frames first" else 2, time=2
    )
    assert names(exported).count("every") == (clock != (0, 1)) + (name == "strides twice")


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_a_layer_behind_them_says_which_axis_is_time(name, kind, tmp_path, run_tool):
    nodes, clock = CONVOLUTIONS[name]
    size = {"of points": 4, "valid, by name": 6, "valid, dilated": 6, "less padding": 6, "groups": 6, "both rates": 8}
    made, weights = layer(kind, "s", size.get(name, CHANNELS), H, direction="forward")
    perm = [1, 0, 2] if name == "frames first" else [2, 0, 1]
    nodes = [*nodes, node("Transpose", "y", outputs=["s"], perm=perm, name="turned"), made]
    compared(over_time(nodes, weights, ["Y"]), clock, tmp_path / "model.runnel", run_tool, 0)


@pytest.mark.parametrize("batch, channels", [(1, CHANNELS), ("batch", CHANNELS), ("batch", "channels")])
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_time_is_found_behind_open_sizes(batch, channels, direction, tmp_path, run_tool):
    made, weights = layer("LSTM", "s", CHANNELS, H, direction=direction)
    nodes = [
        node("Conv", "x", "k3", pads=[2, 0], outputs=["c"]),
        node("Transpose", "c", outputs=["s"], perm=[2, 0, 1]),
        made,
    ]
    model = over_time(nodes, weights, ["Y"], (batch, channels, "time"))
    options = {"shapes": {"x": (1, CHANNELS, 30)}} if channels == "channels" else {}
    if options:
        # Time has the size that was given, and the graph takes any.
        exported = runnel.onnx.export(model, **options)
        frames = frames_of(30, CHANNELS)
        expected = by_onnxruntime(model, frames.T[None])[0].reshape(30, -1)
        assert_close(runnel.Session(exported).run(frames), expected)
    else:
        compared(model, (0, 1), tmp_path / "model.runnel", run_tool, 0)


def tcn(dilations, width=3):
    """Blocks of two convolutions with chomps and a residual."""
    nodes, constants, x = [], {}, "x"
    for place, dilation in enumerate(dilations):
        pads, first = [(width - 1) * dilation] * 2, x
        constants[f"end{place}"] = np.array([-pads[0]])
        for part in range(2):
            key = f"{place}.{part}"
            constants[f"w{key}"] = random(CHANNELS, CHANNELS, width, seed=place * 2 + part)
            nodes += [
                node("Conv", x, f"w{key}", outputs=[f"c{key}"], pads=pads, dilations=[dilation], name=f"conv{key}"),
                node("Slice", f"c{key}", "first", f"end{place}", "third", outputs=[f"s{key}"], name=f"slice{key}"),
                node("Relu", f"s{key}", outputs=[f"r{key}"], name=f"relu{key}"),
            ]
            x = f"r{key}"
        nodes.append(node("Add", x, first, outputs=[f"y{place}"], name=f"add{place}"))
        x = f"y{place}"
    return over_time([*nodes, node("Tanh", x)], constants)


def test_a_network_of_blocks_with_residuals(tmp_path, run_tool):
    exported = compared(tcn([1, 2, 4]), (0, 1), tmp_path / "model.runnel", run_tool, time=2)
    assert names(exported).count("window") == 6 and "every" not in names(exported)


def test_valid_blocks_whose_windows_are_longer_than_the_usual_example(tmp_path, run_tool):
    nodes = [
        node("Conv", "x", "k3", outputs=["a"], dilations=[8], name="a"),
        node("Conv", "a", "k3", outputs=["b"], strides=[2], name="b"),
        node("Conv", "b", "k3", outputs=["y"], dilations=[4], name="c"),
    ]
    compared(over_time(nodes), (34, 2), tmp_path / "model.runnel", run_tool, time=2)


def test_windows_that_are_longer_than_the_usual_comparison(tmp_path, run_tool):
    nodes = [node("Conv", "x", "k5", dilations=[30])]
    path = tmp_path / "model.runnel"
    exported = runnel.onnx.export(over_time(nodes), path, time=2)
    assert np.count_nonzero(np.any(exported.golden[0].predictions, axis=1)) == 4
    assert run_tool("verify", path).returncode == 0


def test_a_causal_convolution_is_compared_as_far_as_it_reaches(monkeypatch):
    """One weight that only the frame of 119 steps ago meets is another one."""
    right = Frames.convolution

    def changed(frames, value, weights, *arguments, **named):
        weights = np.array(weights)
        weights[..., 0] += 0.1 if value.time is not None else 0
        return right(frames, value, weights, *arguments, **named)

    model = over_time([node("Conv", "x", "k2", pads=[119, 0], dilations=[119])])
    runnel.onnx.export(model, time=2)
    monkeypatch.setattr(Frames, "convolution", changed)
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.onnx.export(model, time=2)


def test_only_the_last_state_behind_a_stride(tmp_path, run_tool):
    """A step that gives a prediction gives what the graph would if its frame were the last."""
    made, weights = layer("GRU", "s", CHANNELS, H, direction="forward", outputs=["", "Y_h"])
    nodes = [
        node("Conv", "x", "k3", pads=[2, 0], strides=[2], outputs=["c"]),
        node("Transpose", "c", outputs=["s"], perm=[2, 0, 1]),
        made,
    ]
    model, path = over_time(nodes, weights, ["Y_h"]), tmp_path / "model.runnel"
    exported = runnel.onnx.export(model, path)
    frames, expected = frames_of(21, CHANNELS), np.zeros((21, H))
    for step in range(0, 21, 2):
        expected[step] = by_onnxruntime(model, frames[: step + 1].T[None])[0].ravel()
    assert_close(runnel.Session(exported).run(frames), expected)
    assert_close(predicted(run_tool, path, frames), expected)


def test_positions_within_frames_stay_what_they_are(tmp_path, run_tool):
    """Frames of [CHANNELS, 6]: the convolution goes over their positions, and a layer over time."""
    made, weights = layer("GRU", "s", 24, H, direction="forward")
    nodes = [
        node("Conv", "x", "k3", pads=[1, 1], outputs=["c"]),
        node("Reshape", "c", "flat", outputs=["s"]),
        made,
    ]
    constants = {**weights, "flat": np.array([-1, 1, 24])}
    model, path = over_time(nodes, constants, ["Y"], ("time", CHANNELS, 6)), tmp_path / "model.runnel"
    exported = runnel.onnx.export(model, path)
    frames = frames_of(30, 24)
    expected = by_onnxruntime(model, frames.reshape(30, CHANNELS, 6))[0].reshape(30, H)
    assert_close(runnel.Session(exported).run(frames), expected)
    assert_close(predicted(run_tool, path, frames), expected)


# Wrong exports


def test_a_flipped_kernel_is_caught(monkeypatch):
    right = Frames.convolution

    def flipped(frames, value, weights, *arguments, **named):
        is_stream = value.time is not None
        return right(frames, value, weights[..., ::-1] if is_stream else weights, *arguments, **named)

    model = over_time([node("Conv", "x", "k3", pads=[2, 0])])
    runnel.onnx.export(model, time=2)
    monkeypatch.setattr(Frames, "convolution", flipped)
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.onnx.export(model, time=2)


def test_another_phase_of_a_stride_is_caught(monkeypatch):
    right = runnel.Builder.every
    monkeypatch.setattr(
        runnel.Builder, "every", lambda builder, x, stride, first=0: right(builder, x, stride, 1 - first)
    )
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.onnx.export(over_time([node("Conv", "x", "k3", pads=[2, 0], strides=[2])]), time=2)


# Refusals

LAYER, LAYER_WEIGHTS = layer("GRU", "s", CHANNELS, H, direction="forward", outputs=["y"])
BOTH, BOTH_WEIGHTS = layer("GRU", "s", CHANNELS, H, direction="bidirectional", outputs=["y"])
TURNED = node("Transpose", "a", outputs=["s"], perm=[2, 0, 1])
# Nodes from x, [1, CHANNELS, time], and why they are refused; constants; results.
REFUSALS = {
    "looks ahead": ([node("Conv", "x", "k3", pads=[1, 1])], "result 0: it looks ahead"),
    "looks ahead by name": ([node("Conv", "x", "k3", auto_pad="SAME_UPPER")], "result 0: it looks ahead"),
    "a window of a stride reaches into padding at the end": (
        [node("Conv", "x", "k5", pads=[2, 2], strides=[2])],
        "result 0: it looks ahead",
    ),
    "a layer looks ahead": (
        [node("Conv", "x", "k3", pads=[1, 1], outputs=["a"]), TURNED, LAYER],
        "GRU layer: it looks ahead",
        LAYER_WEIGHTS,
    ),
    "padding at the end": ([node("Pad", "x", "right")], "result 0: it looks ahead"),
    "padding for nothing": ([node("Pad", "x", "left")], "4 frames of zeros stand before the first one"),
    "padding before a function": (
        [node("Pad", "x", "left", outputs=["a"]), node("Add", "a", "scalar")],
        "Add theAdd: 4 frames of zeros stand before the first one",
    ),
    "padding with a number": (
        [node("Pad", "x", "around", "scalar")],
        "Pad thePad: frames are padded along time with something else than zeros",
    ),
    "padding by reflection": (
        [node("Pad", "x", "around", mode="reflect")],
        "Pad thePad: frames are padded along time with something else than zeros",
    ),
    "ones before": (
        [node("Concat", "ones", "x", axis=2)],
        "Concat theConcat: a concatenation along time with something else than zeros",
    ),
    "too much padding": (
        [node("Conv", "x", "k2", pads=[4, 0])],
        "Conv theConv: 4 frames of zeros before the first one, and windows of 2",
    ),
    "a padded MaxPool": (
        [node("MaxPool", "x", kernel_shape=[3], pads=[2, 0])],
        "MaxPool theMaxPool: the largest of frames, with less than zeros before the first one",
    ),
    "an AveragePool of fewer": (
        [node("AveragePool", "x", kernel_shape=[3], pads=[2, 0])],
        "AveragePool theAveragePool: the mean of fewer frames at the start",
    ),
    "ceil_mode": (
        [node("MaxPool", "x", kernel_shape=[2], strides=[2], ceil_mode=1)],
        "MaxPool theMaxPool: ceil_mode adds a window",
    ),
    "all frames": ([node("GlobalAveragePool", "x")], "GlobalAveragePool theGlobalAveragePool: a sum, or a mean, over"),
    "spread": ([node("ConvTranspose", "x", "k2")], "ConvTranspose theConvTranspose: no operation"),
    "cut at the end": ([node("Slice", "x", *CHOMP)], "result 0: the last 2 of"),
    "other steps meet": (
        [
            node("Conv", "x", "k3", outputs=["a"]),
            node("Conv", "x", "k2", outputs=["b"], name="b"),
            node("Add", "a", "b"),
        ],
        "Add theAdd: ",
    ),
    "other rates meet": (
        [
            node("Slice", "x", "first", "end", "third", "third", outputs=["a"]),
            node("Slice", "x", "second", "end", "third", "third", outputs=["b"], name="b"),
            node("Concat", "a", "b", axis=1),
        ],
        "Slice b: two branches give frames at other steps each",
    ),
    "results at other steps": (
        [node("Tanh", "x", outputs=["a"]), node("Conv", "x", "k3", strides=[2])],
        "result 0 is known at step 0, 1, 2, …, and others are at step 2, 4, 6, …",
        {},
        ("a", "y"),
    ),
    "backward behind a stride": (
        [node("Conv", "x", "k3", pads=[2, 0], strides=[2], outputs=["a"]), TURNED, BOTH],
        "GRU layer: a layer runs backward, and other frames are known at step 0, 2, 4, … only",
        BOTH_WEIGHTS,
    ),
    "a stride behind a layer that runs backward": (
        [
            node("Transpose", "x", outputs=["s"], perm=[2, 0, 1]),
            layer("GRU", "s", CHANNELS, H, direction="reverse", outputs=["Y"])[0],
            node("Slice", "Y", "first", "end", "first", "third"),
        ],
        "Slice theSlice: frames are known at step 0, 2, 4, … only, and a layer runs backward",
        layer("GRU", "s", CHANNELS, H, direction="reverse")[1],
    ),
    "an example that is too short": (
        [node("Conv", "x", "k5", dilations=[30])],
        "Conv theConv: windows of 121 frames, 1 apart, leave less than two of 40",
        {},
        ("y",),
        (1, CHANNELS, 40),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name, tmp_path):
    nodes, reason, *others = REFUSALS[name]
    path = tmp_path / "model.runnel"
    with pytest.raises(runnel.ExportError) as caught:
        runnel.onnx.export(over_time(nodes, *others), path, time=2)
    assert reason in str(caught.value)
    assert not path.exists()


def test_refusals_of_the_right_axis_are_given():
    """Other axes than time are tried, too, and refused for reasons that say nothing."""
    nodes = [node("Conv", "x", "k3", pads=[1, 1], outputs=["a"]), TURNED, LAYER]
    for x in [(1, CHANNELS, "time"), ("batch", CHANNELS, "time")]:
        with pytest.raises(runnel.ExportError, match="GRU layer: it looks ahead"):
            runnel.onnx.export(over_time(nodes, LAYER_WEIGHTS, x=x))


def test_a_convolution_over_an_open_axis_asks_for_time():
    model = over_time([node("Conv", "x", "k3", pads=[2, 0])])
    with pytest.raises(runnel.ExportError) as caught:
        runnel.onnx.export(model)
    assert "Conv theConv: axis 2 of the input x is of any size" in str(caught.value)
    assert "expected time=2" in str(caught.value)
    one_frame = runnel.onnx.export(model, shapes={"x": (1, CHANNELS, 5)})
    assert one_frame.programs[0].frame_size == CHANNELS * 5


# The command


def test_the_command(tmp_path, run_tool, capsys):
    source, path = tmp_path / "model.onnx", tmp_path / "model.runnel"
    for model, options in [
        (stack("LSTM", "bidirectional", 2, H), []),
        (tcn([1, 2]), ["--time", "2"]),
        (over_time(CONVOLUTIONS["strides twice"][0]), ["--time", "2"]),
    ]:
        onnx.save(model, source)
        assert command.main([str(source), str(path), *options]) == 0, capsys.readouterr().err
        assert "compared with its source" in capsys.readouterr().out
        result = run_tool("verify", path)
        assert result.returncode == 0, result.stdout + result.stderr
    onnx.save(tcn([1]), source)
    assert command.main([str(source), str(path)]) == 1
    assert "expected time=2" in capsys.readouterr().err
