"""ONNX's padding, convolutions and pooling, along positions within a frame or along time."""

import numpy as np

from ..errors import ExportError, WrongTime


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
    mode = node.attributes.get("mode", "constant")
    return frames.padded(value, before, after, constant, mode)


def convolution(frames, node):
    value, weights = node.value(0), node.constant(1)
    if weights.ndim != 3 or len(value.shape) != 3:
        raise ExportError(f"a convolution with weights {list(weights.shape)}; expected one over one axis, [O, C, K]")
    window = _Window(node, weights.shape[2], value)
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
    value, kernel = node.value(0), node.attributes["kernel_shape"]
    shape = value.shape
    if len(shape) != 3 or len(kernel) != 1:
        raise ExportError(f"a pooling with windows {kernel} of {list(shape)}; expected one over one axis")
    window = _Window(node, kernel[0], value)
    left = shape[2] + window.before + window.after - window.extent
    # Of frames, there may be any number.
    fits = window.stride == 1 if value.time == 2 else left % window.stride == 0
    if node.attributes.get("ceil_mode", 0) and not fits:
        raise ExportError("ceil_mode adds a window that reaches beyond the padding; expected windows that fit")
    return window


class _Window:
    """The attributes that convolutions and poolings share, for the last axis of a value.

    Raises WrongTime for a window that a sequence has too few positions for: its frames are rather these.
    """

    def __init__(self, node, width, value):
        attributes, length = node.attributes, value.shape[2]
        self.width = width
        self.stride = attributes.get("strides", [1])[0]
        self.dilation = attributes.get("dilations", [1])[0]
        self.before, self.after = self._pads(attributes, length)
        if value.time not in (None, 2) and self.extent > length + self.before + self.after:
            raise WrongTime(
                f"windows of {self.extent} positions of {list(value.shape)}, whose axis {value.time} is time"
            )

    @property
    def extent(self):
        """How many positions there are from the first to the last one of a window."""
        return (self.width - 1) * self.dilation + 1

    def _pads(self, attributes, length):
        automatic = attributes.get("auto_pad", "NOTSET")
        if automatic == "NOTSET":
            return attributes.get("pads", [0, 0])
        if automatic == "VALID":
            return 0, 0
        windows = -(-length // self.stride)
        total = max((windows - 1) * self.stride + self.extent - length, 0)
        less = total // 2
        return (less, total - less) if automatic == "SAME_UPPER" else (total - less, less)
