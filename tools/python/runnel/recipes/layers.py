"""The layers of a recipe as modules on the rows of a window.

A layer with a state takes and gives it: tensors [streams, size] for all streams of the window, with those that have no
frame in it as they were; None stands for zeros.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence


class Recurrent(nn.Module):
    """An RNN, an LSTM or a GRU of torch, whose reset gate acts after the recurrent product."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, rows, window, state):
        size, is_lstm = self.cell.hidden_size, isinstance(self.cell, nn.LSTM)
        state = _started(state, rows, window, [size] * (2 if is_lstm else 1))
        running = [part[: window.streams].unsqueeze(0).contiguous() for part in state]
        packed, following = self.cell(
            PackedSequence(rows, window.batch_sizes), tuple(running) if is_lstm else running[0]
        )
        following = following if is_lstm else [following]
        return packed.data, _followed(state, [part[0] for part in following])


class GRUResetBefore(nn.Module):
    """A GRU whose reset gate acts before the recurrent product (Cho and others, 2014).

    r, z = σ(W x + b + R h)    n = tanh(W_n x + b_n + R_n (r h))    h' = (1 - z) n + z h

    The parameters are those of torch's GRU, [3H, I], [3H, H] and twice [3H], of which the biases are added.
    """

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        bound = hidden_size**-0.5
        for name, shape in (
            ("weight_ih_l0", (3 * hidden_size, input_size)),
            ("weight_hh_l0", (3 * hidden_size, hidden_size)),
            ("bias_ih_l0", (3 * hidden_size,)),
            ("bias_hh_l0", (3 * hidden_size,)),
        ):
            setattr(self, name, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    def forward(self, rows, window, state):
        size = self.hidden_size
        (state,) = _started(state, rows, window, [size])
        gates = nn.functional.linear(rows, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)
        of_gates, of_candidate = self.weight_hh_l0[: 2 * size].T, self.weight_hh_l0[2 * size :].T
        h, ended, outputs = state[: window.streams], [], []
        for part in gates.split(window.active.tolist()):
            ended.append(h[len(part) :])
            h = h[: len(part)]
            r, z = torch.sigmoid(part[:, : 2 * size] + h @ of_gates).chunk(2, dim=1)
            n = torch.tanh(part[:, 2 * size :] + (r * h) @ of_candidate)
            h = (1 - z) * n + z * h
            outputs.append(h)
        return torch.cat(outputs), _followed([state], [torch.cat([h, *reversed(ended)])])


class State(nn.Module):
    """Makes its input a state, from which another program goes on: [h' c'] = x; the result is h'."""

    def __init__(self, size, has_cell):
        super().__init__()
        self._sizes = [size] * (2 if has_cell else 1)

    def forward(self, rows, window, state):
        state = _started(state, rows, window, self._sizes)
        last = torch.from_numpy(window.last_rows()).to(rows.device)
        return rows[:, : self._sizes[0]], _followed(state, rows[last].split(self._sizes, dim=1))


class Noise(nn.Module):
    """x plus Gaussian numbers, in training."""

    def __init__(self, deviation):
        super().__init__()
        self._deviation = deviation

    def forward(self, rows):
        return rows + self._deviation * torch.randn_like(rows) if self.training else rows


class Offset(nn.Module):
    """x plus one Gaussian vector for all frames of a stream, in training. The state: that vector, and a 1."""

    def __init__(self, deviation):
        super().__init__()
        self._deviation = deviation

    def forward(self, rows, window, state):
        if not self.training:
            return rows, state
        if state is None:
            offsets = self._deviation * rows.new_empty(len(window.lengths), rows.shape[1]).normal_()
            state = (offsets, rows.new_ones(len(offsets), 1))
        _, streams = window.frames_of_streams()
        return rows + state[0][torch.from_numpy(streams).to(rows.device)], state


def made(layer, input_size):
    """The module of a layer of a specification."""
    if layer.kind == "rnn":
        return Recurrent(nn.RNN(input_size, layer.size, nonlinearity=layer.option))
    if layer.kind == "lstm":
        return Recurrent(nn.LSTM(input_size, layer.size))
    if layer.kind == "gru" and layer.option == "reset-after":
        return Recurrent(nn.GRU(input_size, layer.size))
    if layer.kind == "gru":
        return GRUResetBefore(input_size, layer.size)
    if layer.kind == "state":
        return State(layer.size, layer.option)
    if layer.kind == "dense":
        return nn.Linear(input_size, layer.size)
    if layer.kind == "embedding":
        return nn.Embedding(input_size, layer.size)
    if layer.kind == "dropout":
        return nn.Dropout(layer.option)
    if layer.kind == "noise":
        return Noise(layer.option)
    if layer.kind == "offset":
        return Offset(layer.option)
    return {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU}[layer.kind]()


def _started(state, rows, window, sizes):
    """The states of all streams; zeros where there are none yet."""
    return state or tuple(rows.new_zeros(len(window.lengths), size) for size in sizes)


def _followed(state, running):
    """The states after a window: those of the streams that ran, and behind them the others as they were."""
    return tuple(torch.cat([new, old[len(new) :]]) for old, new in zip(state, running))
