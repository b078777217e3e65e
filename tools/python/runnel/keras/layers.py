"""Keras's layers and operations without a state, as those of a step."""

from dataclasses import replace
from functools import reduce

import numpy as np
from keras import activations, layers

from .. import layouts
from ..errors import ExportError
from ..frames import Value
from . import cells, windows
from .activations import NO_OPERATION, activated
from .activations import TABLE as ACTIVATIONS
from .weights import array

_SEVERAL_ANSWERS = "it gives several frames for one; a step answers once"

# Why layers are refused, by the name of the class.
_REASONS = {
    "Attention": "it weighs all frames of a sequence; a step has seen those until now",
    "Conv1DTranspose": _SEVERAL_ANSWERS,
    "Lambda": "it holds code, which is neither run nor exported",
    "Masking": "it masks frames, and a step answers each frame",
    "RepeatVector": "it repeats a value over frames; a step knows a value of the last frame only after them",
    "UpSampling1D": _SEVERAL_ANSWERS,
}
_REASONS |= dict.fromkeys(("AdditiveAttention", "GroupedQueryAttention", "MultiHeadAttention"), _REASONS["Attention"])


def reason(kind, module):
    """Why a class that is not in the table is refused."""
    if module.split(".")[0] != "keras":
        return "it is a custom class, and what it computes is not known"
    return _REASONS.get(kind, NO_OPERATION)


# Activations


def _activation(reader, name, layer, x):
    return activated(reader, layer.activation, x)


def _relu(reader, name, layer, x):
    if layer.threshold:
        raise ExportError(f"the threshold is {layer.threshold}; expected 0")
    bent = reader.frames.leaky_relu(x, layer.negative_slope) if layer.negative_slope else reader.frames.relu(x)
    return reader.frames.clamp(bent, None, layer.max_value)


def _leaky_relu(reader, name, layer, x):
    return reader.frames.leaky_relu(x, layer.negative_slope)


def _prelu(reader, name, layer, x):
    slopes = array(layer.alpha)[np.newaxis]
    if x.time is not None and slopes.shape[x.time] != 1:
        raise ExportError("each frame has slopes of its own; expected shared_axes=[1]")
    return reader.frames.leaky_relu(x, slopes)


def _softmax(reader, name, layer, x):
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if len(axes) != 1:
        raise ExportError(f"a softmax over the axes {list(axes)}; expected one axis")
    return reader.frames.softmax(x, axes[0])


# Weights


def _dense(reader, name, layer, x):
    w, b = layouts.keras_dense(array(layer.kernel), array(layer.bias), where=name)
    return activated(reader, layer.activation, reader.frames.linear(x, w, b, name=name))


def _embedding(reader, name, layer, x):
    if layer.mask_zero:
        raise ExportError("mask_zero masks frames of the index 0, and a step answers each frame; expected False")
    slot = reader.builder.embedding(reader.index(x, layer.input_dim), array(layer.embeddings), name=name)
    return x.computed((*x.shape, slot.size), slot)


def _batch_norm(reader, name, layer, x):
    axis = layer.axis % len(x.shape)
    if axis == x.time:
        raise ExportError(f"it normalises along axis {axis}, which is time")
    weights = [array(weight) for weight in (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)]
    return reader.frames.batch_norm(x, *weights, layer.epsilon, axis)


def _time_distributed(reader, name, layer, x):
    if x.time != 1:
        raise ExportError("it takes a sequence with time as axis 1")
    frame = reader.called(layer.layer, replace(x, shape=x.frame_shape, time=None))
    return replace(frame, shape=(1, x.shape[1], *frame.shape[1:]), time=1)


# Several values


def _merge(function):
    def merge(reader, name, layer, values):
        if len({len(value.shape) for value in values}) != 1:
            raise ExportError("its operands differ in their number of axes")
        return reduce(lambda a, b: function(reader.frames, a, b), values)

    return merge


def _add(frames, a, b):
    return _with_constant(frames, a, b, frames.add, lambda x, constant: frames.affine(x, 1, constant))


def _subtract(frames, a, b):
    return _add(frames, a, frames.affine(b, -1, 0) if isinstance(b, Value) else -array(b))


def _multiply(frames, a, b):
    return _with_constant(frames, a, b, frames.multiply, lambda x, constant: frames.affine(x, constant, 0))


def _divide(frames, a, b):
    if isinstance(b, Value):
        return _with_constant(frames, a, b, frames.divide, lambda x, constant: frames.divide(constant, x))
    return _multiply(frames, a, 1 / array(b))


def _maximum(frames, a, b):
    return _with_constant(frames, a, b, _of_two(frames.largest), _of_two(frames.largest))


def _minimum(frames, a, b):
    return _with_constant(frames, a, b, _of_two(frames.smallest), _of_two(frames.smallest))


def _of_two(function):
    return lambda a, b: function([a, b])


def _with_constant(frames, a, b, binary, unary):
    """binary of two values, or unary of a value and a constant array."""
    if isinstance(a, Value) and isinstance(b, Value):
        return binary(a, b)
    value, constant = (a, array(b)) if isinstance(a, Value) else (b, array(a))
    try:
        return unary(value, constant)
    except ValueError:
        raise ExportError(f"a constant of the shape {list(constant.shape)}, which is not one for each frame") from None


def _average(reader, name, layer, values):
    return reader.frames.affine(_merge(_add)(reader, name, layer, values), 1 / len(values), 0)


def _concatenate(reader, name, layer, values):
    return reader.frames.concatenate(values, layer.axis)


# Moves


def _moved(frames, x, move):
    try:
        return frames.moved(x, move)
    except ValueError:
        raise ExportError("the new shape is not one for any number of frames; expected -1 for time") from None


def _reshape(reader, name, layer, x):
    return _moved(reader.frames, x, lambda values: values.reshape(1, *layer.target_shape))


def _flatten(reader, name, layer, x):
    if layer.data_format == "channels_first" and len(x.shape) > 2:
        raise ExportError("its data_format is channels_first; expected channels_last")
    return _moved(reader.frames, x, lambda values: values.reshape(1, -1))


def _permute(reader, name, layer, x):
    return _moved(reader.frames, x, lambda values: values.transpose(0, *layer.dims))


def _get_item(frames, x, key):
    return _moved(frames, x, lambda values: values[tuple(key) if isinstance(key, list) else key])


def _same(reader, name, layer, x):
    return x


def _elu(reader, name, layer, x):
    return reader.frames.elu(x, layer.alpha)


def _layer_norm(reader, name, layer, x):
    if getattr(layer, "rms_scaling", False):
        raise ExportError("rms_scaling divides by the variance; expected RMSNormalization")
    axes = _normalised_axes(layer, x)
    weight, bias = (None if part is None else array(part) for part in (layer.gamma, layer.beta))
    if axes == list(range(len(x.shape) - len(axes), len(x.shape))):
        return reader.frames.layer_norm(x, len(axes), weight, bias, layer.epsilon)
    normalised = reader.frames.normalised(x, axes, layer.epsilon)
    scale, shift = (_across(x, axes, part, default) for part, default in ((weight, 1.0), (bias, 0.0)))
    return reader.frames.affine(normalised, scale, shift)


def _rms_norm(reader, name, layer, x):
    frames, axes = reader.frames, _normalised_axes(layer, x)
    mean = frames.total(frames.multiply(x, x), axes, True, is_mean=True)
    root = frames.unary(frames.builder.square_root, frames.affine(mean, 1, layer.epsilon))
    return frames.affine(frames.divide(x, root), _across(x, axes, array(layer.scale), 1.0), 0)


def _unit_norm(reader, name, layer, x):
    norm = reader.frames.norm(x, _normalised_axes(layer, x), True)
    return reader.frames.divide(x, reader.frames.clamp(norm, 1e-12, None))


def _normalised_axes(layer, x):
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    axes = sorted(axis % len(x.shape) for axis in axes)
    if x.time in axes:
        raise ExportError(f"it normalises over the axes {axes}, of which {x.time} is time; a step sees one frame")
    return axes


def _across(x, axes, weights, default):
    """Weights for the axes, in the shape in which they are broadcast."""
    if weights is None:
        return default
    return weights.reshape([size if axis in axes else 1 for axis, size in enumerate(x.shape)])


TABLE = {
    **cells.TABLE,
    **windows.TABLE,
    layers.ELU: _elu,
    layers.LayerNormalization: _layer_norm,
    layers.RMSNormalization: _rms_norm,
    layers.UnitNormalization: _unit_norm,
    layers.Activation: _activation,
    layers.ReLU: _relu,
    layers.LeakyReLU: _leaky_relu,
    layers.PReLU: _prelu,
    layers.Softmax: _softmax,
    layers.Dense: _dense,
    layers.Embedding: _embedding,
    layers.BatchNormalization: _batch_norm,
    layers.TimeDistributed: _time_distributed,
    layers.Add: _merge(_add),
    layers.Subtract: _merge(_subtract),
    layers.Multiply: _merge(_multiply),
    layers.Maximum: _merge(_maximum),
    layers.Minimum: _merge(_minimum),
    layers.Average: _average,
    layers.Concatenate: _concatenate,
    layers.Reshape: _reshape,
    layers.Flatten: _flatten,
    layers.Permute: _permute,
    layers.Identity: _same,
    layers.Dropout: _same,
    layers.SpatialDropout1D: _same,
    layers.AlphaDropout: _same,
    layers.GaussianDropout: _same,
    layers.GaussianNoise: _same,
}

# What operators and functions of keras.ops become in a functional model, by module and class.
OPERATIONS = {
    "keras.src.ops.numpy": {
        "Absolute": lambda frames, x: frames.leaky_relu(x, -1),
        "Add": _add,
        "Divide": _divide,
        "Exp": ACTIVATIONS[activations.exponential],
        "GetItem": _get_item,
        "Log": lambda frames, x: frames.unary(frames.builder.logarithm, x),
        "Maximum": _maximum,
        "Minimum": _minimum,
        "Multiply": _multiply,
        "Negative": lambda frames, x: frames.affine(x, -1, 0),
        "Sqrt": lambda frames, x: frames.unary(frames.builder.square_root, x),
        "Square": lambda frames, x: frames.multiply(x, x),
        "Subtract": _subtract,
        "Tanh": ACTIVATIONS[activations.tanh],
        "TrueDivide": _divide,
    },
    "keras.src.ops.nn": {
        "Relu": ACTIVATIONS[activations.relu],
        "Sigmoid": ACTIVATIONS[activations.sigmoid],
        "Silu": ACTIVATIONS[activations.silu],
        "Softplus": ACTIVATIONS[activations.softplus],
    },
}

NAMES = cells.NAMES | {kind.__name__ for kind in TABLE} | {"InputLayer"}
