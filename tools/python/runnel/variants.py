"""Cells that are no operation of their own, made of other operations; slower than those.

Matrices, biases and the order of gates are those of Format.md. Activations are functions that take a slot and give
one, such as methods of the builder. What enters an activation is limited to -clip...clip, where clip is not None.
hidden and cell are what a reset gives, None for zeros. All functions give the slot of the hidden state.
"""

import numpy as np


def rnn(builder, x, w, r, b, *, activation, name="rnn", hidden=None, clip=None):
    """h' = f(W x + R h + b) for any f: W [H, I], R [H, H], b [H]."""
    h = builder.state(f"{name}.h", len(b), hidden)
    (total,) = _products(builder, [x, builder.recall(h)], [w, r], b, name, "n")
    return builder.store(activation(_clipped(builder, total, clip)), h)


def lstm(
    builder,
    x,
    w,
    r,
    b,
    *,
    name="lstm",
    hidden=None,
    cell=None,
    activations=None,
    peepholes=None,
    projection=None,
    clip=None,
    is_coupled=False,
):
    """An LSTM, gates i f g o: W [4H, I], R [4H, P], b [4H].

    - activations: that of the gates i, f and o, that of g, and that of the cell's state; sigmoid, tanh and tanh
      otherwise.
    - peepholes: (p_i, p_f, p_o), each [H], times the cell state: the one before for i and f, the new one for o.
    - projection: [P, H], what the hidden state is multiplied with before it is given out and kept; P is H otherwise.
    - is_coupled: the forget gate is 1 - i.
    """
    units, size = len(b) // 4, np.shape(r)[1]
    h, c = builder.state(f"{name}.h", size, hidden), builder.state(f"{name}.c", units, cell)
    before = builder.recall(c)
    gates = "igo" if is_coupled else "ifgo"
    rows = np.concatenate([np.arange(units) + units * "ifgo".index(gate) for gate in gates])
    operands, matrices = [x, builder.recall(h)], [np.asarray(matrix)[rows] for matrix in (w, r)]
    totals = dict(zip(gates, _products(builder, operands, matrices, np.asarray(b)[rows], name, gates)))
    gated, admitted, given = activations or (builder.sigmoid, builder.tanh, builder.tanh)
    p_i, p_f, p_o = peepholes or (None, None, None)

    def gate(key, function, weights=None, peeped=None):
        total = totals[key]
        if weights is not None:
            total = builder.add(total, builder.affine(peeped, weights, 0, name=f"{name}.peephole"))
        return function(_clipped(builder, total, clip))

    i = gate("i", gated, p_i, before)
    f = builder.affine(i, -1, 1) if is_coupled else gate("f", gated, p_f, before)
    added = builder.multiply(i, gate("g", admitted))
    after = builder.store(builder.add(builder.multiply(f, before), added), c)
    result = builder.multiply(gate("o", gated, p_o, after), given(after))
    if projection is not None:
        result = builder.dense(result, projection, name=f"{name}.projection")
    return builder.store(result, h)


def gru_reset_after(builder, x, w, r, b, d, *, activations, name="gru", hidden=None, clip=None):
    """A GRU, gates r z n: W [3H, I], R [3H, H], b [3H], d [H]: n = g(W_n x + b_n + r (R_n h + d)).

    activations: that of r and z, and that of n.
    """

    def candidate(reset, before, w, r, b):
        recurrent = builder.dense(before, r, d, name=f"{name}.recurrent")
        return builder.add(builder.dense(x, w, b, name=f"{name}.n"), builder.multiply(reset, recurrent))

    return _gru(builder, x, w, r, b, candidate, activations, name, hidden, clip)


def gru_reset_before(builder, x, w, r, b, *, activations, name="gru", hidden=None, clip=None):
    """A GRU, gates r z n: W [3H, I], R [3H, H], b [3H]: n = g(W_n x + R_n (r h) + b_n).

    activations: that of r and z, and that of n.
    """

    def candidate(reset, before, w, r, b):
        (total,) = _products(builder, [x, builder.multiply(reset, before)], [w, r], b, name, "n")
        return total

    return _gru(builder, x, w, r, b, candidate, activations, name, hidden, clip)


def _gru(builder, x, w, r, b, candidate, activations, name, hidden, clip):
    """candidate: gives what enters the activation of n, for r, h, W_n, R_n and b_n."""
    gated, proposed = activations
    units = len(b) // 3
    h = builder.state(f"{name}.h", units, hidden)
    before = builder.recall(h)
    of_gates, of_n = slice(2 * units), slice(2 * units, None)
    totals = _products(builder, [x, before], [w[of_gates], r[of_gates]], b[of_gates], name, "rz")
    reset, update = (gated(_clipped(builder, total, clip)) for total in totals)
    n = proposed(_clipped(builder, candidate(reset, before, w[of_n], r[of_n], b[of_n]), clip))
    taken = builder.multiply(builder.affine(update, -1, 1), n)
    return builder.store(builder.add(taken, builder.multiply(update, before)), h)


def _products(builder, operands, matrices, b, name, gates):
    """The sum of the matrices' products with the operands, and b: a slot for each gate."""
    operand, matrix = builder.concatenate(operands), np.concatenate(matrices, axis=1)
    total = builder.dense(operand, matrix, b, name=f"{name}.{gates}")
    if len(gates) == 1:
        return [total]
    parts = zip(gates, np.split(np.arange(total.size), len(gates)))
    return [builder.gather(total, numbers, name=f"{name}.{gate}") for gate, numbers in parts]


def _clipped(builder, x, clip):
    return x if clip is None else builder.clip(x, -clip, clip)
