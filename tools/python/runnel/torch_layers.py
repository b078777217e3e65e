"""The layers of PyTorch's recurrent modules: LSTM, GRU and RNN of one direction, and a GRU that resets before."""

from .builder import Builder
from .layouts import torch_gru, torch_gru_reset_before, torch_lstm, torch_rnn

# For each kind: the number of gates, the layout, and what adds the cell.
_KINDS = {
    "lstm": (4, torch_lstm, Builder.lstm),
    "gru": (3, torch_gru, Builder.gru_reset_after),
    "gruResetBefore": (3, torch_gru_reset_before, Builder.gru_reset_before),
    "rnn": (1, torch_rnn, Builder.rnn),
}
KINDS = tuple(_KINDS)


def add_recurrent(builder, kind, x, take, *, size, layers, name, where, bias=True, **options):
    """Adds layers, one after the other, to the builder, and gives the slot of the last one's result.

    take(key, shape) gives the array of a parameter, such as weight_ih_l0, or refuses. The options are those of the
    builder's method for the kind.
    """
    gates, layout, add = _KINDS[kind]
    rows = gates * size
    for layer in range(layers):
        shapes = {"weight_ih": (rows, x.size), "weight_hh": (rows, size)}
        if bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        parts = [take(f"{part}_l{layer}", shape) for part, shape in shapes.items()]
        x = add(builder, x, *layout(*parts, where=where), name=f"{name}.{layer}" if layers > 1 else name, **options)
    return x
