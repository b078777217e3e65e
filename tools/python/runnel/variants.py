"""Cells that are no operation of their own, made of other operations; slower than those."""

import numpy as np


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
    peepholes=None,
    projection=None,
    clip=None,
    is_coupled=False,
):
    """An LSTM, gates i f g o: W [4H, I], R [4H, P], b [4H]. Gives the slot of the hidden state.

    - peepholes: (p_i, p_f, p_o), each [H], times the cell state: the one before for i and f, the new one for o.
    - projection: [P, H], what the hidden state is multiplied with before it is given out and kept; P is H otherwise.
    - clip: what enters the gates' functions is limited to -clip...clip.
    - is_coupled: the forget gate is 1 - i.
    - hidden, cell: what a reset gives, None for zeros.
    """
    units, size = len(b) // 4, np.shape(r)[1]
    h, c = builder.state(f"{name}.h", size, hidden), builder.state(f"{name}.c", units, cell)
    before = builder.recall(c)
    operand = builder.concatenate([x, builder.recall(h)])
    matrices = np.split(np.concatenate([w, r], axis=1), 4)
    p_i, p_f, p_o = peepholes or (None, None, None)

    def gate(place, function, weights=None, peeped=None):
        total = builder.dense(operand, matrices[place], np.split(b, 4)[place], name=f"{name}.{'ifgo'[place]}")
        if weights is not None:
            total = builder.add(total, builder.affine(peeped, weights, 0, name=f"{name}.peephole"))
        if clip is not None:
            total = builder.clip(total, -clip, clip)
        return function(total)

    i = gate(0, builder.sigmoid, p_i, before)
    f = builder.affine(i, -1, 1) if is_coupled else gate(1, builder.sigmoid, p_f, before)
    admitted = builder.multiply(i, gate(2, builder.tanh))
    after = builder.store(builder.add(builder.multiply(f, before), admitted), c)
    result = builder.multiply(gate(3, builder.sigmoid, p_o, after), builder.tanh(after))
    if projection is not None:
        result = builder.dense(result, projection, name=f"{name}.projection")
    return builder.store(result, h)
