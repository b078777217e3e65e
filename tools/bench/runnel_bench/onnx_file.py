"""A cell as an ONNX model: one LSTM or GRU operator, with its states as inputs and outputs.

Inputs: x [frames, streams, input], h and, for the LSTM, c [1, streams, hidden].
Outputs: y [frames, 1, streams, hidden], hn and cn.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

#: ONNX has the gates of the LSTM as i o f c and those of the GRU as z r h.
GATE_ORDER = {"lstm": [0, 3, 1, 2], "gru": [1, 0, 2]}


def onnx_model(weights, case):
    """The model for calls of case.frames frames of case.streams streams."""
    w, r, bias, second_bias = weights.reordered(GATE_ORDER[weights.cell])
    initializers = [
        numpy_helper.from_array(np.ascontiguousarray(array)[None], name)
        for name, array in (("W", w), ("R", r), ("B", np.concatenate([bias, second_bias])))
    ]
    state = [1, case.streams, case.hidden]
    states = ["h", "c"] if weights.cell == "lstm" else ["h"]

    def value(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    attributes = {"hidden_size": case.hidden}
    if weights.cell == "gru":
        attributes["linear_before_reset"] = 1
    node = helper.make_node(
        weights.cell.upper(),
        ["x", "W", "R", "B", "", *states],
        ["y", *(state + "n" for state in states)],
        **attributes,
    )
    graph = helper.make_graph(
        [node],
        "cell",
        [value("x", [case.frames, case.streams, case.input]), *(value(name, state) for name in states)],
        [
            value("y", [case.frames, 1, case.streams, case.hidden]),
            *(value(name + "n", state) for name in states),
        ],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model
