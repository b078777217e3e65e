"""The exporter of ONNX models: every operation, every refusal, and what its check catches."""

import os
import sys

import numpy as np
import pytest

import runnel

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'onnx>=1.17'")
pytest.importorskip("onnxruntime", reason="onnxruntime, which runs every model here, is not installed")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

import runnel.onnx  # noqa: E402
from runnel import command, layouts, variants  # noqa: E402
from runnel.onnx import cells, operations, running  # noqa: E402

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
I, H = 5, 6


def random(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(scale=0.5, size=shape).astype(np.float32)


def graph_model(nodes, inputs, outputs, constants=None, opset=17, types=None):
    """A model of nodes; inputs give shapes by name, with names for axes of any size; outputs give numbers of axes."""
    types = types or {}
    ports = [helper.make_tensor_value_info(name, types.get(name, FLOAT), shape) for name, shape in inputs.items()]
    results = [
        helper.make_tensor_value_info(name, types.get(name, FLOAT), [f"{name}{axis}" for axis in range(rank)])
        for name, rank in outputs.items()
    ]
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(nodes, "graph", ports, results, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def weights(kind, size=I, prefix=""):
    rows = GATES[kind] * H
    return {
        f"{prefix}W": random(1, rows, size),
        f"{prefix}R": random(1, rows, H, seed=1),
        f"{prefix}B": random(1, 2 * rows, seed=2),
    }


def layer(kind, bias=True, starts=(), outputs=None, x="x", prefix="", **attributes):
    """A recurrent node, and its name is `layer` with a prefix."""
    names = [f"{prefix}{name}" for name in ("W", "R", "B")]
    inputs = [x, *names[:2], names[2] if bias else "", "", *starts]
    outputs = outputs or [f"{prefix}Y"]
    return helper.make_node(kind, inputs, outputs, name=f"{prefix}layer", hidden_size=H, **attributes)


def over_time(kind, constants=None, outputs=None, x=("time", 1, I), opset=17, **options):
    """A model of one layer."""
    outputs = outputs or {"Y": 4}
    node = layer(kind, outputs=list(outputs), **options)
    results = {name: rank for name, rank in outputs.items() if name}
    return graph_model([node], {"x": x}, results, {**weights(kind), **(constants or {})}, opset)


def names(model):
    return [operation.name for operation in model.programs[0].operations]


def exported(model, **options):
    """The export, which has been compared with the model: it has golden frames."""
    result = runnel.onnx.export(model, **options)
    assert result.golden and result.tolerance > 0
    return result


def refused(model, *parts, **options):
    """Expects a refusal whose message has all of the parts."""
    with pytest.raises(runnel.ExportError) as caught:
        runnel.onnx.export(model, **options)
    for part in parts:
        assert part in str(caught.value)


# Recurrent layers

LAYERS = [
    ("RNN", {}, ["rnnTanh"]),
    ("RNN", {"activations": ["Relu"]}, ["rnnReLU"]),
    ("LSTM", {}, ["lstm"]),
    ("LSTM", {"activations": ["Sigmoid", "Tanh", "Tanh"]}, ["lstm"]),
    ("GRU", {}, ["gruResetBefore"]),
    ("GRU", {"linear_before_reset": 1}, ["gruResetAfter"]),
]


@pytest.mark.parametrize("kind, attributes, expected", LAYERS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("is_batch_first", [False, True])
def test_layers(kind, attributes, expected, bias, is_batch_first):
    x = (1, "time", I) if is_batch_first else ("time", 1, I)
    layout = {"layout": 1} if is_batch_first else {}
    result = exported(over_time(kind, x=x, bias=bias, **attributes, **layout))
    assert names(result) == expected
    assert [state.initial for state in result.states] == [None] * (2 if kind == "LSTM" else 1)


@pytest.mark.parametrize("kind, attributes, expected", LAYERS)
@pytest.mark.parametrize("shape", [("batch", "time", I), (None, None, I), ("time", 1, I), (8, 1, I)])
def test_the_layer_says_which_axis_is_time(kind, attributes, expected, shape):
    assert names(exported(over_time(kind, x=shape, **attributes))) == expected


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("is_batch_first", [False, True])
def test_initial_states(kind, is_batch_first):
    starts = {"h": random(1, 1, H, seed=3), "c": random(1, 1, H, seed=4)}
    used = {name: starts[name] for name in list(starts)[: 2 if kind == "LSTM" else 1]}
    x = (1, "time", I) if is_batch_first else ("time", 1, I)
    result = exported(over_time(kind, used, starts=tuple(used), x=x, layout=int(is_batch_first)))
    for state, array in zip(result.states, used.values()):
        assert np.array_equal(result.tensors[state.initial].data, array.ravel())


@pytest.mark.parametrize("kind", GATES)
def test_only_the_last_state_is_a_result_of_every_frame(kind):
    model = over_time(kind, outputs={"": 0, "Y_h": 3})
    result = exported(model)
    frames = random(7, I, seed=5)
    expected = running.runner(model)({"x": frames[:, None]})[0].ravel()
    assert np.allclose(runnel.Session(result).run(frames)[-1], expected, atol=1e-6)


def test_states_that_come_out_are_not_part_of_the_prediction():
    result = exported(over_time("LSTM", outputs={"Y": 4, "Y_h": 3, "Y_c": 3}))
    assert [port.name for port in result.programs[0].outputs] == ["prediction"]
    assert result.programs[0].outputs[0].slot == 1


def test_states_of_several_layers_that_come_out_are_not_part_of_the_prediction():
    model = stacked("LSTM")
    for node in model.graph.node:
        if node.op_type == "LSTM":
            node.output.extend([f"{node.output[0]}_h", f"{node.output[0]}_c"])
    for part in ("h", "c"):
        model.graph.node.append(helper.make_node("Concat", [f"aY_{part}", f"bY_{part}"], [part], axis=0))
        model.graph.output.append(helper.make_tensor_value_info(part, FLOAT, [2, 1, H]))
    assert [port.name for port in exported(model).programs[0].outputs] == ["prediction"]


def test_sequence_lens_that_is_the_length():
    constants = {"lengths": np.array([8], np.int32)}
    node = helper.make_node("GRU", ["x", "W", "R", "B", "lengths"], ["Y"], name="layer", hidden_size=H)
    inputs = {"x": (8, 1, I)}
    assert exported(graph_model([node], inputs, {"Y": 4}, {**weights("GRU"), **constants}))
    refused(
        graph_model([node], {"x": (9, 1, I)}, {"Y": 4}, {**weights("GRU"), **constants}),
        "GRU layer: sequence_lens [8]",
    )


def stacked(kind="GRU", opset=17, **attributes):
    """Two layers, the first over [1, time, features], with a dense head."""
    constants = {**weights(kind, prefix="a"), **weights(kind, H, prefix="b"), "one": np.array([1])}
    constants |= {"head": random(H, 3), "bias": random(3)}
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
        layer(kind, x="t", prefix="a", **attributes),
        helper.make_node("Squeeze", ["aY", "one"], ["s"]),
        layer(kind, x="s", prefix="b", **attributes),
        helper.make_node("Squeeze", ["bY", "one"], ["u"]),
        helper.make_node("Transpose", ["u"], ["v"], perm=[1, 0, 2]),
        helper.make_node("MatMul", ["v", "head"], ["m"]),
        helper.make_node("Add", ["m", "bias"], ["y"]),
    ]
    return graph_model(nodes, {"x": ("batch", "time", I)}, {"y": 3}, constants, opset)


@pytest.mark.parametrize("kind, attributes, expected", LAYERS)
def test_several_layers(kind, attributes, expected):
    result = exported(stacked(kind, **attributes))
    assert names(result)[:2] == expected * 2
    assert len(result.states) == (4 if kind == "LSTM" else 2)


@pytest.mark.parametrize("length", [1, "time"])
@pytest.mark.parametrize("is_input_first", [True, False])
def test_states_that_go_in_and_come_out(length, is_input_first):
    shapes = {"x": (length, 1, I), "h": (2, 1, H), "c": (2, 1, H)}
    if not is_input_first:
        shapes = {name: shapes[name] for name in ("h", "c", "x")}
    constants = {**weights("LSTM", prefix="a"), **weights("LSTM", H, prefix="b"), "axis": np.array([1])}
    constants["bounds"] = np.array([1, 1])
    nodes = [helper.make_node("Split", [name, "bounds"], [f"{name}a", f"{name}b"], axis=0) for name in ("h", "c")] + [
        layer("LSTM", starts=("ha", "ca"), prefix="a", outputs=["aY", "aH", "aC"]),
        helper.make_node("Squeeze", ["aY", "axis"], ["s"]),
        layer("LSTM", x="s", starts=("hb", "cb"), prefix="b", outputs=["bY", "bH", "bC"]),
        helper.make_node("Squeeze", ["bY", "axis"], ["y"]),
        helper.make_node("Concat", ["aH", "bH"], ["next_h"], axis=0),
        helper.make_node("Concat", ["aC", "bC"], ["next_c"], axis=0),
    ]
    result = exported(graph_model(nodes, shapes, {"y": 3, "next_h": 3, "next_c": 3}, constants))
    assert names(result) == ["lstm", "lstm"] and len(result.states) == 4
    assert [port.name for port in result.programs[0].inputs] == ["x"]
    assert [port.name for port in result.programs[0].outputs] == ["prediction"]


def test_a_state_that_does_not_come_out_is_refused():
    nodes = [layer("GRU", starts=("h",), outputs=["Y"])]
    refused(graph_model(nodes, {"x": (1, 1, I), "h": (1, 1, H)}, {"Y": 4}, weights("GRU")), "state h goes in")


def test_the_time_of_one_frame_can_be_named():
    model = over_time("LSTM", x=(1, 1, I))
    refused(model, "LSTM layer: the cell starts anew in each frame")
    assert names(exported(model, time=0)) == ["lstm"]
    refused(model, "time is 3", time=3)


def test_shapes_that_are_computed():
    """The zeros that PyTorch's exporter makes for the states of a layer."""
    constants = {**weights("LSTM"), "one": np.array(1), "zero": np.array([0]), "first": np.array([1])}
    constants["size"] = np.array([H])
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["batch"], axis=0),
        helper.make_node("Unsqueeze", ["batch", "zero"], ["batches"]),
        helper.make_node("Concat", ["first", "batches", "size"], ["states"], axis=0),
        helper.make_node("ConstantOfShape", ["states"], ["zeros"], value=numpy_helper.from_array(np.float32([0.25]))),
        layer("LSTM", starts=("zeros", "zeros")),
    ]
    result = exported(graph_model(nodes, {"x": ("time", "batch", I)}, {"Y": 4}, constants))
    assert (result.tensors[result.states[0].initial].data == 0.25).all()


def test_a_branch_of_a_constant_condition():
    def branch(name, function):
        node = helper.make_node(function, ["Y"], [name])
        return helper.make_graph([node], name, [], [helper.make_tensor_value_info(name, FLOAT, None)])

    branches = {"then_branch": branch("then", "Tanh"), "else_branch": branch("else", "Relu")}
    nodes = [layer("GRU"), helper.make_node("If", ["condition"], ["y"], **branches)]
    for condition, expected in ((True, "tanh"), (False, "relu")):
        constants = {**weights("GRU"), "condition": np.array(condition)}
        assert names(exported(graph_model(nodes, {"x": ("time", 1, I)}, {"y": 4}, constants)))[1] == expected


# Operations without a state

CONSTANTS = {
    "last axis": np.array([-1]),
    "before all": np.array([-100]),
    "matrix": random(H, 4),
    "square": random(4, H),
    "left": random(3, 1),
    "row": random(4),
    "features": random(H),
    "wide": random(1, 1, 1, H),
    "positive": np.abs(random(H)) + np.float32(0.5),
    "scalar": np.float32(0.7),
    "low": np.float32(-0.3),
    "high": np.float32(0.2),
    "infinite": np.float32(np.inf),
    "two": np.float32(2),
    "three": np.float32(3),
    "half": np.float32(0.5),
    "less": np.float32(-2),
    "axis": np.array([1]),
    "starts": np.array([1]),
    "ends": np.array([5]),
    "last": np.array([2]),
    "steps": np.array([2]),
    "parts": np.array([2, 4]),
    "flat": np.array([-1, H]),
    "kept": np.array([0, 0, 2, -1]),
    "picked": np.array([3, 0, 3]),
    "repeated": np.array([1, 2, H]),
    "tiles": np.array([1, 1, 2]),
    "ratio": np.float32(0.5),
    "pairs": np.array([0, 2, 3]),
    "triples": np.array([0, 3, 2]),
    "kernel": random(4, 2, 2),
    "margin": np.array([0, 0, 2, 0, 0, 1]),
    "two scales": random(2),
    "one scale": random(1),
}


def node(kind, *inputs, outputs=("y",), **attributes):
    return helper.make_node(kind, inputs, outputs, name=f"the{kind}", **attributes)


# What is computed from s, [time, 1, H], and from f, [time, H], up to y; the operations that come of it; the opset.
PLAIN = {
    "MatMul": ([node("MatMul", "s", "matrix")], ["dense"]),
    "MatMul and Add": ([node("MatMul", "s", "matrix", outputs=["m"]), node("Add", "row", "m")], ["dense"]),
    "MatMul and Add of a number": (
        [node("MatMul", "s", "matrix", outputs=["m"]), node("Add", "m", "scalar")],
        ["dense"],
    ),
    "MatMul and Add twice": (
        [
            node("MatMul", "s", "matrix", outputs=["m"]),
            node("Add", "m", "row", outputs=["a"]),
            node("Mul", "m", "a"),
        ],
        ["dense", "affine", "multiply"],
    ),
    "MatMul of a constant": ([node("MatMul", "left", "s")], ["convolution", "gather"]),
    "Gemm": ([node("Gemm", "f", "matrix", "row", alpha=0.5, beta=2.0)], ["dense"]),
    "Gemm, transposed": ([node("Gemm", "f", "square", "scalar", transB=1)], ["dense"]),
    "Gemm without C": ([node("Gemm", "f", "matrix")], ["dense"]),
    "Gemm of a constant": (
        [node("Transpose", "f", outputs=["t"], perm=[1, 0]), node("Gemm", "square", "t", alpha=0.5)],
        ["dense"],
    ),
    "Gemm, A transposed": (
        [node("Transpose", "f", outputs=["t"], perm=[1, 0]), node("Gemm", "t", "matrix", transA=1)],
        ["dense"],
    ),
    "Gemm with C of the frame": ([node("Gemm", "f", "squared", "f", beta=0.5)], ["dense", "affine", "add"]),
    "Add": ([node("Add", "s", "features")], ["affine"]),
    "Add to a constant": ([node("Add", "wide", "s")], ["affine"]),
    "Add of two": ([node("Add", "s", "s")], ["add"]),
    "Sum": ([node("Sum", "s", "features", "s")], ["affine", "add"]),
    "Sub": ([node("Sub", "s", "features")], ["affine"]),
    "Sub from a constant": ([node("Sub", "scalar", "s")], ["affine", "affine"]),
    "Mul": ([node("Mul", "s", "wide")], ["affine"]),
    "Mul of two": ([node("Mul", "s", "s")], ["multiply"]),
    "Div": ([node("Div", "s", "positive")], ["affine"]),
    "Div of two": ([node("Sigmoid", "s", outputs=["a"]), node("Div", "s", "a")], None),
    "Pow": ([node("Pow", "s", "two")], ["multiply"]),
    "Pow, cubes": ([node("Pow", "s", "three")], ["multiply", "multiply"]),
    "Pow, roots": ([node("Sigmoid", "s", outputs=["a"]), node("Pow", "a", "half")], ["sigmoid", "squareRoot"]),
    "Pow, quotients": ([node("Sigmoid", "s", outputs=["a"]), node("Pow", "a", "less")], None),
    "Exp": ([node("Exp", "s")], ["exponential"]),
    "Log": ([node("Sigmoid", "s", outputs=["a"]), node("Log", "a")], ["sigmoid", "logarithm"]),
    "Erf": ([node("Erf", "s")], ["errorFunction"]),
    "LogSoftmax": ([node("LogSoftmax", "s", axis=-1)], None),
    "LogSoftmax, old": ([node("LogSoftmax", "s", axis=2)], None, 11),
    "Neg": ([node("Neg", "s")], ["affine"]),
    "Abs": ([node("Abs", "s")], ["prelu"]),
    "Relu": ([node("Relu", "s")], ["relu"]),
    "LeakyRelu": ([node("LeakyRelu", "s", alpha=0.3)], None),
    "LeakyRelu, default": ([node("LeakyRelu", "s")], None),
    "PRelu": ([node("PRelu", "s", "features")], None),
    "Clip": ([node("Clip", "s", "low", "high")], ["clip"]),
    "Clip below": ([node("Clip", "s", "low")], ["clip"]),
    "Clip above": ([node("Clip", "s", "", "high")], ["clip"]),
    "Clip, neither": ([node("Clip", "s")], []),
    "Clip, contrary": ([node("Clip", "s", "high", "low")], ["clip"]),
    "Clip, infinite": ([node("Clip", "s", "low", "infinite")], ["clip"]),
    "Clip, attributes": ([node("Clip", "s", min=-0.25)], ["clip"], 10),
    "Elu": ([node("Elu", "s", alpha=0.7)], ["elu"]),
    "Selu": ([node("Selu", "s")], ["elu", "affine"]),
    "Softplus": ([node("Softplus", "s")], ["softplus"]),
    "Gelu": ([node("Gelu", "s")], ["gelu"], 20),
    "Gelu, approximate": ([node("Gelu", "s", approximate="tanh")], None, 20),
    "Mish": ([node("Mish", "s")], ["softplus", "tanh", "multiply"], 18),
    "Sqrt": ([node("Sigmoid", "s", outputs=["a"]), node("Sqrt", "a")], ["sigmoid", "squareRoot"]),
    "Reciprocal": ([node("Sigmoid", "s", outputs=["a"]), node("Reciprocal", "a")], None),
    "LayerNormalization": ([node("LayerNormalization", "s", "features", "positive", epsilon=0.1)], ["layerNorm"]),
    "LayerNormalization, axis": ([node("LayerNormalization", "s", "features", axis=2)], ["layerNorm"]),
    "HardSigmoid": ([node("HardSigmoid", "s", alpha=0.4, beta=0.3)], None),
    "HardSigmoid, default": ([node("HardSigmoid", "s")], None),
    "HardSwish": ([node("HardSwish", "s")], None),
    "Tanh": ([node("Tanh", "s")], ["tanh"]),
    "Sigmoid": ([node("Sigmoid", "s")], ["sigmoid"]),
    "ReduceMean": ([node("ReduceMean", "s", axes=[-1])], ["dense"]),
    "ReduceSum": ([node("ReduceSum", "s", "last axis")], ["dense"]),
    "ReduceSum, attribute": ([node("ReduceSum", "s", axes=[2])], ["dense"], 12),
    "ReduceL2": ([node("ReduceL2", "s", axes=[2])], ["multiply", "dense", "squareRoot"]),
    "Softmax": ([node("Softmax", "s")], ["softmax"]),
    "Softmax, axis": ([node("Softmax", "s", axis=2)], ["softmax"]),
    "Softmax, flattened": ([node("Softmax", "s")], ["softmax"], 12),
    "Softmax, flattened from 2": ([node("Softmax", "s", axis=2)], ["softmax"], 11),
    "BatchNormalization": (
        [node("BatchNormalization", "f", "features", "features", "features", "positive", epsilon=0.1)],
        ["affine"],
    ),
    "BatchNormalization, opset 9": (
        [node("BatchNormalization", "f", "features", "features", "features", "positive")],
        ["affine"],
        9,
    ),
    "Gather": ([node("Gather", "s", "picked", axis=2)], ["gather"]),
    "Concat": ([node("Concat", "s", "s", axis=-1)], ["concatenate"]),
    "Split": (
        [node("Split", "s", "parts", outputs=["a", "b"], axis=-1), node("Concat", "b", "a", axis=2)],
        ["gather"],
    ),
    "Split, number": (
        [node("Split", "s", outputs=["a", "b"], axis=2, num_outputs=2), node("Mul", "b", "a")],
        ["gather", "gather", "multiply"],
        18,
    ),
    "Split, attribute": (
        [node("Split", "s", outputs=["a", "b"], axis=2, split=[3, 3]), node("Mul", "b", "a")],
        ["gather", "gather", "multiply"],
        11,
    ),
    "ReduceL1": ([node("ReduceL1", "s", axes=[2])], ["prelu", "dense"]),
    "ReduceSumSquare": ([node("ReduceSumSquare", "s", axes=[2], keepdims=1)], ["multiply", "dense"]),
    "ReduceMax": ([node("ReduceMax", "s", axes=[2])], ["maximum"]),
    "ReduceMax, operand": ([node("ReduceMax", "s", "last axis")], ["maximum"], 18),
    "ReduceMin": ([node("ReduceMin", "s", axes=[2])], ["affine", "maximum", "affine"]),
    "Max": ([node("Tanh", "s", outputs=["a"]), node("Max", "s", "a")], ["tanh", "concatenate", "maximum"]),
    "Max with a constant": ([node("Max", "features", "s", "low")], ["clip", "clip"]),
    "Max of one": ([node("Max", "s")], []),
    "Min": (
        [node("Tanh", "s", outputs=["a"]), node("Min", "s", "a", "high")],
        ["tanh", "affine", "affine", "concatenate", "maximum", "affine", "clip"],
    ),
    "LpNormalization": ([node("LpNormalization", "s", axis=2)], None),
    "LpNormalization, 1": ([node("LpNormalization", "s", p=1)], None),
    "Where": (
        [
            node("Greater", "features", "scalar", outputs=["c"]),
            node("Neg", "s", outputs=["n"]),
            node("Where", "c", "s", "n"),
        ],
        ["affine", "concatenate", "gather"],
    ),
    "Where, else a constant": (
        [node("Less", "features", "low", outputs=["c"]), node("Where", "c", "s", "wide")],
        ["gather", "affine"],
    ),
    "Where, else the value": (
        [node("Less", "features", "low", outputs=["c"]), node("Where", "c", "scalar", "s")],
        ["gather", "affine"],
    ),
    "Conv": ([node("Reshape", "s", "pairs", outputs=["p"]), node("Conv", "p", "kernel", pads=[1, 1])], None),
    "MaxPool": ([node("MaxPool", "s", kernel_shape=[2], strides=[2])], ["maximum"]),
    "AveragePool": ([node("AveragePool", "s", kernel_shape=[3])], ["depthwise"]),
    "GlobalMaxPool": ([node("GlobalMaxPool", "s")], ["maximum"]),
    "GlobalAveragePool": (
        [node("Reshape", "s", "pairs", outputs=["p"]), node("GlobalAveragePool", "p")],
        ["convolution"],
    ),
    "Pad": ([node("Pad", "s", "margin", "scalar")], ["gather", "affine"]),
    "InstanceNormalization": (
        [node("Reshape", "s", "pairs", outputs=["p"]), node("InstanceNormalization", "p", "two scales", "two scales")],
        None,
    ),
    "GroupNormalization": (
        [
            node("Reshape", "s", "pairs", outputs=["p"]),
            node("GroupNormalization", "p", "two scales", "two scales", num_groups=1),
        ],
        None,
        21,
    ),
    "GroupNormalization, opset 18": (
        [
            node("Reshape", "s", "triples", outputs=["p"]),
            node("GroupNormalization", "p", "one scale", "one scale", num_groups=1),
        ],
        None,
        18,
    ),
    "MeanVarianceNormalization": ([node("MeanVarianceNormalization", "s", axes=[2])], None),
    "Slice": ([node("Slice", "s", "starts", "ends", "last", "steps")], ["gather"]),
    "Slice, attributes": ([node("Slice", "s", axes=[2], starts=[2], ends=[-1])], ["gather"], 9),
    "Slice backwards": ([node("Slice", "s", "last axis", "before all", "last", "last axis")], ["gather"]),
    "Squeeze": ([node("Squeeze", "s", "axis", outputs=["a"]), node("Tanh", "a")], ["tanh"]),
    "Squeeze, attribute": ([node("Squeeze", "s", axes=[1])], [], 12),
    "Unsqueeze": ([node("Unsqueeze", "s", "axis")], []),
    "Unsqueeze, attribute": ([node("Unsqueeze", "s", axes=[0])], [], 12),
    "Reshape": ([node("Reshape", "s", "flat")], []),
    "Reshape with 0 and -1": ([node("Reshape", "s", "kept")], []),
    "Transpose": ([node("Transpose", "s", perm=[2, 1, 0])], []),
    "Transpose, default": ([node("Transpose", "s")], []),
    "Flatten": ([node("Flatten", "s")], []),
    "Expand": ([node("Expand", "s", "repeated")], ["gather"]),
    "Tile": ([node("Tile", "s", "tiles")], ["gather"]),
    "Identity": ([node("Identity", "s")], []),
    "Dropout": ([node("Dropout", "s", "ratio")], []),
    "Dropout, attribute": ([node("Dropout", "s", ratio=0.5)], [], 11),
    "Cast": ([node("Cast", "s", outputs=["d"], to=TensorProto.DOUBLE), node("Cast", "d", to=FLOAT)], []),
    "Constant": ([node("Constant", outputs=["c"], value_float=0.5), node("Mul", "s", "c")], ["affine"]),
    "constant arithmetic": (
        [
            node("Shape", "s", outputs=["shape"]),
            node("Cast", "shape", outputs=["sizes"], to=FLOAT),
            node("Slice", "sizes", "last", "ends", outputs=["size"]),
            node("Sqrt", "size", outputs=["root"]),
            node("Div", "s", "root"),
        ],
        ["affine"],
    ),
}


def plain(nodes, opset=17, rank=3, constants=None, x=("time", 1, I)):
    """A model of a layer, and of nodes behind it."""
    first = [
        layer("GRU"),
        helper.make_node("Reshape", ["Y", "rows"], ["s"]),
        helper.make_node("Reshape", ["Y", "flat"], ["f"]),
    ]
    used = {name for node in nodes for name in node.input}
    given = {name: array for name, array in (CONSTANTS | {"squared": random(H, H)}).items() if name in used}
    given |= {"rows": np.array([0, 1, H]), "flat": CONSTANTS["flat"], **weights("GRU"), **(constants or {})}
    return graph_model(first + nodes, {"x": x}, {"y": rank}, given, opset)


RANKS = {"Unsqueeze": 4, "Unsqueeze, attribute": 4, "Reshape with 0 and -1": 4, "Add to a constant": 4}
RANKS |= {name: 4 for name, case in PLAIN.items() if "wide" in [port for node in case[0] for port in node.input]}
RANKS |= {
    name: 2
    for name, case in PLAIN.items()
    if name.startswith(("Gemm", "Batch")) or name in ("Squeeze", "Squeeze, attribute", "Reshape", "Flatten")
}


@pytest.mark.parametrize("name", PLAIN)
def test_operations(name):
    nodes, expected, *opset = PLAIN[name]
    result = exported(plain(nodes, *opset, rank=RANKS.get(name, 3)))
    if expected is not None:
        assert names(result)[1:] == expected


def test_the_table_of_operations_is_tested():
    tested = {node.op_type for nodes, *_ in PLAIN.values() for node in nodes}
    assert {*operations.TABLE, *operations.MOVES} == tested & {*operations.TABLE, *operations.MOVES}


# Windows of one frame x, [1, 4, 11]: the nodes, the operations that come of them if these matter, the opset.
WINDOW_CONSTANTS = {
    "weights": random(3, 4, 3),
    "wide": random(2, 4, 11),
    "bias": random(3),
    "each": random(4, 1, 3),
    "twice": random(8, 1, 3, seed=1),
    "halves": random(6, 2, 3),
    "point": random(5, 4, 1),
    "next": random(2, 3, 3),
    "signal": random(6, 1, 16),
    "as one": np.array([1, 1, 44]),
    "pads": np.array([0, 0, 2, 0, 0, 3]),
    "cut": np.array([0, 1, -2, 0, 0, 3]),
    "few": np.array([2, 1]),
    "last": np.array([2]),
    "value": np.float32(0.75),
    "low": np.array([0]),
    "middle": np.array([3]),
    "high": np.array([6]),
    "axis": np.array([1]),
    "two": np.float32(2),
    "six": np.array([0, 6, 2]),
}
WINDOWS = {
    "Conv": ([node("Conv", "x", "weights", "bias")], ["gather", "convolution", "gather"]),
    "Conv, pads": ([node("Conv", "x", "weights", "bias", pads=[2, 1])], ["gather", "convolution", "gather"]),
    "Conv, strides": ([node("Conv", "x", "weights", strides=[3])], ["gather", "convolution", "gather"]),
    "Conv, wide strides": ([node("Conv", "x", "weights", strides=[5])], None),
    "Conv, dilations": ([node("Conv", "x", "weights", "bias", dilations=[2], pads=[3, 0])], None),
    "Conv, dilations and strides": ([node("Conv", "x", "weights", dilations=[3], strides=[2])], None),
    "Conv, SAME_UPPER": ([node("Conv", "x", "weights", auto_pad="SAME_UPPER", strides=[2])], None),
    "Conv, SAME_LOWER": ([node("Conv", "x", "each", group=4, auto_pad="SAME_LOWER", strides=[3])], None),
    "Conv, VALID": ([node("Conv", "x", "weights", auto_pad="VALID")], None),
    "Conv of all positions": ([node("Conv", "x", "wide")], ["gather", "dense"]),
    "Conv of points": ([node("Conv", "x", "point")], ["gather", "convolution", "gather"]),
    "Conv, each channel": ([node("Conv", "x", "each", group=4)], ["gather", "depthwise", "gather"]),
    "Conv, each channel, dilated": ([node("Conv", "x", "each", group=4, dilations=[2], pads=[4, 4])], None),
    "Conv, each channel twice": ([node("Conv", "x", "twice", group=4)], None),
    "Conv, groups": ([node("Conv", "x", "halves", group=2, pads=[1, 0])], None),
    # The padding of the second one is the gather that it takes, and the only one between them.
    "Conv and Conv": (
        [node("Conv", "x", "weights", pads=[1, 1], outputs=["a"]), node("Conv", "a", "next", pads=[1, 1])],
        ["gather", "convolution", "gather", "convolution", "gather"],
    ),
    "Conv and Conv without padding": (
        [
            node("Conv", "x", "weights", outputs=["a"]),
            node("Relu", "a", outputs=["r"]),
            node("Conv", "r", "next", "", outputs=["b"], strides=[2]),
            node("GlobalAveragePool", "b"),
        ],
        ["gather", "convolution", "relu", "convolution", "depthwise"],
    ),
    # A spectrum: one gather for each of the two slices, and one for the padding.
    "magnitudes": (
        [
            node("Reshape", "x", "as one", outputs=["a"]),
            node("Conv", "a", "signal", strides=[8], outputs=["c"]),
            node("Slice", "c", "low", "middle", "axis", outputs=["re"]),
            node("Slice", "c", "middle", "high", "axis", outputs=["im"]),
            node("Pow", "re", "two", outputs=["re2"]),
            node("Pow", "im", "two", outputs=["im2"]),
            node("Add", "re2", "im2", outputs=["power"]),
            node("Sqrt", "power", outputs=["magnitude"]),
            node("Conv", "magnitude", "next", strides=[2]),
        ],
        ["convolution", "gather", "multiply", "gather", "multiply", "add", "squareRoot", "convolution"],
    ),
    "MaxPool": ([node("MaxPool", "x", kernel_shape=[3])], ["gather", "maximum", "gather"]),
    "MaxPool, all": (
        [node("MaxPool", "x", kernel_shape=[3], strides=[2], pads=[1, 2], dilations=[2], ceil_mode=0)],
        None,
    ),
    "MaxPool, pads": ([node("MaxPool", "x", kernel_shape=[4], strides=[2], pads=[3, 2])], None),
    "MaxPool, ceil_mode": ([node("MaxPool", "x", kernel_shape=[3], strides=[2], ceil_mode=1)], None),
    "AveragePool": ([node("AveragePool", "x", kernel_shape=[3], strides=[2])], ["gather", "depthwise", "gather"]),
    "AveragePool, pads": ([node("AveragePool", "x", kernel_shape=[3], pads=[2, 1])], None),
    "AveragePool, pads that count": (
        [node("AveragePool", "x", kernel_shape=[3], pads=[2, 1], count_include_pad=1)],
        None,
    ),
    "AveragePool, dilations": ([node("AveragePool", "x", kernel_shape=[3], pads=[2, 1], dilations=[2])], None, 19),
    "GlobalMaxPool": ([node("GlobalMaxPool", "x")], ["maximum"]),
    "GlobalAveragePool": ([node("GlobalAveragePool", "x")], ["convolution"]),
    "ReduceMax of channels": ([node("ReduceMax", "x", axes=[1])], ["maximum"]),
    "ReduceMean of channels": ([node("ReduceMean", "x", axes=[1])], ["depthwise"]),
    "Pad": ([node("Pad", "x", "pads")], ["gather"]),
    "Pad with a constant": ([node("Pad", "x", "pads", "value")], ["gather", "affine"]),
    "Pad, reflect": ([node("Pad", "x", "pads", mode="reflect")], ["gather"]),
    "Pad, edge": ([node("Pad", "x", "pads", mode="edge")], ["gather"]),
    "Pad, wrap": ([node("Pad", "x", "pads", mode="wrap")], ["gather"], 19),
    "Pad, negative": ([node("Pad", "x", "cut", "value")], ["gather", "affine"]),
    "Pad, axes": ([node("Pad", "x", "few", "", "last")], ["gather"], 18),
    "Pad, attributes": ([node("Pad", "x", pads=[0, 0, 1, 0, 0, 2], value=0.5)], ["gather", "affine"], 10),
    "Pad and Conv": ([node("Pad", "x", "pads", outputs=["p"]), node("Conv", "p", "wide")], None),
    "Softmax of rows": ([node("Softmax", "x")], ["gather"] * 4 + ["softmax"] * 4 + ["concatenate"]),
    "Softmax of columns": ([node("Softmax", "x", axis=1)], None),
    "LayerNormalization of rows": ([node("LayerNormalization", "x", "scales", "scales")], None),
    "InstanceNormalization": ([node("InstanceNormalization", "x", "four", "four", epsilon=0.1)], None),
    "GroupNormalization": ([node("GroupNormalization", "x", "four", "four", num_groups=2)], None, 21),
    "MatMul of rows": ([node("MatMul", "x", "matrix")], ["convolution"]),
    "MatMul of columns": (
        [node("Transpose", "x", outputs=["t"], perm=[0, 2, 1]), node("MatMul", "t", "channels")],
        ["gather", "convolution"],
    ),
}
WINDOW_CONSTANTS |= {"scales": random(11), "four": random(4), "matrix": random(11, 3), "channels": random(4, 3)}


def one_frame(nodes, opset=17, x=(1, 4, 11), rank=3):
    used = {name for node in nodes for name in node.input}
    constants = {name: array for name, array in WINDOW_CONSTANTS.items() if name in used}
    return graph_model(nodes, {"x": x}, {"y": rank}, constants, opset)


@pytest.mark.parametrize("name", WINDOWS)
def test_windows(name, tmp_path, run_tool):
    nodes, expected, *opset = WINDOWS[name]
    result = exported(one_frame(nodes, *opset))
    if expected is not None:
        assert names(result) == expected
    runnel.write(result, tmp_path / "model.runnel")
    verified = run_tool("verify", tmp_path / "model.runnel")
    assert verified.returncode == 0, verified.stdout + verified.stderr


# Why they are refused, and the opset.
WINDOW_REFUSALS = {
    "transposed": ([node("ConvTranspose", "x", "halves")], "ConvTranspose theConvTranspose: no operation"),
    "ceil_mode": (
        [node("MaxPool", "x", kernel_shape=[3], strides=[3], ceil_mode=1)],
        "MaxPool theMaxPool: ceil_mode adds a window",
    ),
    "too many rows": (
        [node("Reshape", "x", "rows", outputs=["r"]), node("Softmax", "r")],
        "Softmax theSoftmax: a softmax of 88 rows in a frame; expected at most 64",
        (1, 4, 44),
    ),
    "a batch": ([node("Conv", "x", "weights")], "Conv theConv: windows in 2 tensors of a frame", (2, 4, 11)),
    "two axes": (
        [node("Reshape", "x", "square", outputs=["r"]), node("Conv", "r", "kernel")],
        "Conv theConv: a convolution with weights [2, 4, 3, 3]; expected one over one axis",
        (1, 4, 16),
    ),
    "pooling of two axes": (
        [node("Reshape", "x", "square", outputs=["r"]), node("MaxPool", "r", kernel_shape=[2, 2])],
        "MaxPool theMaxPool: a pooling with windows [2, 2]",
        (1, 4, 16),
    ),
}
WINDOW_CONSTANTS |= {"rows": np.array([1, 88, 2]), "square": np.array([1, 4, 4, 4]), "kernel": random(2, 4, 3, 3)}


@pytest.mark.parametrize("name", WINDOW_REFUSALS)
def test_windows_that_are_refused(name):
    nodes, reason, *x = WINDOW_REFUSALS[name]
    refused(one_frame(nodes, 17, *x, rank=4 if "two axes" in name else 3), reason)


# Inputs that are constants


def rated(condition="rate"):
    """tanh of x for a rate of 16000, ReLU for others, with a share that is an input, too."""

    def branch(name, function):
        node = helper.make_node(function, ["scaled"], [name])
        return helper.make_graph([node], name, [], [helper.make_tensor_value_info(name, FLOAT, None)])

    branches = {"then_branch": branch("then", "Tanh"), "else_branch": branch("else", "Relu")}
    nodes = [
        helper.make_node("Mul", ["x", "share"], ["scaled"]),
        helper.make_node("Equal", [condition, "wanted"], ["is"]),
        helper.make_node("If", ["is"], ["y"], **branches),
    ]
    inputs = {"x": ("batch", "size"), "rate": (), "share": (1, 3)}
    return graph_model(nodes, inputs, {"y": 2}, {"wanted": np.array(16000)}, types={"rate": INT64})


SHARE = [[0.5, 1, 2]]


def test_inputs_become_constants():
    for rate, expected in ((16000, "tanh"), (8000, "relu")):
        result = exported(rated(), inputs={"rate": rate, "share": SHARE}, shapes={"x": (1, 3)})
        assert names(result) == ["affine", expected]
        assert [port.name for port in result.programs[0].inputs] == ["x"]
    assert names(exported(rated(), inputs={"rate": 16000}, shapes={"x": (1, 3)})) == ["multiply", "tanh"]


INPUT_REFUSALS = {
    "without a value": ({}, {}, "input rate is of the type INT64", "inputs={'rate': …}"),
    "no such input": ({"speed": 1}, {}, "there is no input 'speed'; expected some of ['x', 'rate', 'share']"),
    "no such shape": ({"rate": 1}, {"speed": ()}, "there is no input 'speed'"),
    "half a number": ({"rate": 0.5}, {}, "input rate is of the type int64, and cannot be 0.5"),
    "no number": ({"rate": "fast"}, {}, "input rate cannot be 'fast': "),
    "another shape": ({"rate": 1, "share": [1, 2, 3]}, {}, "input share cannot have the shape [3]; expected [1, 3]"),
    "a shape of another rank": ({"rate": 1}, {"x": (3,)}, "input x cannot have the shape [3]; expected [None, None]"),
    "a shape of nothing": ({"rate": 1}, {"x": (1, 0)}, "input x cannot have the shape [1, 0]"),
    "a shape that is another": ({"rate": 1}, {"share": (1, 4)}, "input share cannot have the shape [1, 4]"),
}


@pytest.mark.parametrize("name", INPUT_REFUSALS)
def test_inputs_that_cannot_be_are_refused(name):
    inputs, shapes, *reasons = INPUT_REFUSALS[name]
    refused(rated(), *reasons, inputs=inputs, shapes=shapes)


def test_the_command_takes_constants_for_inputs(tmp_path, capsys):
    path, output = tmp_path / "rated.onnx", tmp_path / "rated.runnel"
    model = rated()
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 3
    onnx.save(model, path)
    assert command.main([str(path), str(output), "--input", "rate=8000", "--input", f"share={SHARE}"]) == 0
    assert names(runnel.read(output)) == ["affine", "relu"]
    assert command.main([str(path), str(output), "--input", "rate"]) == 1
    assert "--input rate; expected NAME=VALUE" in capsys.readouterr().err
    assert command.main([str(tmp_path / "missing.nam"), str(output), "--input", "rate=1"]) == 1
    (tmp_path / "other.nam").write_text("{}")
    assert command.main([str(tmp_path / "other.nam"), str(output), "--input", "rate=1"]) == 1
    assert "and no --input: they are of ONNX" in capsys.readouterr().err


def test_a_named_state_of_a_cell_is_the_cells():
    """With an addition of 0 on its way out, as Silero VAD has it."""
    nodes = [
        layer("GRU", starts=("h",), outputs=["Y", "Yh"]),
        helper.make_node("Add", ["Yh", "nothing"], ["next"]),
    ]
    constants = {**weights("GRU"), "nothing": np.float32(0)}
    model = graph_model(nodes, {"x": (1, 1, I), "h": (1, 1, H)}, {"Y": 4, "next": 3}, constants)
    for states in (None, {"h": "next"}):
        result = exported(model, states=states)
        assert names(result) == ["gruResetBefore"] and len(result.states) == 1
    refused(model, "the state 'h' is a cell's, which output 'next' follows, and not 'Y'", states={"h": "Y"})


@pytest.mark.parametrize("element_type", [TensorProto.INT64, TensorProto.INT32, TensorProto.FLOAT])
def test_an_embedding(element_type):
    """By an index, or by a number that is cast to one, as Keras has it."""
    constants = {"table": random(9, I), "one": np.array([1]), **weights("GRU")}
    nodes = [
        helper.make_node("Cast", ["x"], ["index"], to=TensorProto.INT32),
        helper.make_node("Gather", ["table", "index"], ["e"]),
        helper.make_node("Transpose", ["e"], ["t"], perm=[1, 0, 2]),
        layer("GRU", x="t"),
    ]
    model = graph_model(nodes, {"x": ("batch", "time")}, {"Y": 4}, constants, types={"x": element_type})
    result = exported(model)
    assert names(result) == ["embedding", "gruResetBefore"]
    assert [(port.kind, port.size) for port in result.programs[0].inputs] == [("index", 9)]


def test_a_graph_without_a_layer_is_one_of_a_frame():
    nodes = [node("Gemm", "x", "w", outputs=["a"]), node("Tanh", "a")]
    result = exported(graph_model(nodes, {"x": ("batch", 4)}, {"y": 2}, {"w": random(4, 3)}))
    assert names(result) == ["dense", "tanh"] and not result.states


# Sequences of one length


def last_of(index, length):
    nodes = [node("Gather", "Y", "index", axis=0)]
    return graph_model(
        [layer("GRU"), *nodes], {"x": (length, 1, I)}, {"y": 3}, {**weights("GRU"), "index": np.array(index)}
    )


def test_the_last_frame_of_a_sequence_of_one_length():
    assert names(exported(last_of(-1, 8))) == ["gruResetBefore"]
    # Which frame of another length this is, the graph does not say: its other steps cannot be checked.
    refused(last_of(7, 8), "sequences of 8 frames only", "check=False")
    assert names(runnel.onnx.export(last_of(7, 8), check=False)) == ["gruResetBefore"]
    refused(last_of(3, 8), "Gather theGather: frames are mixed")


def test_the_last_frame_by_its_number_is_refused_where_a_sequence_has_any_length():
    refused(last_of(10, "time"), "Gather theGather: ")
    refused(last_of(0, "time"), "Gather theGather: ")


def test_a_sequence_of_one_length_is_compared_as_it_is():
    nodes = [layer("GRU"), node("Reshape", "Y", "shape")]
    constants = {**weights("GRU"), "shape": np.array([8, H])}
    result = exported(graph_model(nodes, {"x": (8, 1, I)}, {"y": 2}, constants))
    assert len(result.golden[0].frames) == 8
    with pytest.raises(runnel.ExportError, match="7 frames; expected 8"):
        runnel.onnx.export(graph_model(nodes, {"x": (8, 1, I)}, {"y": 2}, constants), frames=random(7, I))


def test_what_depends_on_the_number_of_frames_is_refused():
    nodes = [
        layer("GRU"),
        node("Shape", "x", outputs=["shape"]),
        node("Gather", "shape", "zero", outputs=["length"]),
        node("Cast", "length", outputs=["number"], to=FLOAT),
        node("Div", "Y", "number"),
    ]
    constants = {**weights("GRU"), "zero": np.array(0)}
    refused(graph_model(nodes, {"x": ("time", 1, I)}, {"y": 4}, constants), "depends on the number of frames")


# Refusals

LAYER_REFUSALS = [
    ("GRU", {"direction": "inward"}, "direction inward; expected forward, reverse, bidirectional"),
    ("LSTM", {"direction": "bidirectional"}, "W has the shape [1, 24, 5]; expected 2 first, the number of directions"),
    ("GRU", {"layout": 2}, "layout 2; expected 0 or 1"),
]


@pytest.mark.parametrize("kind, attributes, reason", LAYER_REFUSALS)
def test_layers_that_are_refused(kind, attributes, reason):
    refused(over_time(kind, **attributes), f"{kind} layer: {reason}")


VARIANTS = {
    "peepholes": ({"P": True}, {}),
    "clip": ({}, {"clip": 0.2}),
    "coupled gates": ({}, {"input_forget": 1}),
    "all of them": ({"P": True}, {"clip": 0.4, "input_forget": 1}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_of_the_lstm(name, tmp_path, run_tool):
    constants, attributes = VARIANTS[name]
    starts = ("h0", "c0", "P" if constants else "")
    constants = {key: random(1, 3 * H, seed=7) for key in constants}
    constants |= {"h0": random(1, 1, H, seed=8), "c0": random(1, 1, H, seed=9)}
    model = exported(over_time("LSTM", constants, starts=starts, **attributes))
    assert "lstm" not in names(model) and names(model).count("store") == 2
    path = tmp_path / "model.runnel"
    runnel.write(model, path)
    result = run_tool("verify", path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_dropped_peephole_is_caught(monkeypatch):
    original = variants.lstm

    def without(*arguments, peepholes, **named):
        return original(*arguments, **named, peepholes=(peepholes[0], peepholes[1], None))

    monkeypatch.setattr(variants, "lstm", without)
    with pytest.raises(runnel.CheckError):
        runnel.onnx.export(over_time("LSTM", {"P": random(1, 3 * H)}, starts=("", "", "P")))


def test_a_state_of_no_cell_is_kept(tmp_path, run_tool):
    nodes = [
        helper.make_node("Mul", ["slow", "share"], ["rest"]),
        helper.make_node("Add", ["rest", "x"], ["slower"]),
        helper.make_node("Tanh", ["slower"], ["y"]),
    ]
    model = graph_model(nodes, {"x": (1, I), "slow": (1, I)}, {"y": 2, "slower": 2}, {"share": np.float32([0.5])})
    result = exported(model, states={"slow": "slower"})
    assert names(result) == ["recall", "affine", "add", "tanh", "store"] and result.programs[0].frame_size == I
    path = tmp_path / "model.runnel"
    runnel.write(result, path)
    assert run_tool("verify", path).returncode == 0
    with pytest.raises(runnel.ExportError, match="output 'z' follows the state 'slow'"):
        runnel.onnx.export(model, states={"slow": "z"})


def test_peepholes_of_another_size_are_refused():
    model = over_time("LSTM", {"P": random(1, 2 * H)}, starts=("", "", "P"))
    refused(model, "LSTM layer: ", "P")


def test_a_batch_is_refused():
    refused(over_time("GRU", x=("time", 3, I)), "GRU layer: a batch of 3; expected one stream")


def test_weights_that_are_inputs_are_refused():
    model = over_time("RNN")
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "R")
    model.graph.input.append(helper.make_tensor_value_info("R", FLOAT, list(tensor.dims)))
    assert names(exported(model)) == ["rnnTanh"]
    model.graph.initializer.remove(tensor)
    refused(model, "RNN layer: operand 2 is computed from the frame")


def test_a_layer_over_one_frame_of_a_sequence_is_refused():
    nodes = [layer("GRU", outputs=["", "h"]), layer("GRU", x="h", prefix="b")]
    constants = {**weights("GRU"), **weights("GRU", H, prefix="b")}
    refused(graph_model(nodes, {"x": ("time", 1, I)}, {"bY": 4}, constants), "GRU blayer: ", "starts anew")


# Nodes from s, [time, 1, H], and f, [time, H], to y; what names the node, and why it is refused.
PLAIN_REFUSALS = {
    "unknown": ([node("Round", "s")], "Round theRound: there is no such operation"),
    "mean over time": ([node("ReduceMean", "s", axes=[0])], "ReduceMean theReduceMean: a sum, or a mean, over frames"),
    "mean over all": ([node("ReduceMean", "s")], "ReduceMean theReduceMean: a sum, or a mean, over frames"),
    "largest over time": ([node("ReduceMax", "s", axes=[0])], "ReduceMax theReduceMax: a maximum over frames"),
    "sign": ([node("Sign", "s")], "Sign theSign: no operation of a .runnel file gives signs exactly"),
    "norm of another order": (
        [node("LpNormalization", "s", p=3)],
        "LpNormalization theLpNormalization: a norm of the order 3; expected 1 or 2",
    ),
    "choice by the frame": (
        [node("Greater", "s", "scalar", outputs=["c"]), node("Where", "c", "s", "s")],
        "Greater theGreater: there is no such operation",
    ),
    "padded along time": ([node("Pad", "s", "around", "scalar")], "Pad thePad: frames are padded along time with"),
    "product": ([node("MatMul", "f", "t")], "MatMul theMatMul: a product of two tensors"),
    "power": ([node("Pow", "s", "scalar")], "Pow thePow: the power 0.69"),
    "reversed": ([node("Slice", "s", "minus", "far", "zeroth", "minus")], "Slice theSlice: frames are mixed"),
    "first frames": ([node("Slice", "s", "zeroth", "ends", "zeroth")], "the last 6 of 11 frames are cut off"),
    "to whole numbers": ([node("Cast", "s", to=INT64)], "Cast theCast: a cast of numbers"),
    "softmax over time": ([node("Softmax", "s", axis=0)], "Softmax theSoftmax: a softmax over axis 0"),
    "along time": ([node("Concat", "s", "s", axis=0)], "Concat theConcat: a concatenation along time"),
    "with a constant": ([node("Concat", "s", "fixed", axis=2)], "Concat theConcat: a concatenation with a constant"),
    "rest in training": ([node("Dropout", "s", "ratio", "true")], "Dropout theDropout: a dropout in training"),
    "norm in training": (
        [
            node(
                "BatchNormalization",
                "f",
                "features",
                "features",
                "features",
                "positive",
                training_mode=1,
                outputs=["y", "m", "v"],
            )
        ],
        "BatchNormalization theBatchNormalization: a batch norm in training",
    ),
    "too large": ([node("Expand", "s", "huge")], "Expand theExpand: its result has"),
    "too large a constant": (
        [node("ConstantOfShape", "huge", outputs=["z"]), node("Add", "s", "z")],
        "ConstantOfShape theConstantOfShape: its result has",
    ),
    "too large a prediction": ([node("Expand", "s", "large")], "the export is no valid model: 120000"),
}


@pytest.mark.parametrize("name", PLAIN_REFUSALS)
def test_operations_that_are_refused(name):
    nodes, reason = PLAIN_REFUSALS[name]
    constants = {
        "minus": np.array([-1]),
        "far": np.array([-(2**31)]),
        "zeroth": np.array([0]),
        "true": np.array(True),
        "fixed": random(11, 1, H),
        "huge": np.array([1, 1_000_000_000, 6]),
        "large": np.array([1, 20_000, 6]),
        "around": np.array([1, 0, 0, 1, 0, 0]),
    }
    first = [node("Transpose", "f", outputs=["t"], perm=[1, 0])]
    types = {"y": INT64} if name == "to whole numbers" else {}
    model = plain(first + nodes, constants=constants, rank=2 if "BatchN" in reason or name == "product" else 3)
    model.graph.output[0].type.tensor_type.elem_type = types.get("y", FLOAT)
    refused(model, reason)


def test_a_softmax_over_the_rest_with_time_is_refused():
    nodes = [node("Transpose", "s", outputs=["t"], perm=[1, 0, 2]), node("Softmax", "t")]
    refused(plain(nodes, opset=12), "Softmax theSoftmax: a softmax over the axes from 1 on", "time among them")


def test_whole_numbers_that_no_table_takes_are_refused():
    nodes = [node("Cast", "x", to=FLOAT)]
    model = graph_model(nodes, {"x": (1, 3)}, {"y": 2}, types={"x": INT64})
    refused(model, "input x is of the type INT64", "indices")


def test_a_second_sequence_is_refused():
    nodes = [layer("GRU"), node("Tanh", "z")]
    model = graph_model(nodes, {"x": ("time", 1, I), "z": (1, 3)}, {"Y": 4, "y": 2}, weights("GRU"))
    refused(model, "input z is no state")


def test_sizes_that_do_not_fit_are_refused():
    refused(over_time("GRU", x=("time", 1, "features")), "GRU layer: ")
    refused(graph_model([node("Tanh", "x")], {"x": (4096, 4097)}, {"y": 2}), "input x has the shape [4096, 4097]")
    refused(graph_model([node("Tanh", "x")], {"x": (1, 70_000)}, {"y": 2}), "70000")
    many = graph_model([node("MatMul", "x", "w")], {"x": (1, 3000, 20)}, {"y": 3}, {"w": random(20, 30)})
    refused(many, "the export is no valid model: 90000 elements of the result of program 'step', operation 0")
    refused(over_time("RNN", {"R": random(1, 4, 4), "W": random(1, 4, I)}), "RNN layer: hidden_size 6, and R")
    fixed = graph_model([layer("GRU"), node("Add", "Y", "c")], {"x": ("time", 1, I)}, {"y": 4}, weights("GRU"))
    fixed.graph.initializer.append(numpy_helper.from_array(random(7, 1, 1, H), "c"))
    refused(fixed, "Add theAdd: ")


def test_weights_that_are_not_finite_are_refused():
    constants = weights("GRU")
    constants["R"][0, 3, 2] = np.nan
    refused(over_time("GRU", constants), "GRU layer: layer: R is nan at [0, 3, 2]")


def test_foreign_operators_are_refused():
    model = graph_model([layer("GRU"), node("Fancy", "Y", domain="org.example")], {"x": ("time", 1, I)}, {"y": 4}, {})
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights("GRU").items())
    model.opset_import.append(helper.make_opsetid("org.example", 1))
    refused(model, "Fancy theFancy: the operators of org.example")


def test_functions_of_the_model_are_inlined():
    model = graph_model([layer("GRU"), node("Twice", "Y", domain="local")], {"x": ("time", 1, I)}, {"y": 4})
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights("GRU").items())
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    model.functions.append(helper.make_function("local", "Twice", ["a"], ["b"], body, model.opset_import))
    model.opset_import.append(helper.make_opsetid("local", 1))
    assert names(exported(model)) == ["gruResetBefore", "add"]


def test_results_that_no_step_has_are_refused():
    nodes = [node("Dropout", "s", outputs=["a", "mask"]), node("Cast", "mask", to=FLOAT)]
    refused(plain(nodes), "mask is a second result")


def test_invalid_models_are_refused(tmp_path):
    refused(graph_model([node("Tanh", "nothing")], {"x": (1, 3)}, {"y": 2}), "not a valid ONNX model", "nothing")
    refused(graph_model([node("Tanh", "x")], {"x": (1, 3)}, {"y": 2}, opset=6), "opset 6; expected 7 or later")
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\xff no model")
    refused(path, "model.onnx is not an ONNX file")
    with pytest.raises(FileNotFoundError):
        runnel.onnx.export(tmp_path / "nothing.onnx")


def test_nothing_is_written_of_a_refused_model(tmp_path):
    path = tmp_path / "model.runnel"
    refused(over_time("GRU", x=("time", 3, I)), "a batch of 3", path=path)
    assert not path.exists()
    runnel.onnx.export(over_time("GRU"), path)
    assert names(runnel.read(path)) == ["gruResetBefore"]


# Files

_opened = []
_is_watching = False


def _watch(event, arguments):
    if _is_watching and event == "open":
        _opened.append(str(arguments[0]))


sys.addaudithook(_watch)


def opened(function):
    """The files that a function opens."""
    global _is_watching
    _opened.clear()
    _is_watching = True
    try:
        function()
    finally:
        _is_watching = False
    return list(_opened)


@pytest.fixture
def file(tmp_path):
    """A model's file whose weights stand in the file weights.bin beside it, and what changes its location."""
    model = over_time("GRU")
    folder = tmp_path / "models"
    folder.mkdir()
    path = folder / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)

    def write(**entries):
        changed = onnx.load(path, load_external_data=False)
        for tensor in changed.graph.initializer:
            for entry in tensor.external_data:
                entry.value = entries.get(entry.key, entry.value)
        path.write_bytes(changed.SerializeToString())
        return path

    return write


def test_external_data_beside_the_model(file):
    path = file()
    assert any(name.endswith("weights.bin") for name in opened(lambda: exported(path)))
    assert np.array_equal(exported(path).tensors[0].data, exported(over_time("GRU")).tensors[0].data)


@pytest.mark.parametrize("kind", ["above", "absolute", "link", "linked folder"])
def test_external_data_elsewhere_is_not_read(file, tmp_path, kind):
    outside = tmp_path / "weights.bin"
    folder = tmp_path / "models"
    (folder / "weights.bin").rename(outside)
    location = {
        "above": "../weights.bin",
        "absolute": str(outside),
        "link": "linked.bin",
        "linked folder": "linked/weights.bin",
    }[kind]
    os.symlink(outside, folder / "linked.bin")
    os.symlink(tmp_path, folder / "linked")
    path = file(location=location)
    names = opened(lambda: refused(path, location))
    assert str(path) in names
    assert not any(name.endswith((".bin", "linked")) for name in names)


@pytest.mark.parametrize(
    "entries, reason",
    [
        ({"location": "other.bin"}, "there is no such file"),
        ({"location": ""}, "relative path"),
        ({"location": "C:\\weights.bin"}, "relative path"),
        ({"offset": "100000"}, "bytes 100000 to"),
        ({"offset": "-1"}, "bytes -1 to"),
        ({"length": "many"}, "many"),
        ({"length": "8"}, "not"),
    ],
)
def test_external_data_that_is_wrong_is_refused(file, entries, reason):
    refused(file(**entries), reason)


def test_external_data_of_a_model_without_a_file_is_refused(file):
    refused(onnx.load(file(), load_external_data=False), "stands in another file")


# The check


def wrong_gates(monkeypatch):
    monkeypatch.setattr(layouts, "onnx_lstm", lambda *parts, where: layouts._onnx([0, 1, 2, 3], *parts, where)[:3])


def doubled_bias(monkeypatch):
    right = layouts.onnx_gru

    def wrong(w, r, b, **options):
        return right(w, r, 2 * b, **options)

    monkeypatch.setattr(layouts, "onnx_gru", wrong)


def reset_before(monkeypatch):
    def add(builder, x, node, own):
        w, r, b = layouts.onnx_gru(*own.weights, where=own.name)
        return builder.gru_reset_before(x, w, r, b, name=own.name)

    monkeypatch.setitem(cells.TABLE, "GRU", (add, *cells.TABLE["GRU"][1:]))


def reset_after(monkeypatch):
    def add(builder, x, node, own):
        w, r, b, d = layouts.onnx_gru(*own.weights, linear_before_reset=True, where=own.name)
        return builder.gru_reset_after(x, w, r, b, d, name=own.name)

    monkeypatch.setitem(cells.TABLE, "GRU", (add, *cells.TABLE["GRU"][1:]))


def dropped_layer(monkeypatch):
    right, *rest = cells.TABLE["GRU"]

    def add(builder, x, node, own):
        return x if own.name.startswith("b") else right(builder, x, node, own)

    monkeypatch.setitem(cells.TABLE, "GRU", (add, *rest))


@pytest.mark.parametrize(
    "change, kind, attributes",
    [
        (wrong_gates, "LSTM", {}),
        (doubled_bias, "GRU", {}),
        (reset_before, "GRU", {"linear_before_reset": 1}),
        (reset_after, "GRU", {}),
        (dropped_layer, "GRU", {}),
    ],
)
def test_wrong_exports_are_caught(change, kind, attributes, monkeypatch, tmp_path):
    model = stacked(kind, **attributes)
    exported(model)
    change(monkeypatch)
    path = tmp_path / "model.runnel"
    with pytest.raises(runnel.CheckError, match="the export is not the source: at frame"):
        runnel.onnx.export(model, path)
    assert not path.exists()
    assert not runnel.onnx.export(model, path, check=False).golden


def test_the_reference_is_used_without_onnxruntime(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    exported(stacked("LSTM"))
    exported(stacked("GRU", linear_before_reset=1))
    refused(over_time("RNN", activations=["Relu"]), "nothing can run the model", "onnxruntime", "reference")


def test_metadata_and_frames_are_taken():
    frames = random(20, I, seed=9)
    result = exported(over_time("GRU"), frames=frames, metadata={"name": ["a name"]}, tolerance=1e-4)
    assert result.metadata == {"provenance": ["ONNX, opset 17"], "name": ["a name"]}
    assert np.array_equal(result.golden[0].frames, frames[:16])
    assert result.tolerance == 1e-4
