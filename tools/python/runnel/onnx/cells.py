"""ONNX's recurrent layers."""

import numpy as np

from .. import layouts, variants
from ..builder import Builder
from ..errors import ExportError
from ..frames import Value
from ..graphs import WrongTime

_RAMP = 2.0**64


def _thresholded_relu(builder, x, alpha):
    """x where it is alpha or more, and 0 elsewhere."""
    # 0 from alpha on, and -1 below: no 32-bit float of a usual size is nearer to alpha than the ramp is wide.
    below = builder.clip(builder.affine(x, _RAMP, -_RAMP * alpha), -1, 0)
    return builder.multiply(x, builder.affine(below, 1, 1))


def _softsign(builder, x):
    return builder.divide(x, builder.affine(builder.prelu(x, -1), 1, 1))


# What adds each of ONNX's activations, and the defaults of alpha and beta, as far as it takes them. Those that ONNX
# has no operator for, or another default than onnxruntime, have none.
_ACTIVATIONS = {
    "relu": (Builder.relu, ()),
    "tanh": (Builder.tanh, ()),
    "sigmoid": (Builder.sigmoid, ()),
    "affine": (Builder.affine, (None, None)),
    "leakyrelu": (Builder.prelu, (0.01,)),
    "thresholdedrelu": (_thresholded_relu, (None,)),
    "scaledtanh": (
        lambda builder, x, alpha, beta: builder.affine(builder.tanh(builder.affine(x, beta, 0)), alpha, 0),
        (None, None),
    ),
    "hardsigmoid": (lambda builder, x, alpha, beta: builder.clip(builder.affine(x, alpha, beta), 0, 1), (0.2, 0.5)),
    "elu": (Builder.elu, (1,)),
    "softsign": (_softsign, ()),
    "softplus": (Builder.softplus, ()),
}


def _add_rnn(builder, x, node, weights, name, hidden):
    w, r, b = layouts.onnx_rnn(*weights, where=name)
    names, clip = _activations(node), _clip(node)
    if clip is None and names[0] in ("tanh", "relu"):
        return builder.rnn(x, w, r, b, activation=names[0], name=name, hidden=hidden)
    (activation,) = _functions(builder, node, names)
    return variants.rnn(builder, x, w, r, b, activation=activation, name=name, hidden=hidden, clip=clip)


def _add_lstm(builder, x, node, weights, name, hidden, cell):
    weights = layouts.onnx_lstm(*weights, where=name)
    variant, peepholes = {}, node.constant(7)
    names, clip = _activations(node), _clip(node)
    if names != _DEFAULTS["LSTM"]:
        variant["activations"] = _functions(builder, node, names)
    if clip is not None:
        variant["clip"] = clip
    if node.attributes.get("input_forget", 0):
        variant["is_coupled"] = True
    if peepholes is not None:
        shaped = layouts.shaped(peepholes, (1, 3 * weights[1].shape[1]), f"{name}: P")
        i, o, f = np.split(np.ravel(shaped), 3)
        variant["peepholes"] = (i, f, o)
    states = {"hidden": hidden, "cell": cell}
    if not variant:
        return builder.lstm(x, *weights, name=name, **states)
    return variants.lstm(builder, x, *weights, name=name, **states, **variant)


def _add_gru(builder, x, node, weights, name, hidden):
    resets_after = bool(node.attributes.get("linear_before_reset", 0))
    weights = layouts.onnx_gru(*weights, linear_before_reset=resets_after, where=name)
    names, clip = _activations(node), _clip(node)
    if clip is None and names == _DEFAULTS["GRU"]:
        add = builder.gru_reset_after if resets_after else builder.gru_reset_before
        return add(x, *weights, name=name, hidden=hidden)
    add = variants.gru_reset_after if resets_after else variants.gru_reset_before
    activations = _functions(builder, node, names)
    return add(builder, x, *weights, activations=activations, name=name, hidden=hidden, clip=clip)


# How a layer is added, and how many states it has.
TABLE = {"RNN": (_add_rnn, 1), "LSTM": (_add_lstm, 2), "GRU": (_add_gru, 1)}
_DEFAULTS = {"RNN": ("tanh",), "LSTM": ("sigmoid", "tanh", "tanh"), "GRU": ("sigmoid", "tanh")}


def read(reader, node):
    """Adds a layer, and gives the node's outputs: Y, Y_h and, for the LSTM, Y_c."""
    _refuse(node)
    add, states = TABLE[node.type]
    frames, x = reader.frames, node.value(0)
    time = node.attributes.get("layout", 0)
    _refuse_shape(reader, x, time)
    _refuse_lengths(node, x.shape[time])
    weights = [node.constant(place) for place in (1, 2, 3)]
    hidden = weights[1].shape[-1]
    if node.attributes.get("hidden_size", hidden) != hidden:
        raise ExportError(f"hidden_size {node.attributes['hidden_size']}, and R has the shape {list(weights[1].shape)}")
    starts = [reader.state(node.operand(5 + place)) for place in range(states)]
    initial = [_initial(node, start, hidden) for start in starts]
    slot = add(reader.builder, frames.slot(x), node, weights, node.name, *initial)
    # [time, direction, batch, units], or [batch, time, direction, units] with layout 1.
    length = x.shape[time]
    shape = (1, length, 1, slot.size) if time else (length, 1, 1, slot.size)
    results = [Value(shape, x.time, (slot,))]
    for place, start in enumerate(starts):
        numbers = start.states.reshape(1, 1, -1) if isinstance(start, Value) else None
        # A step keeps a cell state to itself.
        results.append(Value((1, 1, slot.size), None, (slot,) if place == 0 else (), numbers, is_new=True))
    return results


def _refuse(node):
    """What a layer can be in ONNX, and the operations of a .runnel file cannot."""
    direction = node.attributes.get("direction", "forward")
    if direction != "forward":
        raise ExportError(f"direction {direction}: it needs frames that come later, and a step has none of them")
    if node.attributes.get("layout", 0) not in (0, 1):
        raise ExportError(f"layout {node.attributes['layout']}; expected 0 or 1")


def _clip(node):
    """What the operands of the activations are limited to, or None."""
    clip = node.attributes.get("clip")
    if clip is not None and not clip > 0:
        raise ExportError(f"clip {clip:g}; expected a number above 0")
    return clip


def _activations(node):
    """The names of the layer's activations, in small letters."""
    names = tuple(name.lower() for name in node.attributes.get("activations") or _DEFAULTS[node.type])
    count = len(_DEFAULTS[node.type])
    # The RNN's default names one for each direction, of which there is one here.
    if node.type == "RNN" and len(names) == 2:
        names = names[:1]
    if len(names) != count or not set(names).issubset(_ACTIVATIONS):
        raise ExportError(f"activations {', '.join(names)}; expected {count} of {', '.join(_ACTIVATIONS)}")
    return names


def _functions(builder, node, names):
    """The activations as functions of a slot. Each takes the next alpha and beta, if it takes any."""
    given = {key: list(node.attributes.get(f"activation_{key}") or ()) for key in ("alpha", "beta")}

    def function(name):
        add, defaults = _ACTIVATIONS[name]
        constants = []
        for key, default in zip(given, defaults):
            constants.append(given[key].pop(0) if given[key] else default)
            if constants[-1] is None:
                raise ExportError(f"the activation {name} without its {key}; expected activation_{key}")
        return lambda slot: add(builder, slot, *constants)

    return [function(name) for name in names]


def _refuse_shape(reader, x, time):
    if len(x.shape) != 3:
        raise ExportError(f"a sequence of the shape {list(x.shape)}; expected three axes")
    if x.time != time and not (x.time is None and x.shape[time] == 1):
        raise WrongTime(f"axis {time} of {list(x.shape)} is the layer's time, and axis {x.time} is the input's")
    if x.time is None and reader.is_over_sequence:
        raise ExportError("the layer is given one frame of a sequence, and starts anew with it")
    if x.shape[1 - time] != 1:
        raise ExportError(f"a batch of {x.shape[1 - time]}; expected one stream")


def _refuse_lengths(node, length):
    lengths = node.constant(4)
    if lengths is not None and (lengths != length).any():
        raise ExportError(f"sequence_lens {lengths.tolist()}; expected none, or the length of the sequence, {length}")


def _initial(node, start, hidden):
    """The numbers that a state starts from; None for zeros, and for states that go in."""
    if isinstance(start, Value):
        if start.shape != (1, 1, hidden):
            raise ExportError(f"an initial state of the shape {list(start.shape)}; expected [1, 1, {hidden}]")
        return None
    return None if start is None else np.ravel(layouts.shaped(start, (1, 1, hidden), f"{node.name}: initial state"))
