"""Keras's recurrent layers and cells, in one direction and in both."""

import numpy as np
from keras import activations, layers

from .. import layouts, variants
from ..errors import ExportError
from ..frames import Value
from .activations import of_slots
from .weights import array


def _rnn(reader, name, cell, x):
    weights = layouts.keras_rnn(*_weights(cell), where=name)
    activation = {activations.tanh: "tanh", activations.relu: "relu"}.get(cell.activation)
    if activation is None:
        return variants.rnn(reader.builder, x, *weights, activation=of_slots(reader, cell.activation), name=name)
    return reader.builder.rnn(x, *weights, activation=activation, name=name)


def _lstm(reader, name, cell, x):
    weights = layouts.keras_lstm(*_weights(cell), where=name)
    if _has_usual_activations(cell):
        return reader.builder.lstm(x, *weights, name=name)
    gated, admitted = _activations(reader, cell)
    return variants.lstm(reader.builder, x, *weights, activations=(gated, admitted, admitted), name=name)


def _gru(reader, name, cell, x):
    weights = layouts.keras_gru(*_weights(cell), cell.reset_after, where=name)
    if _has_usual_activations(cell):
        add = reader.builder.gru_reset_after if cell.reset_after else reader.builder.gru_reset_before
        return add(x, *weights, name=name)
    add = variants.gru_reset_after if cell.reset_after else variants.gru_reset_before
    return add(reader.builder, x, *weights, activations=_activations(reader, cell), name=name)


def _has_usual_activations(cell):
    return cell.activation is activations.tanh and cell.recurrent_activation is activations.sigmoid


def _activations(reader, cell):
    """That of the gates, and the other one."""
    return tuple(of_slots(reader, function) for function in (cell.recurrent_activation, cell.activation))


def _weights(cell):
    return [array(weight) for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)]


CELLS = {layers.SimpleRNNCell: _rnn, layers.LSTMCell: _lstm, layers.GRUCell: _gru}


def _recurrent(reader, name, layer, x):
    if layer.go_backwards:
        raise ExportError(
            "go_backwards gives what comes of the last frame first, in an order that is not the frames'; expected "
            "Bidirectional, which puts it in order, for whole sequences"
        )
    if layer.zero_output_for_mask:
        raise ExportError("zero_output_for_mask is for masks, and a step answers each frame; expected False")
    slot, states = _run(reader, name, layer, x, _stream(reader, x))
    result = x.computed((*x.shape[:2], slot.size), slot) if layer.return_sequences else _of_last_frame(x, slot)
    return [result, *states] if layer.return_state else result


def _bidirectional(reader, name, layer, x):
    forward, backward = layer.forward_layer, layer.backward_layer
    for part in (forward, backward):
        if type(part) not in RECURRENT:
            raise ExportError(f"the layer {part.name!r} ({type(part).__name__}) is not one of Keras's recurrent layers")
    if forward.go_backwards:
        raise ExportError(f"its forward layer {forward.name!r} goes backwards, and so in no frames' order")
    slot, frames = _stream(reader, x), reader.frames
    ahead, states = _run(reader, f"{name}.forward", forward, x, slot)
    back, back_states = _run(reader, f"{name}.backward", backward, x, frames.reversed(slot))
    if layer.return_sequences:
        halves = [x.computed((*x.shape[:2], half.size), half) for half in (ahead, frames.reversed(back))]
    else:
        # Its last step is that of the first frame.
        halves = [_of_last_frame(x, half) for half in (ahead, back)]
    results = _MERGED[layer.merge_mode](frames, *halves)
    if layer.return_state:
        results += [*states, *back_states]
    return results if len(results) > 1 else results[0]


_MERGED = {
    "concat": lambda frames, a, b: [frames.concatenate([a, b], -1)],
    "sum": lambda frames, a, b: [frames.add(a, b)],
    "mul": lambda frames, a, b: [frames.multiply(a, b)],
    "ave": lambda frames, a, b: [frames.affine(frames.add(a, b), 0.5, 0)],
    None: lambda frames, a, b: [a, b],
}


def _stream(reader, x):
    """The slot of the frames that a recurrent layer takes."""
    if x.time is None:
        raise ExportError("it takes a sequence, and is given a value of one frame")
    if x.time != 1 or len(x.shape) != 3:
        raise ExportError(f"it takes [batch, time, features], and time is axis {x.time} of {len(x.shape)}")
    return reader.frames.stream(x)


def _run(reader, name, layer, x, slot):
    """The result's slot of a layer's cells, and the states of each."""
    cells = layer.cell.cells if type(layer.cell) is layers.StackedRNNCells else [layer.cell]
    states = []
    for number, cell in enumerate(cells):
        if type(cell) not in CELLS:
            raise ExportError(f"the cell {cell.name!r} ({type(cell).__name__}) is not one of Keras's cells")
        slot = CELLS[type(cell)](reader, f"{name}.{number}" if len(cells) > 1 else name, cell, slot)
        states.append(_of_last_frame(x, slot))
        if type(cell) is layers.LSTMCell:
            # The cell state, which a step keeps to itself.
            states.append(Value((1, slot.size), None, states=np.arange(slot.size), is_new=True))
    return slot, states


def _of_last_frame(x, slot):
    return Value((1, slot.size), None, (slot,), clock=x.clock)


RECURRENT = (layers.SimpleRNN, layers.LSTM, layers.GRU, layers.RNN)
TABLE = {kind: _recurrent for kind in RECURRENT} | {layers.Bidirectional: _bidirectional}
NAMES = {kind.__name__ for kind in (*TABLE, *CELLS, layers.StackedRNNCells)}
