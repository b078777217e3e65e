"""ONNX's operations without a state, as those of a step."""

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from ..errors import ExportError
from ..frames import Value
from ..model import INDEX
from . import windows

_LARGEST = np.finfo(np.float32).max
_MAX_RESULT = 1 << 24  # elements of what small operands stand for


def evaluated(proto, arrays, opset):
    """What ONNX's definition of a node's operation gives for arrays, None for those that are left out."""
    _refuse_growth(proto.op_type, arrays)
    node = onnx.NodeProto()
    node.CopyFrom(proto)
    names = ["" if array is None else f"input{place}" for place, array in enumerate(arrays)]
    del node.input[:], node.output[:]
    node.input.extend(names)
    node.output.extend(f"output{place}" for place in range(len(proto.output)))
    feeds = {name: array for name, array in zip(names, arrays) if name}
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in feeds.items()
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = helper.make_graph([node], "node", inputs, outputs)
    try:
        evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]))
        return [np.asarray(result) for result in evaluator.run(None, feeds)]
    except Exception as error:  # Whatever the definitions do with operands that do not fit.
        raise ExportError(f"onnx.reference cannot compute it: {error}") from error


def _refuse_growth(kind, arrays):
    """Refuses small operands that stand for a large result."""
    if kind in ("ConstantOfShape", "Expand"):
        count = np.prod(np.maximum(arrays[kind == "Expand"], 1), dtype=float)
    elif kind == "Tile":
        count = arrays[0].size * np.prod(arrays[1], dtype=float)
    elif kind == "Range":
        count = np.abs((float(arrays[1]) - float(arrays[0])) / float(arrays[2]))
    else:
        return
    if count > _MAX_RESULT:
        raise ExportError(f"its result has {count:.3g} elements; expected at most {_MAX_RESULT}")


def _unary(name):
    return lambda frames, node: frames.unary(getattr(frames.builder, name), node.value(0))


def _same(frames, node):
    return node.value(0)


def _sum(frames, node):
    total, *rest = node.operands
    for operand in rest:
        total = frames.add(total, operand)
    return total


def _subtract(frames, node):
    a, b = node.operands
    return frames.add(a, frames.affine(b, -1, 0) if isinstance(b, Value) else np.negative(b))


def _power(frames, node):
    exponents = np.unique(node.constant(1))
    if len(exponents) != 1:
        raise ExportError(f"the powers {exponents.tolist()}; expected one for all elements")
    return frames.power(node.value(0), exponents[0])


def _clip(frames, node):
    low, high = (
        node.attributes.get(name) if node.opset < 11 else node.constant(place)
        for place, name in ((1, "min"), (2, "max"))
    )
    if low is None and high is None:
        return node.value(0)
    low, high = (-_LARGEST if low is None else low), (_LARGEST if high is None else high)
    # Where low is above high, high counts; infinite limits are none.
    return frames.clamp(node.value(0), *np.clip([min(low, high), high], -_LARGEST, _LARGEST))


def _leaky_relu(frames, node):
    return frames.leaky_relu(node.value(0), node.attributes.get("alpha", 0.01))


def _hard_sigmoid(frames, node):
    return frames.hard_sigmoid(node.value(0), node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5))


def _matmul(frames, node):
    return _product(frames, *node.operands)


def _product(frames, a, b, bias=None):
    """a b + bias, with one constant matrix."""
    if isinstance(a, Value) and isinstance(b, Value):
        raise ExportError("a product of two tensors that are computed from the frame; expected a constant matrix")
    matrix, value = (b, a) if isinstance(a, Value) else (a, b)
    if matrix.ndim != 2:
        raise ExportError(f"a product with a constant of the shape {list(matrix.shape)}; expected a matrix")
    if value is a:
        return frames.linear(value, matrix.T, bias)
    if len(value.shape) < 2:
        raise ExportError(f"a product of a matrix with a tensor of the shape {list(value.shape)}; expected two axes")
    return _transposed(frames, frames.linear(_transposed(frames, value), matrix, None))


def _transposed(frames, value):
    return frames.moved(value, lambda array: np.swapaxes(array, -1, -2))


def _gemm(frames, node):
    alpha, beta = node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)
    a, b = (
        _turned(frames, operand) if node.attributes.get(name, 0) else operand
        for name, operand in zip(("transA", "transB"), node.operands)
    )
    if isinstance(a, Value):
        b = b if isinstance(b, Value) else b * alpha
    else:
        a = a * alpha
    c = node.operand(2)
    if isinstance(a, Value) and not isinstance(b, Value) and not isinstance(c, Value) and _is_row(c):
        bias = None if c is None else np.broadcast_to(np.ravel(c) * beta, b.shape[1])
        return _product(frames, a, b, bias)
    product = _product(frames, a, b)
    if c is None:
        return product
    return frames.add(product, frames.affine(c, beta, 0) if isinstance(c, Value) else c * beta)


def _turned(frames, operand):
    return _transposed(frames, operand) if isinstance(operand, Value) else operand.T


def _is_row(c):
    return c is None or c.ndim < 2 or c.shape[0] == 1


def _batch_norm(frames, node):
    if node.attributes.get("training_mode", 0) or not node.attributes.get("spatial", 1):
        raise ExportError("a batch norm in training, or not one for each channel")
    weight, bias, mean, variance = (node.constant(place).astype(np.float64) for place in (1, 2, 3, 4))
    return frames.batch_norm(node.value(0), weight, bias, mean, variance, node.attributes.get("epsilon", 1e-5))


def _layer_norm(frames, node):
    value, axis = node.value(0), node.attributes.get("axis", -1)
    axes = -axis if axis < 0 else len(value.shape) - axis
    return frames.layer_norm(value, axes, node.constant(1), node.constant(2), node.attributes.get("epsilon", 1e-5))


def _reduced(name):
    return lambda frames, node: getattr(frames, name)(node.value(0), _axes(node), _keeps(node))


def _global(name, **named):
    """Over all positions, for each channel."""
    return lambda frames, node: getattr(frames, name)(
        node.value(0), range(2, len(node.value(0).shape)), keeps=True, **named
    )


def _lp_normalization(frames, node):
    value, order = node.value(0), node.attributes.get("p", 2)
    if order not in (1, 2):
        raise ExportError(f"a norm of the order {order}; expected 1 or 2")
    return frames.divide(value, frames.norm(value, [node.attributes.get("axis", -1)], True, order))


def _mean_variance(frames, node):
    # ONNX adds 1e-9 to the deviation.
    return frames.normalised(node.value(0), node.attributes.get("axes", [0, 2, 3]), 1e-18)


def _instance_norm(frames, node):
    value, epsilon = node.value(0), node.attributes.get("epsilon", 1e-5)
    return _scaled(frames, node, frames.normalised(value, range(2, len(value.shape)), epsilon))


def _group_norm(frames, node):
    value, groups, epsilon = node.value(0), node.attributes["num_groups"], node.attributes.get("epsilon", 1e-5)
    grouped = frames.moved(value, lambda array: array.reshape(array.shape[0], groups, -1))
    normalised = frames.normalised(grouped, [2], epsilon)
    if node.opset < 21:  # One scale for each group.
        return frames.moved(_scaled(frames, node, normalised), lambda array: array.reshape(value.shape))
    return _scaled(frames, node, frames.moved(normalised, lambda array: array.reshape(value.shape)))


def _scaled(frames, node, value):
    """The value times the second operand, plus the third, one of each for each element along axis 1."""
    return frames.scaled(value, node.constant(1), node.constant(2))


def _where(frames, node):
    return frames.chosen(node.constant(0), *node.operands[1:])


def _total(is_mean):
    return lambda frames, node: frames.total(node.value(0), _axes(node), _keeps(node), is_mean)


def _sum_of_squares(frames, node):
    value = node.value(0)
    return frames.total(frames.multiply(value, value), _axes(node), _keeps(node))


def _axes(node):
    """The axes of a reduction: an attribute at first, an operand later; all of them where there are none."""
    given = node.constant(1)
    axes = node.attributes.get("axes", ()) if given is None else np.ravel(given).tolist()
    if not axes and node.attributes.get("noop_with_empty_axes", 0):
        raise ExportError("a reduction over no axes; expected one at least")
    return axes or range(len(node.value(0).shape))


def _keeps(node):
    return bool(node.attributes.get("keepdims", 1))


def _selu(frames, node):
    named = {name: node.attributes[name] for name in ("alpha", "gamma") if name in node.attributes}
    return frames.selu(node.value(0), **named)


def _softmax(frames, node):
    value, function = node.value(0), frames.log_softmax if node.type == "LogSoftmax" else frames.softmax
    if not value.shape:
        raise ExportError("a softmax of a number; expected at least one axis")
    if node.opset >= 13:
        return function(value, node.attributes.get("axis", -1))
    # Over all axes from this one on.
    axis = node.attributes.get("axis", 1) % len(value.shape)
    if value.time is not None and value.time >= axis:
        raise ExportError(f"a softmax over the axes from {axis} on of {list(value.shape)}, with time among them")
    flat = frames.moved(value, lambda array: array.reshape(*array.shape[:axis], -1))
    return frames.moved(function(flat, axis), lambda array: array.reshape(value.shape))


def _gather(frames, node):
    index = node.operand(1)
    if not isinstance(index, Value):
        return node.moved(frames)
    table = node.constant(0)
    if node.attributes.get("axis", 0) % table.ndim or frames.slot(index).kind != INDEX:
        raise ExportError("a look-up of something else than rows of a table by an index of the frame")
    slot = frames.builder.embedding(frames.slot(index), table.reshape(len(table), -1))
    return index.computed(index.shape + table.shape[1:], slot)


def _concatenate(frames, node):
    return frames.side_by_side(node.operands, node.attributes["axis"])


def _cast(frames, node):
    value = node.value(0)
    kind = np.dtype(helper.tensor_dtype_to_np_dtype(node.attributes["to"])).kind
    is_index = any(slot.kind == INDEX for slot in value.slots)
    if (kind in "iu") != is_index or kind in "bOUS":
        raise ExportError(f"a cast of {'an index' if is_index else 'numbers'} to another kind of values")
    return value


def _dropout(frames, node):
    training = node.constant(2)
    if training is not None and training.any():
        raise ExportError("a dropout in training")
    return node.value(0)


# What takes windows of positions, or of frames.
WINDOWED = {"AveragePool": windows.average_pool, "Conv": windows.convolution, "MaxPool": windows.max_pool}
TABLE = WINDOWED | {
    "Abs": lambda frames, node: frames.leaky_relu(node.value(0), -1),
    "Add": _sum,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concatenate,
    "Div": lambda frames, node: frames.divide(*node.operands),
    "Dropout": _dropout,
    "Elu": lambda frames, node: frames.elu(node.value(0), node.attributes.get("alpha", 1.0)),
    "Erf": _unary("error_function"),
    "Exp": _unary("exponential"),
    "Gather": _gather,
    "Gelu": lambda frames, node: frames.gelu(node.value(0), node.attributes.get("approximate", "none")),
    "Gemm": _gemm,
    "GlobalAveragePool": _global("total", is_mean=True),
    "GlobalMaxPool": _global("maximum"),
    "GroupNormalization": _group_norm,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda frames, node: frames.hard_swish(node.value(0)),
    "Identity": _same,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "LeakyRelu": _leaky_relu,
    "Log": _unary("logarithm"),
    "LogSoftmax": _softmax,
    "LpNormalization": _lp_normalization,
    "MatMul": _matmul,
    "Max": lambda frames, node: frames.largest(node.operands),
    "MeanVarianceNormalization": _mean_variance,
    "Min": lambda frames, node: frames.smallest(node.operands),
    "Mish": lambda frames, node: frames.mish(node.value(0)),
    "Mul": lambda frames, node: frames.multiply(*node.operands),
    "Neg": lambda frames, node: frames.affine(node.value(0), -1, 0),
    "PRelu": lambda frames, node: frames.leaky_relu(node.value(0), node.constant(1)),
    "Pad": windows.pad,
    "Pow": _power,
    "Reciprocal": lambda frames, node: frames.divide(np.ones(1), node.value(0)),
    "ReduceL1": lambda frames, node: frames.norm(node.value(0), _axes(node), _keeps(node), 1),
    "ReduceL2": _reduced("norm"),
    "ReduceMax": _reduced("maximum"),
    "ReduceMean": _total(is_mean=True),
    "ReduceMin": _reduced("minimum"),
    "ReduceSum": _total(is_mean=False),
    "ReduceSumSquare": _sum_of_squares,
    "Relu": _unary("relu"),
    "Selu": _selu,
    "Sigmoid": _unary("sigmoid"),
    "Softmax": _softmax,
    "Softplus": _unary("softplus"),
    "Sqrt": _unary("square_root"),
    "Sub": _subtract,
    "Sum": _sum,
    "Tanh": _unary("tanh"),
    "Where": _where,
}

# What a reader may expect, and why there is none of it.
REFUSED = {
    "ConvTranspose": "no operation of a .runnel file spreads windows that overlap",
    "Sign": "no operation of a .runnel file gives signs exactly",
}

# What only moves, drops or repeats elements of the first operand.
MOVES = {"Expand", "Flatten", "Reshape", "Slice", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze"}

# What takes no more of its operand than the shape.
SHAPES = {"Shape", "Size"}

# What is computed once where all operands are constants; of old batch norms, onnx.reference gives another result.
FOLDED = {
    *(TABLE.keys() - {"BatchNormalization"}),
    *MOVES,
    *SHAPES,
    "And",
    "Ceil",
    "Constant",
    "ConstantOfShape",
    "DequantizeLinear",
    "Equal",
    "Floor",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Mod",
    "NonZero",
    "Not",
    "Or",
    "Range",
    "ReduceProd",
    "ScatterND",
    "Sign",
}
