"""Runs ONNX models, to compare exports with them."""

import numpy as np
import onnx
from onnx import helper

from ..errors import ExportError


def runner(model):
    """The model as a function: the outputs, in their order, for arrays by name.

    onnxruntime runs it where it is installed and can, else onnx.reference.
    """
    model = _time_first(model)
    refusals = []
    for start in (_onnxruntime, _reference):
        try:
            return _guarded(start(model))
        except Exception as error:  # Whatever a runtime does with operators that it does not have.
            refusals.append(f"{start.__name__[1:]}: {error}")
    raise ExportError(f"nothing can run the model, to compare it with its export: {'; '.join(refusals)}")


def with_any_length(model, name, axis):
    """The model with an input that has any number of frames along an axis."""
    relaxed = onnx.ModelProto()
    relaxed.CopyFrom(model)
    graph = relaxed.graph
    port = next(port for port in graph.input if port.name == name)
    port.type.tensor_type.shape.dim[axis].dim_param = "frames"
    del graph.value_info[:]
    for port in graph.output:
        port.type.tensor_type.ClearField("shape")
    return relaxed


def _guarded(run):
    def guarded(arrays):
        try:
            return run(arrays)
        except Exception as error:
            raise ExportError(
                f"the model cannot be run, to compare it with its export (with onnxruntime installed, it is what runs "
                f"it): {error}"
            ) from error

    return guarded


def _onnxruntime(model):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    # An optimization takes the zeros that a Pad puts before a MaxPool for padding that does not count.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda arrays: session.run(None, arrays)


def _reference(model):
    from onnx.reference import ReferenceEvaluator

    if any(
        entry.name == "direction" and entry.s != b"forward" for node in model.graph.node for entry in node.attribute
    ):
        raise ExportError("it runs no recurrent layer backward")
    evaluator = ReferenceEvaluator(model)
    return lambda arrays: evaluator.run(None, arrays)


def _time_first(model):
    """The model without the layout 1 of recurrent layers, which runtimes do not have: with transpositions instead."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    nodes = [new for node in model.graph.node for new in _without_layout(node)]
    del changed.graph.node[:]
    changed.graph.node.extend(nodes)
    return changed


def _without_layout(node):
    if node.op_type not in ("RNN", "LSTM", "GRU") or not any(a.name == "layout" and a.i == 1 for a in node.attribute):
        return [node]
    layer, before, after = onnx.NodeProto(), [], []
    layer.CopyFrom(node)
    del layer.attribute[:]
    layer.attribute.extend(attribute for attribute in node.attribute if attribute.name != "layout")
    key = next(name for name in node.output if name)
    for place in (0, 5, 6):
        if place < len(node.input) and node.input[place]:
            layer.input[place] = f"{key}/input{place}"
            before.append(helper.make_node("Transpose", [node.input[place]], [layer.input[place]], perm=[1, 0, 2]))
    # From [time, 1, batch, units] and [1, batch, units].
    for place, name in enumerate(node.output):
        if name:
            layer.output[place] = f"{key}/output{place}"
            perm = [2, 0, 1, 3] if place == 0 else [1, 0, 2]
            after.append(helper.make_node("Transpose", [layer.output[place]], [name], perm=perm))
    return [*before, layer, *after]


def typed(array, element_type):
    """The array in the type of an input."""
    return np.asarray(array).astype(helper.tensor_dtype_to_np_dtype(element_type))
