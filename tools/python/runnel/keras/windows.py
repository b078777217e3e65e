"""Keras's convolutions, pooling, padding and cropping along one axis."""

import numpy as np
from keras import layers

from ..errors import ExportError
from .activations import activated
from .weights import array


def _conv(reader, name, layer, x):
    # [width, channels, outputs]
    weights = array(layer.kernel).transpose(2, 1, 0)
    result = _convolved(reader, name, layer, x, weights, array(layer.bias), layer.groups)
    return activated(reader, layer.activation, result)


def _depthwise_conv(reader, name, layer, x):
    result = _depthwise(reader, name, layer, x, array(layer.kernel), array(layer.bias))
    return activated(reader, layer.activation, result)


def _separable_conv(reader, name, layer, x):
    x = _depthwise(reader, f"{name}.depthwise", layer, x, array(layer.depthwise_kernel), None)
    weights, bias = array(layer.pointwise_kernel).transpose(2, 1, 0), array(layer.bias)
    result = _along(reader, layer, x, lambda x: reader.frames.convolution(x, weights, bias, name=f"{name}.pointwise"))
    return activated(reader, layer.activation, result)


def _depthwise(reader, name, layer, x, kernel, bias):
    """A convolution of each channel alone: kernel [width, channels, multiplier]."""
    width, channels, multiplier = kernel.shape
    weights = kernel.transpose(1, 2, 0).reshape(channels * multiplier, 1, width)
    # Each channel as often as it has results.
    axis = _axes(layer)[1]
    x = reader.frames.moved(x, lambda values: np.repeat(values, multiplier, axis))
    return _convolved(reader, name, layer, x, weights, bias, channels * multiplier)


def _convolved(reader, name, layer, x, weights, bias, groups):
    stride, dilation = layer.strides[0], layer.dilation_rate[0]
    before, after = _padding(layer, x, weights.shape[2], stride, dilation)

    def function(x):
        return reader.frames.convolution(x, weights, bias, stride, dilation, groups, before, after, name)

    return _along(reader, layer, x, function)


def _max_pool(reader, name, layer, x):
    width, stride = layer.pool_size[0], layer.strides[0]
    before, after = _padding(layer, x, width, stride)
    return _along(reader, layer, x, lambda x: reader.frames.max_pool(x, width, stride, before=before, after=after))


def _average_pool(reader, name, layer, x):
    width, stride = layer.pool_size[0], layer.strides[0]
    before, after = _padding(layer, x, width, stride)
    if before != after:
        raise ExportError(
            f"the mean of windows with {before} positions of padding before and {after} after the others, which "
            "Keras's backends count in different ways; expected as many, or padding='valid'"
        )
    return _along(reader, layer, x, lambda x: reader.frames.average_pool(x, width, stride, before=before, after=after))


def _global_pool(name):
    def pool(reader, _, layer, x):
        axis = _axes(layer)[0]
        if x.time == axis:
            raise ExportError(
                "it pools all frames of a sequence, of which a step has seen those until now; expected pooling of "
                "windows of frames, or this layer within TimeDistributed"
            )
        named = {"is_mean": True} if name == "total" else {}
        return getattr(reader.frames, name)(x, [axis], layer.keepdims, **named)

    return pool


def _zero_padding(reader, name, layer, x):
    before, after = np.zeros((2, 3), int)
    axis = _axes(layer)[0]
    before[axis], after[axis] = layer.padding
    if axis == x.time and after[axis]:
        raise ExportError(
            f"{after[axis]} frames of zeros behind the last one; a stream has later frames: expected padding on the "
            f"left only, ({before[axis] + after[axis]}, 0)"
        )
    return reader.frames.padded(x, before, after)


def _cropping(reader, name, layer, x):
    first, last = layer.cropping
    if x.time == 1 and last:
        raise ExportError(f"the last {last} frames are cut off; a step answers at once: expected ({first}, 0)")
    return reader.frames.moved(x, lambda values: values[:, first : values.shape[1] - last])


def _axes(layer):
    """Those of positions and of channels."""
    return (2, 1) if getattr(layer, "data_format", "channels_last") == "channels_first" else (1, 2)


def _along(reader, layer, x, function):
    """What a function of [batch, channels, positions] gives, in the layer's own order of axes."""
    if len(x.shape) != 3:
        raise ExportError(
            f"it is given {list(x.shape)}; expected three axes, within TimeDistributed if time is another"
        )
    axis, channels = _axes(layer)
    if x.time == channels:
        raise ExportError(f"its positions are axis {axis}, and time is axis {x.time}; expected time as its positions")
    if axis == 2:
        return function(x)
    swapped = reader.frames.moved(x, lambda values: values.swapaxes(1, 2))
    return reader.frames.moved(function(swapped), lambda values: values.swapaxes(1, 2))


def _padding(layer, x, width, stride, dilation=1):
    """How many zeros stand before and after the positions."""
    span, axis = (width - 1) * dilation, _axes(layer)[0]
    if layer.padding == "valid" or not span:
        return 0, 0
    if layer.padding == "causal":
        return span, 0
    if x.time == axis:
        causal = "'causal', or " if isinstance(layer, layers.Conv1D) else ""
        raise ExportError(
            f"padding='same' looks {span - span // 2} frames ahead; expected {causal}'valid' behind a "
            f"ZeroPadding1D(({span}, 0))"
        )
    length = x.shape[axis]
    total = max((-(-length // stride) - 1) * stride + span + 1 - length, 0)
    return total // 2, total - total // 2


TABLE = {
    layers.Conv1D: _conv,
    layers.DepthwiseConv1D: _depthwise_conv,
    layers.SeparableConv1D: _separable_conv,
    layers.MaxPooling1D: _max_pool,
    layers.AveragePooling1D: _average_pool,
    layers.GlobalMaxPooling1D: _global_pool("maximum"),
    layers.GlobalAveragePooling1D: _global_pool("total"),
    layers.ZeroPadding1D: _zero_padding,
    layers.Cropping1D: _cropping,
}
