"""The weights of other frameworks in Runnel's layout.

Runnel's matrices are [rows, columns], with the rows grouped by gate: i f g o for the LSTM, r z n for the GRU, and one
bias b; the GRU that resets after the product has a second one, d, the recurrent bias of n. All functions take arrays
of I inputs and H units, or None for biases that are not there, give arrays of doubles, and raise ExportError for
shapes that do not fit together and for numbers that are not finite as 32-bit floats. `where` starts their messages.
"""

import numpy as np

from .errors import ExportError


def torch_rnn(w_ih, w_hh, b_ih=None, b_hh=None, *, where="rnn"):
    """PyTorch's RNN: w_ih [H, I], w_hh [H, H], b_ih [H], b_hh [H].

    Gives (W [H, I], R [H, H], b [H]) of rnnTanh and rnnReLU.
    """
    return _torch(1, w_ih, w_hh, b_ih, b_hh, where)[:3]


def torch_lstm(w_ih, w_hh, b_ih=None, b_hh=None, *, where="lstm"):
    """PyTorch's LSTM, gates i f g o: w_ih [4H, I], w_hh [4H, H], b_ih [4H], b_hh [4H].

    Gives (W [4H, I], R [4H, H], b [4H]) of lstm.
    """
    return _torch(4, w_ih, w_hh, b_ih, b_hh, where)[:3]


def torch_gru(w_ih, w_hh, b_ih=None, b_hh=None, *, where="gru"):
    """PyTorch's GRU, gates r z n: w_ih [3H, I], w_hh [3H, H], b_ih [3H], b_hh [3H].

    Gives (W [3H, I], R [3H, H], b [3H], d [H]) of gruResetAfter.
    """
    w, r, _, b_ih, b_hh = _torch(3, w_ih, w_hh, b_ih, b_hh, where)
    return w, r, *_apart(b_ih, b_hh)


def torch_gru_reset_before(w_ih, w_hh, b_ih=None, b_hh=None, *, where="gru"):
    """A GRU in PyTorch's layout that resets before the product: shapes and gates as for torch_gru.

    Gives (W [3H, I], R [3H, H], b [3H]) of gruResetBefore.
    """
    return _torch(3, w_ih, w_hh, b_ih, b_hh, where)[:3]


def keras_rnn(kernel, recurrent, bias=None, *, where="simple_rnn"):
    """Keras's SimpleRNN: kernel [I, H], recurrent [H, H], bias [H].

    Gives (W [H, I], R [H, H], b [H]) of rnnTanh and rnnReLU.
    """
    return _keras([0], kernel, recurrent, bias, where)


def keras_lstm(kernel, recurrent, bias=None, *, where="lstm"):
    """Keras's LSTM, gates i f c o: kernel [I, 4H], recurrent [H, 4H], bias [4H].

    Gives (W [4H, I], R [4H, H], b [4H]) of lstm.
    """
    return _keras([0, 1, 2, 3], kernel, recurrent, bias, where)


def keras_gru(kernel, recurrent, bias=None, reset_after=True, *, where="gru"):
    """Keras's GRU, gates z r h: kernel [I, 3H], recurrent [H, 3H].

    With reset_after the bias is [2, 3H], that of the kernel and that of the recurrent kernel; gives
    (W [3H, I], R [3H, H], b [3H], d [H]) of gruResetAfter. Without, it is [3H]; gives (W, R, b) of gruResetBefore.
    """
    order = [1, 0, 2]
    if not reset_after:
        return _keras(order, kernel, recurrent, bias, where)
    w, r, _ = _keras(order, kernel, recurrent, None, where)
    bias = _bias(bias, (2, len(w)), f"{where}: bias")
    return w, r, *_apart(*(_gates(part, order) for part in bias))


def onnx_rnn(w, r, b=None, *, where="RNN"):
    """ONNX's RNN of one direction: W [1, H, I], R [1, H, H], B [1, 2H], the bias of W and that of R.

    Gives (W [H, I], R [H, H], b [H]) of rnnTanh and rnnReLU.
    """
    return _onnx([0], w, r, b, where)[:3]


def onnx_lstm(w, r, b=None, *, where="LSTM"):
    """ONNX's LSTM of one direction, gates i o f c: W [1, 4H, I], R [1, 4H, H], B [1, 8H].

    Gives (W [4H, I], R [4H, H], b [4H]) of lstm.
    """
    return _onnx([0, 2, 3, 1], w, r, b, where)[:3]


def onnx_gru(w, r, b=None, linear_before_reset=False, *, where="GRU"):
    """ONNX's GRU of one direction, gates z r h: W [1, 3H, I], R [1, 3H, H], B [1, 6H].

    With linear_before_reset gives (W [3H, I], R [3H, H], b [3H], d [H]) of gruResetAfter, without (W, R, b) of
    gruResetBefore.
    """
    w, r, b, b_w, b_r = _onnx([1, 0, 2], w, r, b, where)
    return (w, r, *_apart(b_w, b_r)) if linear_before_reset else (w, r, b)


def torch_dense(weight, bias=None, *, where="dense"):
    """PyTorch's Linear: weight [O, I], bias [O]. Gives (W [O, I], b [O]) of dense."""
    weight = shaped(weight, (None, None), f"{where}: weight")
    return weight, _bias(bias, (len(weight),), f"{where}: bias")


def keras_dense(kernel, bias=None, *, where="dense"):
    """Keras's Dense: kernel [I, O], bias [O]. Gives (W [O, I], b [O]) of dense."""
    kernel = shaped(kernel, (None, None), f"{where}: kernel")
    return kernel.T, _bias(bias, (kernel.shape[1],), f"{where}: bias")


def shaped(values, shape, what):
    """The values as doubles, if they have the shape (None stands for any size) and are finite as 32-bit floats."""
    values = np.asarray(values, np.float64)
    if len(values.shape) != len(shape) or any(size not in (None, real) for size, real in zip(shape, values.shape)):
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise ExportError(f"{what} has the shape {list(values.shape)}; expected [{expected}]")
    with np.errstate(over="ignore"):
        bad = np.flatnonzero(~np.isfinite(values.astype(np.float32)))
    if len(bad):
        index = [int(place) for place in np.unravel_index(bad[0], values.shape)]
        raise ExportError(f"{what} is {values.flat[bad[0]]} at {index}; expected a finite 32-bit float")
    return values


def _torch(gates, w_ih, w_hh, b_ih, b_hh, where):
    """W, R, the sum of both biases, and each of them."""
    hidden = shaped(w_hh, (None, None), f"{where}: w_hh").shape[1]
    rows = gates * hidden
    w = shaped(w_ih, (rows, None), f"{where}: w_ih")
    r = shaped(w_hh, (rows, hidden), f"{where}: w_hh")
    b_ih, b_hh = _bias(b_ih, (rows,), f"{where}: b_ih"), _bias(b_hh, (rows,), f"{where}: b_hh")
    return w, r, b_ih + b_hh, b_ih, b_hh


def _keras(order, kernel, recurrent, bias, where):
    """W, R and b, their gates in the order that `order` says."""
    hidden = len(shaped(recurrent, (None, None), f"{where}: recurrent"))
    columns = len(order) * hidden
    w = shaped(kernel, (None, columns), f"{where}: kernel")
    r = shaped(recurrent, (hidden, columns), f"{where}: recurrent")
    b = _bias(bias, (columns,), f"{where}: bias")
    return _gates(w.T, order), _gates(r.T, order), _gates(b, order)


def _onnx(order, w, r, b, where):
    """W, R, the sum of both biases, and each of them, their gates in the order that `order` says."""
    hidden = shaped(r, (1, None, None), f"{where}: R").shape[2]
    rows = len(order) * hidden
    w = shaped(w, (1, rows, None), f"{where}: W")[0]
    r = shaped(r, (1, rows, hidden), f"{where}: R")[0]
    b = _bias(b, (1, 2 * rows), f"{where}: B")[0]
    b_w, b_r = (_gates(part, order) for part in np.split(b, 2))
    return _gates(w, order), _gates(r, order), b_w + b_r, b_w, b_r


def _apart(b_ih, b_hh):
    """b and d of a GRU that resets after the product, from biases in the order r z n."""
    hidden = len(b_hh) // 3
    b = b_ih + b_hh
    b[2 * hidden :] = b_ih[2 * hidden :]
    return b, b_hh[2 * hidden :]


def _gates(rows, order):
    """The groups of rows in another order: order[k] is where group k was."""
    parts = np.split(rows, len(order))
    return np.concatenate([parts[place] for place in order])


def _bias(values, shape, what):
    return np.zeros(shape) if values is None else shaped(values, shape, what)
