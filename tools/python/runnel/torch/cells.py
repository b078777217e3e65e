"""PyTorch's recurrent layers and cells."""

import numpy as np

from .. import layouts, variants
from ..errors import ExportError
from ..frames import Value
from ..graphs import WrongTime


def _array(tensor):
    return None if tensor is None else tensor.detach().double().numpy()


class _Kind:
    """How a kind of cell is added: one layer, from its weights as PyTorch has them."""

    states = 1

    def __init__(self, activation=None):
        self._activation = activation

    def add(self, builder, x, weights, starts, name):
        w, r, b = layouts.torch_rnn(*weights, where=name)
        return builder.rnn(x, w, r, b, activation=self._activation, name=name, hidden=starts[0])


class _LSTM(_Kind):
    states = 2

    def add(self, builder, x, weights, starts, name):
        w, r, b = layouts.torch_lstm(*weights, where=name)
        return builder.lstm(x, w, r, b, name=name, hidden=starts[0], cell=starts[1])

    def add_projected(self, builder, x, weights, starts, name):
        """With a projection (proj_size), the last of the weights."""
        w, r, *biases, projection = weights
        b = sum(biases, np.zeros(len(w)))
        return variants.lstm(builder, x, w, r, b, name=name, hidden=starts[0], cell=starts[1], projection=projection)


class _GRU(_Kind):
    def add(self, builder, x, weights, starts, name):
        w, r, b, d = layouts.torch_gru(*weights, where=name)
        return builder.gru_reset_after(x, w, r, b, d, name=name, hidden=starts[0])


def _sequence(kind):
    def read(reader, name, x, hx, weights, has_biases, layers, dropout, train, bidirectional, batch_first):
        time = 1 if batch_first and len(x.shape) == 3 else 0
        if x.time != time:
            raise WrongTime(f"axis {time} of {list(x.shape)} is the layer's time, and axis {x.time} is the input's")
        _refuse_batch(x)
        directions = 2 if bidirectional else 1
        starts = _starts(reader, hx, layers * directions, kind.states)
        # With a projection there is one more, which only LSTMs have.
        per_cell = len(weights) // (layers * directions)
        add = kind.add_projected if per_cell in (3, 5) else kind.add
        slot, hidden = reader.frames.stream(x), []
        for layer in range(layers):
            given = []
            for backward in range(directions):
                place = layer * directions + backward
                arrays = [_array(tensor) for tensor in weights[place * per_cell : (place + 1) * per_cell]]
                initial = [start.initial(place) for start in starts]
                title = f"{name}.{layer}" if layers > 1 else name
                title += ".reverse" if backward else ""
                taken = reader.frames.reversed(slot) if backward else slot
                hidden.append(add(reader.builder, taken, arrays, initial, title))
                given.append(reader.frames.reversed(hidden[-1]) if backward else hidden[-1])
            slot = reader.builder.concatenate(given) if bidirectional else given[0]
        output = x.computed((*x.shape[:-1], slot.size), slot)
        return [output, *(start.following(x, hidden if place == 0 else None) for place, start in enumerate(starts))]

    return read


def _cell(kind):
    def read(reader, name, x, hx, *weights):
        if x.time is not None:
            raise ExportError("a cell is called for a sequence, not for a frame")
        _refuse_batch(x)
        starts = _starts(reader, hx, 1, kind.states)
        arrays = [_array(tensor) for tensor in weights]
        slot = kind.add(reader.builder, reader.frames.slot(x), arrays, [start.initial(0) for start in starts], name)
        results = [start.following(x, [slot] if place == 0 else None) for place, start in enumerate(starts)]
        return results if kind.states > 1 else results[0]

    return read


def _refuse_batch(x):
    if x.size != x.shape[-1]:
        raise ExportError(f"a batch of {x.size // x.shape[-1]}; expected one stream")


class _Start:
    """What states of one kind start from: [cells, 1, H] for the cells of all layers, or what one cell has, [1, H]."""

    def __init__(self, value, cells):
        self._value, self._cells = value, cells

    def initial(self, cell):
        if isinstance(self._value, Value):
            return None
        return _array(self._value).reshape(self._cells, -1)[cell]

    def following(self, x, slots):
        """The states after x; without slots for cell states, which a step keeps to itself."""
        states = self._value.states if isinstance(self._value, Value) else None
        return Value(tuple(self._value.shape), None, tuple(slots or ()), states, is_new=True, clock=x.clock)


def _starts(reader, hx, cells, count):
    hx = hx if isinstance(hx, (list, tuple)) else [hx]
    if len(hx) != count:
        raise ExportError(f"{len(hx)} states; expected {count}")
    return [_Start(reader.state(value), cells) for value in hx]


_KINDS = {"lstm": _LSTM(), "gru": _GRU(), "rnn_tanh": _Kind("tanh"), "rnn_relu": _Kind("relu")}
SEQUENCES = {f"aten.{name}.input": _sequence(kind) for name, kind in _KINDS.items()}
TABLE = SEQUENCES | {f"aten.{name}_cell.default": _cell(kind) for name, kind in _KINDS.items()}
