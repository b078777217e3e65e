"""Keras's activations."""

from keras import activations, layers

from ..errors import ExportError
from ..frames import Value
from .weights import named

NO_OPERATION = "there is no such operation in a .runnel file"


def _unary(name):
    return lambda frames, x: frames.unary(getattr(frames.builder, name), x)


def _softsign(frames, x):
    return frames.divide(x, frames.affine(frames.leaky_relu(x, -1), 1, 1))


def _log_sigmoid(frames, x):
    return frames.affine(frames.softplus(frames.affine(x, -1, 0)), -1, 0)


def _squareplus(frames, x):
    """(x + √(x² + 4)) / 2"""
    root = frames.unary(frames.builder.square_root, frames.affine(frames.multiply(x, x), 1, 4))
    return frames.affine(frames.add(x, root), 0.5, 0)


def _tanh_shrink(frames, x):
    return frames.add(x, frames.affine(_unary("tanh")(frames, x), -1, 0))


def _soft_shrink(frames, x):
    return frames.add(x, frames.affine(frames.clamp(x, -0.5, 0.5), -1, 0))


TABLE = {
    activations.linear: lambda frames, x: x,
    activations.tanh: _unary("tanh"),
    activations.sigmoid: _unary("sigmoid"),
    activations.relu: _unary("relu"),
    activations.softmax: lambda frames, x: frames.softmax(x, -1),
    activations.log_softmax: lambda frames, x: frames.log_softmax(x, -1),
    activations.exponential: _unary("exponential"),
    activations.hard_sigmoid: lambda frames, x: frames.hard_sigmoid(x, 1 / 6, 0.5),
    activations.hard_silu: lambda frames, x: frames.hard_swish(x),
    activations.hard_tanh: lambda frames, x: frames.clamp(x, -1, 1),
    activations.log_sigmoid: _log_sigmoid,
    activations.silu: lambda frames, x: frames.silu(x),
    activations.gelu: lambda frames, x: frames.gelu(x),
    activations.glu: lambda frames, x: frames.glu(x),
    activations.elu: lambda frames, x: frames.elu(x),
    activations.celu: lambda frames, x: frames.elu(x),
    activations.selu: lambda frames, x: frames.selu(x),
    activations.softplus: lambda frames, x: frames.softplus(x),
    activations.softsign: _softsign,
    activations.squareplus: _squareplus,
    activations.soft_shrink: _soft_shrink,
    activations.tanh_shrink: _tanh_shrink,
    activations.mish: lambda frames, x: frames.mish(x),
    activations.leaky_relu: lambda frames, x: frames.leaky_relu(x, 0.2),
    activations.relu6: lambda frames, x: frames.clamp(x, 0, 6),
}


def activated(reader, function, x):
    """What an activation, a function or a layer, gives for a value."""
    if isinstance(function, layers.Layer):
        return reader.called(function, x)
    if function not in TABLE:
        raise ExportError(f"the activation {named(function)}: {NO_OPERATION}")
    return TABLE[function](reader.frames, x)


def of_slots(reader, function):
    """The activation of a cell, as a function that takes a slot and gives one."""

    def apply(slot):
        return reader.frames.slot(activated(reader, function, Value((1, slot.size), None, (slot,))))

    return apply
