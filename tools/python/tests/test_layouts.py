"""Layouts of PyTorch and Keras: the cell made of the arrays computes what the framework's own does."""

import numpy as np
import pytest
import source_models as source

from runnel import Builder, ExportError, layouts

I, H = 3, 5


def torch_arrays(gates, has_biases=True):
    random = np.random.default_rng(gates)
    shapes = [(gates * H, I), (gates * H, H)] + [(gates * H,)] * (2 * has_biases)
    return [source.weights(random, *shape) for shape in shapes]


def keras_arrays(gates, *bias):
    random = np.random.default_rng(gates)
    return [source.weights(random, *shape) for shape in ((I, gates * H), (H, gates * H), bias or (gates * H,))]


def model_of(add, *arrays):
    builder = Builder()
    builder.output("y", add(builder, builder.vector("x", I), *arrays))
    return builder.model()


CASES = {
    "PyTorch's RNN": (Builder.rnn, layouts.torch_rnn, source.torch_rnn, torch_arrays(1)),
    "PyTorch's LSTM": (Builder.lstm, layouts.torch_lstm, source.torch_lstm, torch_arrays(4)),
    "PyTorch's LSTM without biases": (Builder.lstm, layouts.torch_lstm, source.torch_lstm, torch_arrays(4, False)),
    "PyTorch's GRU": (Builder.gru_reset_after, layouts.torch_gru, source.torch_gru, torch_arrays(3)),
    "PyTorch's GRU without biases": (
        Builder.gru_reset_after,
        layouts.torch_gru,
        source.torch_gru,
        torch_arrays(3, False),
    ),
    "a GRU that resets before": (
        Builder.gru_reset_before,
        layouts.torch_gru_reset_before,
        source.gru_reset_before,
        torch_arrays(3),
    ),
    "Keras's SimpleRNN": (Builder.rnn, layouts.keras_rnn, source.keras_rnn, keras_arrays(1)),
    "Keras's LSTM": (Builder.lstm, layouts.keras_lstm, source.keras_lstm, keras_arrays(4)),
    "Keras's GRU": (Builder.gru_reset_after, layouts.keras_gru, source.keras_gru, keras_arrays(3, 2, 3 * H)),
    "Keras's GRU that resets before": (
        Builder.gru_reset_before,
        lambda *arrays: layouts.keras_gru(*arrays, reset_after=False),
        lambda *arrays: source.keras_gru(*arrays, reset_after=False),
        keras_arrays(3),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_cells_compute_what_the_framework_does(case):
    add, layout, run, arrays = CASES[case]
    x = source.frames(np.random.default_rng(0), I)
    assert source.deviation(model_of(add, *layout(*arrays)), x, run(x, *arrays)) < 1e-6


@pytest.mark.parametrize("case", [case for case in CASES if "RNN" not in case])
def test_a_wrong_order_of_gates_is_noticed(case):
    add, layout, run, arrays = CASES[case]
    x = source.frames(np.random.default_rng(0), I)
    assert source.deviation(source.swapped_gates(model_of(add, *layout(*arrays))), x, run(x, *arrays)) > 1e-2


def test_the_recurrent_bias_of_the_candidate_is_apart():
    w_ih, w_hh, b_ih, b_hh = torch_arrays(3)
    _, _, b, d = layouts.torch_gru(w_ih, w_hh, b_ih, b_hh)
    assert np.array_equal(b[: 2 * H], (b_ih.astype(np.float64) + b_hh)[: 2 * H])
    assert np.array_equal(b[2 * H :], b_ih[2 * H :])
    assert np.array_equal(d, b_hh[2 * H :])


def test_dense_layers_are_rows_of_outputs():
    kernel, bias = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    for w, b in (layouts.keras_dense(kernel, bias), layouts.torch_dense(kernel.T, bias)):
        assert np.array_equal(w, [[0, 3], [1, 4], [2, 5]])
        assert np.array_equal(b, bias)
    assert np.array_equal(layouts.keras_dense(kernel)[1], np.zeros(3))


REFUSED = {
    "rows that are not gates": (
        layouts.torch_lstm,
        torch_arrays(3, False),
        r"w_ih has the shape \[15, 3\]; expected \[20, any\]",
    ),
    "a recurrent matrix of other rows": (
        layouts.torch_lstm,
        [torch_arrays(4)[0], torch_arrays(3)[1]],
        r"expected \[20, 5\]",
    ),
    "a vector for a matrix": (layouts.torch_rnn, [np.zeros(3), np.zeros(3)], r"w_hh has the shape \[3\].*\[any, any\]"),
    "a bias of another size": (
        layouts.torch_gru,
        [*torch_arrays(3)[:3], np.zeros(4)],
        r"b_hh has the shape \[4\]; expected \[15\]",
    ),
    "one bias for two": (layouts.keras_gru, keras_arrays(3), r"bias has the shape \[15\]; expected \[2, 15\]"),
    "two biases for one": (
        lambda *arrays, **where: layouts.keras_gru(*arrays, reset_after=False, **where),
        keras_arrays(3, 2, 3 * H),
        r"bias has the shape \[2, 15\]; expected \[15\]",
    ),
    "a kernel of rows": (layouts.keras_lstm, torch_arrays(4, False), r"kernel has the shape"),
    "NaN": (layouts.torch_dense, [[[1.0, float("nan")]]], r"weight is nan at \[0, 1\]; expected a finite"),
    "a number above the largest float": (layouts.keras_dense, [[[1e39]]], r"kernel is 1e\+39 at \[0, 0\]"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_place(case):
    layout, arrays, text = REFUSED[case]
    with pytest.raises(ExportError, match=f"^here: .*{text}"):
        layout(*arrays, where="here")
