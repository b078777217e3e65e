"""ONNX's recurrent layers with other activations, and with clipping: composed cells, compared with onnxruntime."""

import numpy as np
import pytest
from streaming import assert_close, frames_of, predicted

import runnel

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'onnx>=1.17'")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs every model here, is not installed")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

import runnel.onnx  # noqa: E402
from runnel import variants  # noqa: E402
from runnel.onnx import cells  # noqa: E402

I, H = 3, 4
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
FUNCTIONS = {"RNN": 1, "LSTM": 3, "GRU": 2}
# Names with an alpha and a beta, where they take any.
ACTIVATIONS = [
    ("Relu",),
    ("Tanh",),
    ("Sigmoid",),
    ("Affine", 0.4, 0.1),
    ("LeakyRelu",),
    ("LeakyRelu", 0.3),
    ("ThresholdedRelu", 0.25),
    ("ThresholdedRelu", 0.0),
    ("ThresholdedRelu", -0.5),
    ("ScaledTanh", 1.2, 0.7),
    ("HardSigmoid",),
    ("HardSigmoid", 0.3, 0.6),
    ("Elu",),
    ("Elu", 0.6),
    ("Softsign",),
    ("Softplus",),
]
# As kinds of layers are told apart here: the GRU has two.
KINDS = {
    "RNN": ("RNN", {}),
    "LSTM": ("LSTM", {}),
    "GRU before": ("GRU", {}),
    "GRU after": ("GRU", {"linear_before_reset": 1}),
}


def model_of(kind, bias=True, scale=0.4, starts=False, **attributes):
    """A layer over any number of frames, whose weights are small enough for activations without bounds."""
    random, rows = np.random.default_rng(len(kind)), GATES[kind] * H
    shapes = {"W": (1, rows, I), "R": (1, rows, H), "B": (1, 2 * rows)}
    states = ["h", "c"][: (2 if kind == "LSTM" else 1) if starts else 0]
    shapes |= {name: (1, 1, H) for name in states}
    tensors = [
        numpy_helper.from_array((scale * random.normal(size=shape)).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    inputs = ["x", "W", "R", "B" if bias else "", "", *states]
    node = helper.make_node(kind, inputs, ["Y"], name="layer", hidden_size=H, **attributes)
    port = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["time", 1, I])
    result = helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["time", 1, 1, H])
    graph = helper.make_graph([node], "graph", [port], [result], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def activations(*entries):
    """The attributes for activations with their constants."""
    attributes = {"activations": [entry[0] for entry in entries]}
    for place, key in ((1, "activation_alpha"), (2, "activation_beta")):
        values = [entry[place] for entry in entries if len(entry) > place]
        if values:
            attributes[key] = values
    return attributes


def by_onnxruntime(model, frames):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": frames[:, None]})
    return expected.reshape(len(frames), H)


def compared(model, count=200, scale=1):
    """The export, after a comparison with onnxruntime."""
    frames = np.float32(scale) * frames_of(count, I)
    exported = runnel.onnx.export(model, frames=frames)
    assert_close(runnel.Session(exported).run(frames), by_onnxruntime(model, frames))
    return exported


def names(model):
    return [operation.name for operation in model.programs[0].operations]


# Activations


def at_each_place():
    for kind in KINDS:
        for place in range(FUNCTIONS[KINDS[kind][0]]):
            for entry in ACTIVATIONS:
                yield kind, place, entry


@pytest.mark.parametrize("kind, place, entry", at_each_place())
def test_an_activation_at_each_place(kind, place, entry):
    operator, attributes = KINDS[kind]
    entries = {"RNN": [("Tanh",)], "LSTM": [("Sigmoid",), ("Tanh",), ("Tanh",)], "GRU": [("Sigmoid",), ("Tanh",)]}
    entries = entries[operator]
    entries[place] = entry
    # Gates without bounds let a state grow: within so many frames it stays small.
    compared(model_of(operator, scale=0.3, **activations(*entries), **attributes), 8, scale=0.5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("entry", ACTIVATIONS, ids=lambda entry: " ".join(map(str, entry)))
def test_an_activation_at_all_places(kind, entry):
    operator, attributes = KINDS[kind]
    entries = [entry] * FUNCTIONS[operator]
    compared(model_of(operator, scale=0.3, **activations(*entries), **attributes), 8, scale=0.5)


def test_constants_are_taken_in_order_by_those_that_need_them():
    entries = [("HardSigmoid", 0.3, 0.6), ("Softsign",), ("ScaledTanh", 1.2, 0.7)]
    exported = compared(model_of("LSTM", **activations(*entries)))
    # The last ones go without where there are fewer; their defaults are those of ONNX's operators.
    fewer = activations(("LeakyRelu", 0.3), ("Elu",), ("HardSigmoid",))
    assert fewer["activation_alpha"] == [0.3]
    compared(model_of("LSTM", scale=0.2, **fewer))
    swapped = {**activations(*entries), "activation_alpha": [1.2, 0.3]}
    other = compared(model_of("LSTM", **swapped))
    frames = frames_of(20, I)
    assert np.abs(runnel.Session(exported).run(frames) - runnel.Session(other).run(frames)).max() > 0.01


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
def test_initial_states_and_biases(kind, bias):
    operator, attributes = KINDS[kind]
    entries = [("HardSigmoid",), ("Softsign",), ("Softsign",)][: FUNCTIONS[operator]]
    exported = compared(model_of(operator, bias=bias, starts=True, **activations(*entries), **attributes))
    assert all(state.initial is not None for state in exported.states)


@pytest.mark.parametrize(
    "kind, attributes, expected",
    [
        ("RNN", {}, ["rnnTanh"]),
        ("RNN", {"activations": ["Tanh", "Tanh"]}, ["rnnTanh"]),
        ("RNN", {"activations": ["Relu"]}, ["rnnReLU"]),
        ("LSTM", {"activations": ["Sigmoid", "Tanh", "Tanh"]}, ["lstm"]),
        ("GRU", {"activations": ["Sigmoid", "Tanh"]}, ["gruResetBefore"]),
        ("GRU", {"activations": ["Sigmoid", "Tanh"], "linear_before_reset": 1}, ["gruResetAfter"]),
    ],
)
def test_the_defaults_keep_the_operations_of_their_own(kind, attributes, expected):
    assert names(compared(model_of(kind, **attributes))) == expected


def test_thresholds_are_met_to_the_last_bit():
    alpha = np.float32(0.3)
    model = model_of("RNN", **activations(("ThresholdedRelu", float(alpha))))
    values = {"W": np.eye(H, I), "R": np.zeros((H, H)), "B": np.zeros(2 * H)}
    for tensor in model.graph.initializer:
        if tensor.name in values:
            array = values[tensor.name].astype(np.float32).reshape(tensor.dims)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    exported = runnel.onnx.export(model)
    below, above = np.nextafter(alpha, np.float32(0)), np.nextafter(alpha, np.float32(1))
    found = runnel.Session(exported).step([below, alpha, above])
    assert np.array_equal(found, [0, alpha, above, 0])


# Clipping


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clip", [0.05, 0.3, 50.0])
@pytest.mark.parametrize("bias", [True, False])
def test_clipping(kind, clip, bias):
    operator, attributes = KINDS[kind]
    exported = compared(model_of(operator, bias=bias, scale=0.8, clip=clip, **attributes))
    assert names(exported).count("clip") == GATES[operator]


@pytest.mark.parametrize("kind", KINDS)
def test_clipping_with_other_activations(kind):
    operator, attributes = KINDS[kind]
    entries = [("Affine", 0.4, 0.1), ("Softplus",), ("Elu",)][: FUNCTIONS[operator]]
    compared(model_of(operator, clip=0.25, **activations(*entries), **attributes))


def test_all_that_an_lstm_can_be():
    model = model_of(
        "LSTM", starts=True, clip=0.4, input_forget=1, **activations(("HardSigmoid",), ("Elu",), ("Relu",))
    )
    peepholes = np.random.default_rng(7).normal(size=(1, 3 * H)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(peepholes, "P"))
    model.graph.node[0].input.append("P")
    compared(model)


# What they are made of


@pytest.mark.parametrize(
    "kind, attributes, products",
    [
        ("RNN", {}, [(H, I + H)]),
        ("LSTM", {}, [(4 * H, I + H)]),
        ("LSTM", {"input_forget": 1}, [(3 * H, I + H)]),
        ("GRU before", {}, [(2 * H, I + H), (H, I + H)]),
        ("GRU after", {}, [(2 * H, I + H), (H, H), (H, I)]),
    ],
)
def test_gates_are_parts_of_one_product(kind, attributes, products):
    operator, more = KINDS[kind]
    exported = compared(model_of(operator, clip=0.5, **attributes, **more))
    operations = exported.programs[0].operations
    found = [exported.tensors[operation.tensors[0]].shape for operation in operations if operation.name == "dense"]
    assert found == products
    gates = products[0][0] // H
    assert names(exported).count("gather") == (0 if gates == 1 else gates)


def test_an_lstm_with_everything_at_once_is_that_of_a_loop():
    """A projection, too, which ONNX does not have."""
    random, size = np.random.default_rng(3), 2
    shapes = [(4 * H, I), (4 * H, size), (4 * H,), (3, H), (size, H), (size,), (H,)]
    w, r, b, peepholes, projection, h, c = (random.normal(size=shape).astype(np.float32) for shape in shapes)
    builder = runnel.Builder()
    x = builder.vector("x", I)
    activations = (lambda slot: builder.clip(slot, 0, 1), builder.relu, builder.tanh)
    variant = {"peepholes": tuple(peepholes), "projection": projection, "clip": 0.9, "activations": activations}
    builder.output("y", variants.lstm(builder, x, w, r, b, hidden=h, cell=c, **variant))
    frames, rows = frames_of(100, I), []
    for frame in frames.astype(np.float64):
        i, f, g, o = np.split(w @ frame + r @ h + b, 4)
        i, f = (np.clip(np.clip(t + p * c, -0.9, 0.9), 0, 1) for t, p in zip((i, f), peepholes))
        c = f * c + i * np.maximum(np.clip(g, -0.9, 0.9), 0)
        h = projection @ (np.clip(np.clip(o + peepholes[2] * c, -0.9, 0.9), 0, 1) * np.tanh(c))
        rows.append(h)
    assert_close(runnel.Session(builder.model()).run(frames), np.stack(rows))


# Through the tool


@pytest.mark.parametrize("kind", KINDS)
def test_the_tool_agrees_after_a_thousand_frames(kind, tmp_path, run_tool):
    operator, attributes = KINDS[kind]
    entries = [("HardSigmoid", 0.2, 0.5), ("Softsign",), ("ScaledTanh", 1.2, 0.7)][: FUNCTIONS[operator]]
    model, path = model_of(operator, clip=1.5, **activations(*entries), **attributes), tmp_path / "model.runnel"
    runnel.onnx.export(model, path)
    frames = frames_of(1000, I)
    assert_close(predicted(run_tool, path, frames), by_onnxruntime(model, frames))


# Wrong exports


@pytest.mark.parametrize("kind", KINDS)
def test_another_activation_is_caught(kind, monkeypatch):
    operator, attributes = KINDS[kind]
    model = model_of(operator, **activations(*[("Softsign",)] * FUNCTIONS[operator]), **attributes)
    monkeypatch.setitem(cells._ACTIVATIONS, "softsign", cells._ACTIVATIONS["tanh"])
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.onnx.export(model)


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_that_is_left_out_is_caught(kind, monkeypatch):
    operator, attributes = KINDS[kind]
    monkeypatch.setattr(cells, "_clip", lambda node: None)
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.onnx.export(model_of(operator, clip=0.2, **attributes))


# Refusals

REFUSALS = [
    ("GRU", {"clip": 0.0}, "clip 0; expected a number above 0"),
    ("RNN", {"clip": -1.0}, "clip -1; expected a number above 0"),
    ("RNN", {"activations": ["Cosine"]}, "activations cosine; expected 1 of relu, tanh"),
    ("LSTM", {"activations": ["Sigmoid", "Tanh"]}, "activations sigmoid, tanh; expected 3 of relu, tanh"),
    ("GRU", {"activations": ["Sigmoid"]}, "activations sigmoid; expected 2 of relu, tanh"),
    ("RNN", {"activations": ["Affine"]}, "the activation affine without its alpha; expected activation_alpha"),
    (
        "RNN",
        {"activations": ["ScaledTanh"], "activation_alpha": [1.0]},
        "the activation scaledtanh without its beta; expected activation_beta",
    ),
    ("GRU", {"activations": ["Sigmoid", "ThresholdedRelu"]}, "the activation thresholdedrelu without its alpha"),
]


@pytest.mark.parametrize("kind, attributes, reason", REFUSALS)
def test_refusals(kind, attributes, reason):
    with pytest.raises(runnel.ExportError) as caught:
        runnel.onnx.export(model_of(kind, **attributes))
    assert f"{kind} layer: {reason}" in str(caught.value)
