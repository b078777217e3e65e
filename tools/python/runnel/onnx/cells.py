"""ONNX's recurrent layers."""

import numpy as np

from .. import layouts, variants
from ..errors import ExportError
from ..frames import Value
from ..graphs import WrongTime


def _add_rnn(builder, x, node, weights, name, hidden):
    w, r, b = layouts.onnx_rnn(*weights, where=name)
    return builder.rnn(x, w, r, b, activation=_activations(node)[0], name=name, hidden=hidden)


def _add_lstm(builder, x, node, weights, name, hidden, cell):
    weights = layouts.onnx_lstm(*weights, where=name)
    variant, peepholes = {}, node.constant(7)
    if "clip" in node.attributes:
        variant["clip"] = node.attributes["clip"]
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
    if node.attributes.get("linear_before_reset", 0):
        w, r, b, d = layouts.onnx_gru(*weights, linear_before_reset=True, where=name)
        return builder.gru_reset_after(x, w, r, b, d, name=name, hidden=hidden)
    w, r, b = layouts.onnx_gru(*weights, where=name)
    return builder.gru_reset_before(x, w, r, b, name=name, hidden=hidden)


# How a layer is added, how many states it has, and the activations that its operation can have, the defaults first.
TABLE = {
    "RNN": (_add_rnn, 1, [("tanh",), ("relu",)]),
    "LSTM": (_add_lstm, 2, [("sigmoid", "tanh", "tanh")]),
    "GRU": (_add_gru, 1, [("sigmoid", "tanh")]),
}


def read(reader, node):
    """Adds a layer, and gives the node's outputs: Y, Y_h and, for the LSTM, Y_c."""
    _refuse(node)
    add, states, _ = TABLE[node.type]
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
    if "clip" in node.attributes and node.type != "LSTM":
        raise ExportError(f"clip {node.attributes['clip']:g}: no operation of a .runnel file clips within such a cell")
    if node.attributes.get("layout", 0) not in (0, 1):
        raise ExportError(f"layout {node.attributes['layout']}; expected 0 or 1")
    possible = TABLE[node.type][2]
    if _activations(node) not in possible:
        expected = " or ".join(", ".join(names) for names in possible)
        raise ExportError(f"activations {', '.join(_activations(node))}; expected {expected}")


def _activations(node):
    names = node.attributes.get("activations") or TABLE[node.type][2][0]
    return tuple(name.lower() for name in names)


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
