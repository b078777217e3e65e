"""PyTorch's operations without a state, as those of a step."""

import numpy as np
import torch

from ..errors import ExportError
from ..frames import Value
from ..model import INDEX


def _array(value):
    return value.detach().double().numpy() if isinstance(value, torch.Tensor) else value


def _unary(name):
    return lambda frames, x: frames.unary(getattr(frames.builder, name), x)


def _add(frames, a, b, alpha=1):
    if not isinstance(b, Value):
        return frames.add(a, np.multiply(_array(b), alpha))
    return frames.add(_array(a), b if alpha == 1 else frames.affine(b, alpha, 0))


def _power(frames, x, exponent):
    return frames.power(x, exponent)


def _prelu(frames, x, slopes):
    slopes = _array(slopes)
    # One for all, or one for each element of the second axis.
    if len(slopes) > 1:
        slopes = slopes.reshape([-1] + [1] * (len(x.shape) - 2))
    return frames.leaky_relu(x, slopes)


def _linear(frames, x, weights, bias=None):
    if isinstance(weights, Value):
        raise ExportError("a matrix that is computed from the frame")
    return frames.linear(x, _array(weights), _array(bias))


def _matmul(frames, a, b):
    if not isinstance(a, Value) or isinstance(b, Value) or b.ndim != 2:
        raise ExportError("a product of matrices; expected a tensor times a constant matrix")
    return frames.linear(a, _array(b).T, None)


def _embedding(frames, table, index, *options):
    if isinstance(table, Value) or frames.ordered(index).kind != INDEX:
        raise ExportError("an embedding of something else than an index of the frame")
    slot = frames.builder.embedding(frames.ordered(index), _array(table))
    return index.computed((*index.shape, slot.size), slot)


def _batch_norm(frames, x, weight, bias, mean, variance, training, momentum, epsilon, cudnn):
    if mean is None or training:
        raise ExportError("a batch norm without the statistics of its training")
    return frames.batch_norm(x, _array(weight), _array(bias), _array(mean), _array(variance), epsilon)


def _layer_norm(frames, x, shape, weight=None, bias=None, epsilon=1e-5, cudnn=True):
    return frames.layer_norm(x, len(shape), _array(weight), _array(bias), epsilon)


def _elu(frames, x, alpha=1, scale=1, input_scale=1):
    if input_scale != 1:
        raise ExportError(f"an ELU with an input scale of {input_scale}; expected 1")
    return frames.elu(x, alpha) if scale == 1 else frames.selu(x, alpha, scale)


def _lerp(frames, start, end, weight):
    """start + weight (end - start)"""
    if isinstance(start, Value) or isinstance(end, Value):
        difference = _add(frames, end, start, -1)
    else:
        difference = end - start
    return frames.add(_array(start), frames.multiply(_array(difference), _array(weight)))


def _add_product(frames, x, a, b, value=1):
    """x + value a b"""
    product = frames.multiply(_array(a), _array(b)) if isinstance(a, Value) or isinstance(b, Value) else a * b
    return _add(frames, x, product, value)


def _softplus(frames, x, beta=1, threshold=20):
    if beta != 1:
        raise ExportError(f"a softplus with a beta of {beta}; expected 1")
    return frames.softplus(x)


def _total(frames, x, axes, keeps=False, dtype=None, *, is_mean=False):
    return frames.total(x, _axes(x, axes), keeps, is_mean)


def _norm(frames, x, order=2, axes=None, keeps=False, dtype=None):
    if order not in (None, 2):
        raise ExportError(f"a norm of the order {order}; expected 2")
    return frames.norm(x, _axes(x, axes), keeps)


def _axes(x, axes):
    return axes or range(len(x.shape))


def _largest_of_axis(frames, x, axis, keeps=False):
    """The largest elements alone; where they stand is nothing that a step computes."""
    return [frames.maximum(x, [axis], keeps)]


def _smallest_of_axis(frames, x, axis, keeps=False):
    return [frames.minimum(x, [axis], keeps)]


# Windows


def _convolution(frames, x, weights, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if isinstance(weights, Value) or isinstance(bias, Value):
        raise ExportError("a convolution with weights that are computed from the frame")
    stride, dilation = _one(stride), _one(dilation)
    span = (weights.shape[-1] - 1) * dilation
    if isinstance(padding, str):
        before = {"same": span // 2, "valid": 0}[padding]
        after = {"same": span - before, "valid": 0}[padding]
    else:
        before = after = _one(padding)
    return frames.convolution(x, _array(weights), _array(bias), stride, dilation, groups, before, after)


def _max_pool(frames, x, width, stride=(), padding=0, dilation=1, ceil_mode=False):
    width, padding, dilation = _one(width), _one(padding), _one(dilation)
    stride = _one(stride or width)
    _refuse_ceiling(x, width, stride, padding, dilation, ceil_mode)
    return frames.max_pool(x, width, stride, dilation, padding, padding)


def _average_pool(frames, x, width, stride=(), padding=0, ceil_mode=False, counts_padding=True):
    width, padding = _one(width), _one(padding)
    stride = _one(stride or width)
    _refuse_ceiling(x, width, stride, padding, 1, ceil_mode)
    return frames.average_pool(x, width, stride, 1, padding, padding, counts_padding)


def _refuse_ceiling(x, width, stride, padding, dilation, ceil_mode):
    if ceil_mode and (x.shape[-1] + 2 * padding - (width - 1) * dilation - 1) % stride:
        raise ExportError("ceil_mode adds a window that reaches beyond the padding; expected windows that fit")


def _global_average(frames, x, size):
    _refuse_positions(size)
    return frames.total(x, [-1], True, is_mean=True)


def _global_maximum(frames, x, size):
    _refuse_positions(size)
    return [frames.maximum(x, [-1], True)]


def _refuse_positions(size):
    if _one(size) != 1:
        raise ExportError(f"an adaptive pooling that gives {_one(size)} positions; expected 1")


def _pad(frames, x, pads, mode="constant", value=None):
    """pads: how many elements before and after the last axis, then the one before it, and so on."""
    before, after = np.zeros((2, len(x.shape)), int)
    for place, count in enumerate(pads):
        (after if place % 2 else before)[-1 - place // 2] = count
    mode = {"replicate": "edge", "circular": "wrap"}.get(mode, mode)
    return frames.padded(x, before, after, value or 0.0, mode)


def _one(number):
    """The number of the one axis, which may stand in a list."""
    return number if isinstance(number, int) else number[0]


def _instance_norm(frames, x, weight, bias, mean, variance, is_of_input, momentum, epsilon, cudnn):
    if not is_of_input:
        return frames.batch_norm(x, _array(weight), _array(bias), _array(mean), _array(variance), epsilon)
    return frames.scaled(frames.normalised(x, range(2, len(x.shape)), epsilon), _array(weight), _array(bias))


def _group_norm(frames, x, groups, weight=None, bias=None, epsilon=1e-5, cudnn=True):
    split = (x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
    grouped = frames.moved(x, lambda array: array.reshape(split))
    normalised = frames.normalised(grouped, range(2, len(split)), epsilon)
    whole = frames.moved(normalised, lambda array: array.reshape(x.shape))
    return frames.scaled(whole, _array(weight), _array(bias))


def _softmax(frames, x, axis, dtype=None):
    return frames.softmax(x, axis)


def _concatenate(frames, values, axis=0):
    return frames.side_by_side([_array(value) for value in values], axis)


def _stack(frames, values, axis=0):
    if not all(isinstance(value, Value) for value in values):
        raise ExportError("a stack with a constant")
    axis %= len(values[0].shape) + 1
    return frames.concatenate(
        [frames.moved(value, lambda array: np.expand_dims(array, axis)) for value in values], axis
    )


def _same(frames, x, *arguments, **named):
    return x


# What takes windows of positions, or of frames.
WINDOWED = {
    "aten.conv1d.default": _convolution,
    "aten.conv1d.padding": _convolution,
    "aten.max_pool1d.default": _max_pool,
    "aten.avg_pool1d.default": _average_pool,
}
TABLE = WINDOWED | {
    "aten.tanh.default": _unary("tanh"),
    "aten.sigmoid.default": _unary("sigmoid"),
    "aten.relu.default": _unary("relu"),
    "aten.silu.default": lambda frames, x: frames.silu(x),
    "aten.mish.default": lambda frames, x: frames.mish(x),
    "aten.gelu.default": lambda frames, x, approximate="none": frames.gelu(x, approximate),
    "aten.glu.default": lambda frames, x, axis=-1: frames.glu(x, axis),
    "aten.log_sigmoid.default": lambda frames, x: frames.affine(frames.softplus(frames.affine(x, -1, 0)), -1, 0),
    "aten.elu.default": _elu,
    "aten.selu.default": lambda frames, x: frames.selu(x),
    "aten.softplus.default": _softplus,
    "aten.sqrt.default": _unary("square_root"),
    "aten.rsqrt.default": lambda frames, x: frames.power(x, -0.5),
    "aten.exp.default": _unary("exponential"),
    "aten.expm1.default": lambda frames, x: frames.affine(_unary("exponential")(frames, x), 1, -1),
    "aten.log.default": _unary("logarithm"),
    "aten.log1p.default": lambda frames, x: _unary("logarithm")(frames, frames.affine(x, 1, 1)),
    "aten.log2.default": lambda frames, x: frames.affine(_unary("logarithm")(frames, x), 1 / np.log(2), 0),
    "aten.log10.default": lambda frames, x: frames.affine(_unary("logarithm")(frames, x), 1 / np.log(10), 0),
    "aten.erf.default": _unary("error_function"),
    "aten.leaky_relu.default": lambda frames, x, slope=0.01: frames.leaky_relu(x, slope),
    "aten.prelu.default": _prelu,
    "aten.relu6.default": lambda frames, x: frames.clamp(x, 0, 6),
    "aten.hardtanh.default": lambda frames, x, low=-1, high=1: frames.clamp(x, low, high),
    "aten.clamp.default": lambda frames, x, low=None, high=None: frames.clamp(x, low, high),
    "aten.clamp_min.default": lambda frames, x, low: frames.clamp(x, low, None),
    "aten.hardsigmoid.default": lambda frames, x: frames.hard_sigmoid(x, 1 / 6, 0.5),
    "aten.hardswish.default": lambda frames, x: frames.hard_swish(x),
    "aten.abs.default": lambda frames, x: frames.leaky_relu(x, -1),
    "aten.neg.default": lambda frames, x: frames.affine(x, -1, 0),
    "aten.square.default": lambda frames, x: frames.multiply(x, x),
    "aten.pow.Tensor_Scalar": _power,
    "aten.add.Tensor": _add,
    "aten.sub.Tensor": lambda frames, a, b, alpha=1: _add(frames, a, b, -alpha),
    "aten.rsub.Scalar": lambda frames, a, b: frames.affine(a, -1, b),
    "aten.mul.Tensor": lambda frames, a, b: frames.multiply(_array(a), _array(b)),
    "aten.lerp.Tensor": _lerp,
    "aten.lerp.Scalar": _lerp,
    "aten.addcmul.default": _add_product,
    "aten.div.Tensor": lambda frames, a, b: frames.divide(_array(a), _array(b)),
    "aten.reciprocal.default": lambda frames, x: frames.divide(np.ones(1), x),
    "aten.linear.default": _linear,
    "aten.matmul.default": _matmul,
    "aten.embedding.default": _embedding,
    "aten.batch_norm.default": _batch_norm,
    "aten.layer_norm.default": _layer_norm,
    "aten.sum.dim_IntList": _total,
    "aten.sum.default": lambda frames, x: frames.total(x, _axes(x, None), False),
    "aten.mean.default": lambda frames, x: frames.total(x, _axes(x, None), False, is_mean=True),
    "aten.mean.dim": lambda frames, *arguments, **named: _total(frames, *arguments, **named, is_mean=True),
    "aten.amax.default": lambda frames, x, axes=(), keeps=False: frames.maximum(x, _axes(x, axes), keeps),
    "aten.amin.default": lambda frames, x, axes=(), keeps=False: frames.minimum(x, _axes(x, axes), keeps),
    "aten.max.dim": _largest_of_axis,
    "aten.min.dim": _smallest_of_axis,
    "aten.maximum.default": lambda frames, a, b: frames.largest([_array(a), _array(b)]),
    "aten.minimum.default": lambda frames, a, b: frames.smallest([_array(a), _array(b)]),
    "aten.adaptive_avg_pool1d.default": _global_average,
    "aten.adaptive_max_pool1d.default": _global_maximum,
    "aten.constant_pad_nd.default": lambda frames, x, pads, value=0: _pad(frames, x, pads, "constant", value),
    "aten.pad.default": _pad,
    "aten.reflection_pad1d.default": lambda frames, x, pads: _pad(frames, x, pads, "reflect"),
    "aten.replication_pad1d.default": lambda frames, x, pads: _pad(frames, x, pads, "replicate"),
    "aten.instance_norm.default": _instance_norm,
    "aten.group_norm.default": _group_norm,
    "aten.linalg_vector_norm.default": _norm,
    "aten.linalg_norm.default": _norm,
    "aten.expand_as.default": lambda frames, x, y: frames.moved(x, lambda array: np.broadcast_to(array, y.shape)),
    "aten.softmax.int": _softmax,
    "aten.log_softmax.int": lambda frames, x, axis, dtype=None: frames.log_softmax(x, axis),
    "aten.cat.default": _concatenate,
    "aten.stack.default": _stack,
    "aten.dropout.default": _same,
    "aten.feature_dropout.default": _same,
    "aten.contiguous.default": _same,
    "aten.clone.default": _same,
    "aten.detach.default": _same,
    "aten.alias.default": _same,
}

# What only moves, drops or repeats elements.
MOVES = {
    "aten.view.default",
    "aten.reshape.default",
    "aten.flatten.using_ints",
    "aten.unflatten.int",
    "aten.squeeze.default",
    "aten.squeeze.dim",
    "aten.squeeze.dims",
    "aten.unsqueeze.default",
    "aten.transpose.int",
    "aten.permute.default",
    "aten.movedim.int",
    "aten.t.default",
    "aten.numpy_T.default",
    "aten.select.int",
    "aten.slice.Tensor",
    "aten.narrow.default",
    "aten.expand.default",
    "aten.repeat.default",
    "aten.flip.default",
    "aten.chunk.default",
    "aten.split.Tensor",
    "aten.split_with_sizes.default",
    "aten.unbind.int",
}


def moved(target, array, arguments, named):
    """What an operation of MOVES makes of an array: an array, or a list of them."""
    result = target(torch.from_numpy(np.array(array)), *arguments, **named)
    return [part.numpy() for part in result] if isinstance(result, (list, tuple)) else result.numpy()
