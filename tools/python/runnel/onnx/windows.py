"""ONNX's operations on the positions within a frame: padding, convolutions and pooling."""

import numpy as np

from ..errors import ExportError


def pad(frames, node):
    value = node.value(0)
    rank = len(value.shape)
    if node.opset < 11:
        pads, constant = node.attributes["pads"], node.attributes.get("value", 0.0)
    else:
        pads, constant = node.constant(1).tolist(), node.constant(2)
        constant = 0.0 if constant is None else float(constant)
    axes = node.constant(3)
    axes = np.arange(rank) if axes is None else axes % rank
    before, after = np.zeros((2, rank), int)
    before[axes], after[axes] = np.reshape(pads, (2, len(axes)))
    # Negative ones take elements away.
    cuts = tuple(
        slice(max(-first, 0), size - max(-last, 0))
        for first, last, size in zip(before, after, value.shape, strict=True)
    )
    value = frames.moved(value, lambda array: array[cuts])
    mode = node.attributes.get("mode", "constant")
    return frames.padded(value, np.maximum(before, 0), np.maximum(after, 0), constant, mode)


def convolution(frames, node):
    value, weights = node.value(0), node.constant(1)
    if weights.ndim != 3 or len(value.shape) != 3:
        raise ExportError(f"a convolution with weights {list(weights.shape)}; expected one over one axis, [O, C, K]")
    window = _Window(node, weights.shape[2], value.shape[2])
    return frames.convolution(
        value,
        weights.astype(np.float64),
        node.constant(2),
        window.stride,
        window.dilation,
        node.attributes.get("group", 1),
        window.before,
        window.after,
        name=node.name,
    )


def max_pool(frames, node):
    window = _pooled(node)
    arguments = (window.width, window.stride, window.dilation, window.before, window.after)
    return frames.max_pool(node.value(0), *arguments)


def average_pool(frames, node):
    window = _pooled(node)
    arguments = (window.width, window.stride, window.dilation, window.before, window.after)
    return frames.average_pool(node.value(0), *arguments, bool(node.attributes.get("count_include_pad", 0)))


def _pooled(node):
    """The windows of a pooling."""
    shape, kernel = node.value(0).shape, node.attributes["kernel_shape"]
    if len(shape) != 3 or len(kernel) != 1:
        raise ExportError(f"a pooling with windows {kernel} of {list(shape)}; expected one over one axis")
    window = _Window(node, kernel[0], shape[2])
    left = shape[2] + window.before + window.after - (window.width - 1) * window.dilation - 1
    if node.attributes.get("ceil_mode", 0) and left % window.stride:
        raise ExportError("ceil_mode adds a window that reaches beyond the padding; expected windows that fit")
    return window


class _Window:
    """The attributes that convolutions and poolings share, for the axis of positions."""

    def __init__(self, node, width, length):
        attributes = node.attributes
        self.width = width
        self.stride = attributes.get("strides", [1])[0]
        self.dilation = attributes.get("dilations", [1])[0]
        self.before, self.after = self._pads(attributes, length)

    def _pads(self, attributes, length):
        automatic = attributes.get("auto_pad", "NOTSET")
        if automatic == "NOTSET":
            return attributes.get("pads", [0, 0])
        if automatic == "VALID":
            return 0, 0
        windows = -(-length // self.stride)
        total = max((windows - 1) * self.stride + (self.width - 1) * self.dilation + 1 - length, 0)
        less = total // 2
        return (less, total - less) if automatic == "SAME_UPPER" else (total - less, less)
