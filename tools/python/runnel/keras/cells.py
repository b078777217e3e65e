"""Keras's recurrent layers and cells."""

import numpy as np
from keras import activations, layers

from .. import layouts
from ..errors import ExportError
from ..frames import Value
from .weights import array, named


def _rnn(builder, name, cell, x):
    activation = {activations.tanh: "tanh", activations.relu: "relu"}.get(cell.activation)
    if activation is None:
        raise ExportError(f"the activation is {named(cell.activation)}; expected tanh or relu")
    w, r, b = layouts.keras_rnn(*_weights(cell), where=name)
    return builder.rnn(x, w, r, b, activation=activation, name=name)


def _lstm(builder, name, cell, x):
    _require_usual_activations(cell)
    w, r, b = layouts.keras_lstm(*_weights(cell), where=name)
    return builder.lstm(x, w, r, b, name=name)


def _gru(builder, name, cell, x):
    _require_usual_activations(cell)
    arrays = layouts.keras_gru(*_weights(cell), cell.reset_after, where=name)
    add = builder.gru_reset_after if cell.reset_after else builder.gru_reset_before
    return add(x, *arrays, name=name)


def _require_usual_activations(cell):
    if cell.activation is not activations.tanh:
        raise ExportError(f"the activation is {named(cell.activation)}; expected tanh")
    if cell.recurrent_activation is not activations.sigmoid:
        raise ExportError(f"the recurrent activation is {named(cell.recurrent_activation)}; expected sigmoid")


def _weights(cell):
    return [array(weight) for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)]


CELLS = {layers.SimpleRNNCell: _rnn, layers.LSTMCell: _lstm, layers.GRUCell: _gru}


def _of_last_frame(slot):
    return Value((1, slot.size), None, (slot,))


def _recurrent(reader, name, layer, x):
    if layer.go_backwards:
        raise ExportError("go_backwards needs the frames that come later; a step has none of them")
    if layer.zero_output_for_mask:
        raise ExportError("zero_output_for_mask is for masks, and a step answers each frame; expected False")
    if x.time is None:
        raise ExportError("it takes a sequence, and is given a value of one frame")
    if x.time != 1 or len(x.shape) != 3:
        raise ExportError(f"it takes [batch, time, features], and time is axis {x.time} of {len(x.shape)}")
    cells = layer.cell.cells if type(layer.cell) is layers.StackedRNNCells else [layer.cell]
    slot, states = reader.frames.slot(x), []
    for number, cell in enumerate(cells):
        if type(cell) not in CELLS:
            raise ExportError(f"the cell {cell.name!r} ({type(cell).__name__}) is not one of Keras's cells")
        slot = CELLS[type(cell)](reader.builder, f"{name}.{number}" if len(cells) > 1 else name, cell, slot)
        states.append(_of_last_frame(slot))
        if type(cell) is layers.LSTMCell:
            # The cell state, which a step keeps to itself.
            states.append(Value((1, slot.size), None, states=np.arange(slot.size), is_new=True))
    result = Value((*x.shape[:2], slot.size), 1, (slot,)) if layer.return_sequences else _of_last_frame(slot)
    return [result, *states] if layer.return_state else result


TABLE = {kind: _recurrent for kind in (layers.SimpleRNN, layers.LSTM, layers.GRU, layers.RNN)}
NAMES = {kind.__name__ for kind in (*TABLE, *CELLS, layers.StackedRNNCells)}
