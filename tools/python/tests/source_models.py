"""What models of other frameworks compute, in the layouts of those frameworks, and ways to break their exports.

Layers take frames, one a row, and give results, one a row; they share nothing with the exporters.
"""

from dataclasses import replace

import numpy as np

from runnel import Session, Tensor
from runnel.operations import GATES

COUNT = 256


def weights(random, *shape):
    """Random numbers that are 32-bit floats."""
    return (0.6 * random.normal(size=shape)).astype(np.float32)


def frames(random, size):
    return random.normal(size=(COUNT, size)).astype(np.float32).astype(np.float64)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def torch_lstm(x, w_ih, w_hh, b_ih=0, b_hh=0, h=None, c=None):
    size = w_hh.shape[1]
    h, c = (np.zeros(size) if state is None else state.astype(np.float64) for state in (h, c))
    results = []
    for frame in x:
        i, f, g, o = (w_ih @ frame + b_ih + w_hh @ h + b_hh).reshape(4, size)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        results.append(h)
    return np.stack(results)


def torch_gru(x, w_ih, w_hh, b_ih=0, b_hh=0):
    size = w_hh.shape[1]
    h, results = np.zeros(size), []
    for frame in x:
        input_r, input_z, input_n = (w_ih @ frame + b_ih).reshape(3, size)
        hidden_r, hidden_z, hidden_n = (w_hh @ h + b_hh).reshape(3, size)
        r, z = sigmoid(input_r + hidden_r), sigmoid(input_z + hidden_z)
        n = np.tanh(input_n + r * hidden_n)
        h = (1 - z) * n + z * h
        results.append(h)
    return np.stack(results)


def gru_reset_before(x, w_ih, w_hh, b_ih, b_hh):
    """The GRU of 2014 with matrices in PyTorch's order, r z n."""
    size = w_hh.shape[1]
    h, results = np.zeros(size), []
    for frame in x:
        input_r, input_z, input_n = (w_ih @ frame + b_ih + b_hh).reshape(3, size)
        r = sigmoid(input_r + w_hh[:size] @ h)
        z = sigmoid(input_z + w_hh[size : 2 * size] @ h)
        n = np.tanh(input_n + w_hh[2 * size :] @ (r * h))
        h = (1 - z) * n + z * h
        results.append(h)
    return np.stack(results)


def torch_rnn(x, w_ih, w_hh, b_ih, b_hh, function=np.tanh):
    h, results = np.zeros(w_hh.shape[1]), []
    for frame in x:
        h = function(w_ih @ frame + b_ih + w_hh @ h + b_hh)
        results.append(h)
    return np.stack(results)


def keras_rnn(x, kernel, recurrent, bias):
    h, results = np.zeros(len(recurrent)), []
    for frame in x:
        h = np.tanh(frame @ kernel + h @ recurrent + bias)
        results.append(h)
    return np.stack(results)


def keras_lstm(x, kernel, recurrent, bias):
    size = len(recurrent)
    h, c, results = np.zeros(size), np.zeros(size), []
    for frame in x:
        z = frame @ kernel + h @ recurrent + bias
        z0, z1, z2, z3 = z[:size], z[size : 2 * size], z[2 * size : 3 * size], z[3 * size :]
        c = sigmoid(z1) * c + sigmoid(z0) * np.tanh(z2)
        h = sigmoid(z3) * np.tanh(c)
        results.append(h)
    return np.stack(results)


def keras_gru(x, kernel, recurrent, bias, reset_after=True):
    size = len(recurrent)
    h, results = np.zeros(size), []
    input_bias, hidden_bias = bias if reset_after else (bias, np.zeros(3 * size))
    for frame in x:
        x_z, x_r, x_h = np.split(frame @ kernel + input_bias, 3)
        h_z, h_r, h_h = np.split(h @ recurrent + hidden_bias, 3)
        z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        candidate = np.tanh(x_h + (r * h_h if reset_after else (r * h) @ recurrent[:, 2 * size :]))
        h = z * h + (1 - z) * candidate
        results.append(h)
    return np.stack(results)


def deviation(model, x, expected):
    """The largest difference between the predictions of an export and those of its source."""
    return np.abs(Session(model).run(x) - expected).max()


# Broken exports: of the first recurrent cell, or, of two cells of one size, without the second one.


def swapped_gates(model):
    operation = _cells(model)[0]
    gates = GATES[operation.name]

    def swap(values):
        first, second, *rest = np.split(values, gates)
        return np.concatenate([second, first, *rest])

    return _changed(model, operation.tensors[:3], swap)


def doubled_bias(model):
    return _changed(model, _cells(model)[0].tensors[2:3], lambda values: 2 * values)


def dropped_layer(model):
    program = model.programs[0]
    operations = list(program.operations)
    place = operations.index(_cells(model)[1])
    dropped, (kept,) = len(program.inputs) + place, operations.pop(place).operands

    def moved(slot):
        return kept if slot == dropped else slot - (slot > dropped)

    operations = tuple(replace(op, operands=tuple(moved(slot) for slot in op.operands)) for op in operations)
    outputs = tuple(replace(port, slot=moved(port.slot)) for port in program.outputs)
    return replace(model, programs=(replace(program, operations=operations, outputs=outputs),))


BROKEN = (swapped_gates, doubled_bias, dropped_layer)


def _cells(model):
    return [operation for operation in model.programs[0].operations if operation.name in GATES]


def _changed(model, indices, change):
    tensors = list(model.tensors)
    for index in indices:
        tensors[index] = Tensor.of(tensors[index].name, change(tensors[index].data))
    return replace(model, tensors=tuple(tensors))
