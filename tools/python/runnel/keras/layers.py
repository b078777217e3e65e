"""Keras's layers and operations without a state, as those of a step."""

from dataclasses import replace
from functools import reduce

import numpy as np
from keras import activations, layers

from .. import layouts
from ..errors import ExportError
from ..frames import Value
from . import cells
from .weights import array, named

NO_OPERATION = "there is no such operation in a .runnel file"

# Why layers are refused, by the name of the class.
_REASONS = {
    "Bidirectional": "it needs the frames that come later; a step has none of them",
    "Lambda": "it holds code, which is neither run nor exported",
    "Masking": "it masks frames, and a step answers each frame",
    "RepeatVector": "it repeats a value over frames; a step knows a value of the last frame only after them",
}


def reason(kind, module):
    """Why a class that is not in the table is refused."""
    if module.split(".")[0] != "keras":
        return "it is a custom class, and what it computes is not known"
    return _REASONS.get(kind, NO_OPERATION)


# Activations


def _unary(name):
    return lambda frames, x: frames.unary(getattr(frames.builder, name), x)


_ACTIVATIONS = {
    activations.linear: lambda frames, x: x,
    activations.tanh: _unary("tanh"),
    activations.sigmoid: _unary("sigmoid"),
    activations.relu: _unary("relu"),
    activations.softmax: lambda frames, x: frames.softmax(x, -1),
    activations.hard_sigmoid: lambda frames, x: frames.hard_sigmoid(x, 1 / 6, 0.5),
    activations.silu: lambda frames, x: frames.silu(x),
    activations.gelu: lambda frames, x: frames.gelu(x),
    activations.elu: lambda frames, x: frames.elu(x),
    activations.selu: lambda frames, x: frames.selu(x),
    activations.softplus: lambda frames, x: frames.softplus(x),
    activations.mish: lambda frames, x: frames.mish(x),
    activations.leaky_relu: lambda frames, x: frames.leaky_relu(x, 0.2),
    activations.relu6: lambda frames, x: frames.clamp(x, 0, 6),
}


def _activated(reader, function, x):
    if isinstance(function, layers.Layer):
        return reader.called(function, x)
    if function not in _ACTIVATIONS:
        raise ExportError(f"the activation {named(function)}: {NO_OPERATION}")
    return _ACTIVATIONS[function](reader.frames, x)


def _activation(reader, name, layer, x):
    return _activated(reader, layer.activation, x)


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
    return _activated(reader, layer.activation, reader.frames.linear(x, w, b, name=name))


def _embedding(reader, name, layer, x):
    if layer.mask_zero:
        raise ExportError("mask_zero masks frames of the index 0, and a step answers each frame; expected False")
    slot = reader.builder.embedding(reader.index(x, layer.input_dim), array(layer.embeddings), name=name)
    return Value((*x.shape, slot.size), x.time, (slot,))


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


def _with_constant(frames, a, b, binary, affine):
    if isinstance(a, Value) and isinstance(b, Value):
        return binary(a, b)
    value, constant = (a, array(b)) if isinstance(a, Value) else (b, array(a))
    try:
        return affine(value, constant)
    except ValueError:
        raise ExportError(f"a constant of the shape {list(constant.shape)}, which is not one for each frame") from None


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
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    last = sorted(axis % len(x.shape) for axis in axes)
    if last != list(range(len(x.shape) - len(last), len(x.shape))) or getattr(layer, "rms_scaling", False):
        raise ExportError(f"a normalisation over the axes {axes}; expected the last ones, with their mean")
    weight, bias = (None if part is None else array(part) for part in (layer.gamma, layer.beta))
    return reader.frames.layer_norm(x, len(last), weight, bias, layer.epsilon)


TABLE = cells.TABLE | {
    layers.ELU: _elu,
    layers.LayerNormalization: _layer_norm,
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

# What `a + b`, `a - b`, `a * b` and `a[key]` become in a functional model, by the class in OPERATIONS_MODULE.
OPERATIONS_MODULE = "keras.src.ops.numpy"
OPERATIONS = {"Add": _add, "Subtract": _subtract, "Multiply": _multiply, "GetItem": _get_item}

NAMES = cells.NAMES | {kind.__name__ for kind in TABLE} | {"InputLayer"}
