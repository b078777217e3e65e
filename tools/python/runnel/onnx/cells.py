"""ONNX's recurrent layers."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class _Direction:
    """What one direction of a layer has of its own; arrays have one direction, too.

    weights: W, R and B. states: what each starts from, None for zeros. activations: names, with their constants.
    """

    name: str
    weights: tuple
    peepholes: np.ndarray | None
    states: tuple
    activations: tuple

    @property
    def names(self):
        return tuple(name for name, _ in self.activations)

    def functions(self, builder):
        """The activations as functions of a slot."""

        def function(name, constants):
            return lambda slot: _ACTIVATIONS[name][0](builder, slot, *constants)

        return [function(*activation) for activation in self.activations]


def _add_rnn(builder, x, node, own):
    w, r, b = layouts.onnx_rnn(*own.weights, where=own.name)
    clip, (hidden,) = _clip(node), own.states
    if clip is None and own.names[0] in ("tanh", "relu"):
        return builder.rnn(x, w, r, b, activation=own.names[0], name=own.name, hidden=hidden)
    (activation,) = own.functions(builder)
    return variants.rnn(builder, x, w, r, b, activation=activation, name=own.name, hidden=hidden, clip=clip)


def _add_lstm(builder, x, node, own):
    weights = layouts.onnx_lstm(*own.weights, where=own.name)
    variant, clip = {}, _clip(node)
    if own.names != _DEFAULTS["LSTM"]:
        variant["activations"] = own.functions(builder)
    if clip is not None:
        variant["clip"] = clip
    if node.attributes.get("input_forget", 0):
        variant["is_coupled"] = True
    if own.peepholes is not None:
        shaped = layouts.shaped(own.peepholes, (1, 3 * weights[1].shape[1]), f"{own.name}: P")
        i, o, f = np.split(np.ravel(shaped), 3)
        variant["peepholes"] = (i, f, o)
    states = dict(zip(("hidden", "cell"), own.states))
    if not variant:
        return builder.lstm(x, *weights, name=own.name, **states)
    return variants.lstm(builder, x, *weights, name=own.name, **states, **variant)


def _add_gru(builder, x, node, own):
    resets_after = bool(node.attributes.get("linear_before_reset", 0))
    weights = layouts.onnx_gru(*own.weights, linear_before_reset=resets_after, where=own.name)
    clip, (hidden,) = _clip(node), own.states
    if clip is None and own.names == _DEFAULTS["GRU"]:
        add = builder.gru_reset_after if resets_after else builder.gru_reset_before
        return add(x, *weights, name=own.name, hidden=hidden)
    add = variants.gru_reset_after if resets_after else variants.gru_reset_before
    return add(builder, x, *weights, activations=own.functions(builder), name=own.name, hidden=hidden, clip=clip)


# How a layer is added, and how many states it has.
TABLE = {"RNN": (_add_rnn, 1), "LSTM": (_add_lstm, 2), "GRU": (_add_gru, 1)}
_DEFAULTS = {"RNN": ("tanh",), "LSTM": ("sigmoid", "tanh", "tanh"), "GRU": ("sigmoid", "tanh")}
# Whether each direction of a layer runs backward.
_DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}


def read(reader, node):
    """Adds a layer, and gives the node's outputs: Y, Y_h and, for the LSTM, Y_c."""
    directions, time = _directions(node), _time(node)
    add, states = TABLE[node.type]
    frames, x = reader.frames, node.value(0)
    _refuse_shape(reader, x, time, directions)
    _refuse_lengths(node, x.shape[time])
    starts = [reader.state(node.operand(5 + place)) for place in range(states)]
    taken, hidden, given = frames.stream(x), [], []
    for is_backward, own in zip(directions, _apart(node, directions, starts)):
        hidden.append(add(reader.builder, frames.reversed(taken) if is_backward else taken, node, own))
        given.append(frames.reversed(hidden[-1]) if is_backward else hidden[-1])
    # [time, direction, batch, units], or [batch, time, direction, units] with layout 1.
    length, count, units = x.shape[time], len(directions), given[0].size
    results = [x.computed((1, length, count, units) if time else (length, count, 1, units), *given)]
    shape = _state_shape(node, count, units)
    for place, start in enumerate(starts):
        numbers = start.states.reshape(shape) if isinstance(start, Value) else None
        # A step keeps a cell state to itself.
        slots = tuple(hidden) if place == 0 else ()
        results.append(Value(shape, None, slots, numbers, is_new=True, clock=x.clock))
    return results


def _directions(node):
    """Whether each of the layer's directions runs backward."""
    direction = node.attributes.get("direction", "forward")
    if direction not in _DIRECTIONS:
        raise ExportError(f"direction {direction}; expected {', '.join(_DIRECTIONS)}")
    return _DIRECTIONS[direction]


def _time(node):
    """The axis of time: with layout 0 the first, with layout 1 the second."""
    layout = node.attributes.get("layout", 0)
    if layout not in (0, 1):
        raise ExportError(f"layout {layout}; expected 0 or 1")
    return layout


def _state_shape(node, count, units):
    """That of a state of so many directions."""
    return (1, count, units) if _time(node) else (count, 1, units)


def _apart(node, directions, starts):
    """What each of the directions has."""
    count = len(directions)
    arrays = [node.constant(place) for place in (1, 2, 3, 7)]
    for key, array in zip("WRBP", arrays):
        if array is not None and np.shape(array)[:1] != (count,):
            shape = list(np.shape(array))
            raise ExportError(f"{key} has the shape {shape}; expected {count} first, the number of directions")
    hidden = arrays[1].shape[-1]
    if node.attributes.get("hidden_size", hidden) != hidden:
        raise ExportError(f"hidden_size {node.attributes['hidden_size']}, and R has the shape {list(arrays[1].shape)}")
    states = [_initial(node, start, count, hidden) for start in starts]
    activations = _activations(node, count)
    for place, is_backward in enumerate(directions):
        *weights, peepholes = (None if array is None else array[[place]] for array in arrays)
        initial = tuple(None if state is None else state[place] for state in states)
        name = f"{node.name}.reverse" if is_backward else node.name
        yield _Direction(name, tuple(weights), peepholes, initial, activations[place])


def _clip(node):
    """What the operands of the activations are limited to, or None."""
    clip = node.attributes.get("clip")
    if clip is not None and not clip > 0:
        raise ExportError(f"clip {clip:g}; expected a number above 0")
    return clip


def _activations(node, directions):
    """The activations of each direction: names in small letters, with their constants."""
    size = len(_DEFAULTS[node.type])
    names = [name.lower() for name in node.attributes.get("activations") or _DEFAULTS[node.type] * directions]
    # The RNN's default names one for each of two directions, however many there are.
    if node.type == "RNN" and directions == 1 and len(names) == 2:
        names = names[:1]
    if len(names) != size * directions or not set(names).issubset(_ACTIVATIONS):
        raise ExportError(f"activations {', '.join(names)}; expected {size * directions} of {', '.join(_ACTIVATIONS)}")
    given = {key: list(node.attributes.get(f"activation_{key}") or ()) for key in ("alpha", "beta")}
    activations = [(name, _constants(name, given)) for name in names]
    return [tuple(activations[size * place : size * (place + 1)]) for place in range(directions)]


def _constants(name, given):
    """The next alpha and beta of those given, as far as the activation takes them."""
    constants = []
    for key, default in zip(given, _ACTIVATIONS[name][1]):
        constants.append(given[key].pop(0) if given[key] else default)
        if constants[-1] is None:
            raise ExportError(f"the activation {name} without its {key}; expected activation_{key}")
    return constants


def _refuse_shape(reader, x, time, directions):
    if len(x.shape) != 3:
        raise ExportError(f"a sequence of the shape {list(x.shape)}; expected three axes")
    if x.time != time and not (x.time is None and x.shape[time] == 1):
        raise WrongTime(f"axis {time} of {list(x.shape)} is the layer's time, and axis {x.time} is the input's")
    if x.time is None and reader.is_over_sequence:
        raise ExportError("the layer is given one frame of a sequence, and starts anew with it")
    if x.time is None and any(directions):
        raise ExportError("the layer runs backward, and the graph is of one frame; expected one of a sequence")
    if x.shape[1 - time] != 1:
        raise ExportError(f"a batch of {x.shape[1 - time]}; expected one stream")


def _refuse_lengths(node, length):
    lengths = node.constant(4)
    if lengths is not None and (lengths != length).any():
        raise ExportError(f"sequence_lens {lengths.tolist()}; expected none, or the length of the sequence, {length}")


def _initial(node, start, count, hidden):
    """The numbers that a state starts from in each direction; None for zeros, and for states that go in."""
    shape = _state_shape(node, count, hidden)
    if isinstance(start, Value):
        if start.shape != shape:
            raise ExportError(f"an initial state of the shape {list(start.shape)}; expected {list(shape)}")
        return None
    if start is None:
        return None
    return layouts.shaped(start, shape, f"{node.name}: initial state").reshape(count, hidden)
