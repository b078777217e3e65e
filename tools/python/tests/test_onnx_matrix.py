"""ONNX's layers at many sizes: 1,000 frames through the tool."""

import numpy as np
import pytest
from streaming import assert_close, frames_of, predicted

onnx = pytest.importorskip("onnx", reason="onnx is not installed: what exports its models is not tested")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from onnx import TensorProto, helper, numpy_helper

import runnel.onnx

INPUT_SIZE = 3
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
KINDS = {
    "rnn-tanh": ("RNN", {}, "rnnTanh"),
    "rnn-relu": ("RNN", {"activations": ["Relu"]}, "rnnReLU"),
    "lstm": ("LSTM", {}, "lstm"),
    "gru-before": ("GRU", {}, "gruResetBefore"),
    "gru-after": ("GRU", {"linear_before_reset": 1}, "gruResetAfter"),
}


def stack(kind, attributes, layers, size):
    """Layers of one size, with weights in ±1/√size."""
    random = np.random.default_rng(size)
    tensors, nodes, x = [numpy_helper.from_array(np.array([1]), "one")], [], "x"
    rows = GATES[kind] * size
    for layer in range(layers):
        shapes = {"W": (1, rows, size if layer else INPUT_SIZE), "R": (1, rows, size), "B": (1, 2 * rows)}
        names = [f"{name}{layer}" for name in shapes]
        for name, shape in zip(names, shapes.values()):
            values = random.uniform(-1, 1, shape) / np.sqrt(size)
            tensors.append(numpy_helper.from_array(values.astype(np.float32), name))
        nodes.append(
            helper.make_node(kind, [x, *names], [f"Y{layer}"], name=f"layer{layer}", hidden_size=size, **attributes)
        )
        nodes.append(helper.make_node("Squeeze", [f"Y{layer}", "one"], [f"y{layer}"]))
        x = f"y{layer}"
    port = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["time", 1, INPUT_SIZE])
    result = helper.make_tensor_value_info(x, TensorProto.FLOAT, ["time", 1, size])
    graph = helper.make_graph(nodes, "graph", [port], [result], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("size", [1, 3, 8, 17, 64, 130])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_layers_agree_after_a_thousand_frames(kind, layers, size, tmp_path, run_tool):
    operator, attributes, operation = KINDS[kind]
    model, path = stack(operator, attributes, layers, size), tmp_path / "model.runnel"
    exported = runnel.onnx.export(model, path)
    assert [found.name for found in exported.programs[0].operations] == [operation] * layers
    frames = frames_of(1000, INPUT_SIZE)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": frames[:, None]})
    assert_close(predicted(run_tool, path, frames), expected.reshape(1000, size))
