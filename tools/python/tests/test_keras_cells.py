"""Keras's cells with other activations, and its layers and functions on the elements of a frame."""

import numpy as np
import pytest
from keras_models import filled, keras, operations, predictions, sequential
from streaming import assert_close, frames_of, predicted

import runnel
import runnel.keras
from runnel import variants

k = keras.layers
ACTIVATIONS = [
    "linear",
    "tanh",
    "sigmoid",
    "relu",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "log_sigmoid",
    "silu",
    "gelu",
    "elu",
    "celu",
    "selu",
    "softplus",
    "softsign",
    "softmax",
    "log_softmax",
    "squareplus",
    "soft_shrink",
    "tanh_shrink",
    "mish",
    "leaky_relu",
    "relu6",
]
CELLS = {
    "rnn": lambda units, activation, recurrent, **options: k.SimpleRNN(units, activation=activation, **options),
    "lstm": lambda units, activation, recurrent, **options: k.LSTM(
        units, activation=activation, recurrent_activation=recurrent, **options
    ),
    "gru, reset after": lambda units, activation, recurrent, **options: k.GRU(
        units, activation=activation, recurrent_activation=recurrent, **options
    ),
    "gru, reset before": lambda units, activation, recurrent, **options: k.GRU(
        units, activation=activation, recurrent_activation=recurrent, reset_after=False, **options
    ),
}
GATED = [name for name in CELLS if name != "rnn"]


def assert_agrees(model, tmp_path, run_tool, counts=(1, 2, 40)):
    path = tmp_path / "model.runnel"
    exported = runnel.keras.export(model, path)
    for count in counts:
        frames = frames_of(count, exported.programs[0].frame_size, seed=count)
        expected = predictions(model, frames.reshape(count, *model.inputs[0].shape[2:]))
        assert_close(runnel.Session(exported).run(frames), expected.reshape(count, -1))
    assert_close(predicted(run_tool, path, frames), expected.reshape(count, -1))
    return exported


# Cells


def small(model):
    """With weights that keep states finite, whatever the activation."""
    model.set_weights([weight * 0.3 for weight in model.get_weights()])
    return model


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", CELLS)
def test_activations_of_cells(kind, activation, tmp_path, run_tool):
    cell = CELLS[kind](5, activation, "sigmoid", return_sequences=True)
    exported = assert_agrees(small(sequential(cell)), tmp_path, run_tool)
    is_usual = activation == "tanh" or kind == "rnn" and activation == "relu"
    assert (len(operations(exported)) == 1) == is_usual


@pytest.mark.parametrize("activation", ["hard_sigmoid", "tanh", "relu", "linear", "softsign", "softmax"])
@pytest.mark.parametrize("kind", GATED)
def test_recurrent_activations(kind, activation, tmp_path, run_tool):
    cell = CELLS[kind](5, "tanh", activation, return_sequences=True)
    exported = assert_agrees(small(sequential(cell)), tmp_path, run_tool)
    assert "store" in operations(exported)


@pytest.mark.parametrize("units", [1, 8, 17])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", CELLS)
def test_layers_of_cells_with_both_activations(kind, layers, units, tmp_path, run_tool):
    cells = [CELLS[kind](units, "softsign", "hard_sigmoid", return_sequences=True) for _ in range(layers)]
    assert_agrees(sequential(*cells, k.Dense(2)), tmp_path, run_tool, (1, 3, 200))


@pytest.mark.parametrize("kind", CELLS)
def test_the_last_frame_of_cells_without_bias(kind):
    model = sequential(CELLS[kind](4, "elu", "hard_sigmoid", use_bias=False), k.Dense(2))
    frames = frames_of(12, 3)
    expected = np.stack([predictions(model, frames[: count + 1]) for count in range(12)])
    assert_close(runnel.Session(runnel.keras.export(model)).run(frames), expected)


def test_a_layer_as_activation(tmp_path, run_tool):
    assert_agrees(sequential(k.GRU(4, activation=k.LeakyReLU(0.3), return_sequences=True)), tmp_path, run_tool)


def test_cells_of_an_rnn(tmp_path, run_tool):
    cells = [k.LSTMCell(4, recurrent_activation="hard_sigmoid"), k.SimpleRNNCell(3, activation="softsign")]
    assert_agrees(sequential(k.RNN(cells, return_sequences=True)), tmp_path, run_tool)


def test_states_of_cells_with_other_activations():
    x = keras.Input((None, 3))
    sequence, hidden, _ = CELLS["lstm"](4, "softsign", "hard_sigmoid", return_sequences=True, return_state=True)(x)
    model = filled(keras.Model(x, [sequence, hidden]))
    found = runnel.Session(runnel.keras.export(model)).run(frames_of(9, 3))
    assert_close(found[:, :4], found[:, 4:])


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("activation", ["hard_shrink", "sparsemax"])
def test_activations_that_are_refused(kind, activation):
    with pytest.raises(runnel.ExportError, match=rf"layer 'bad' .*the activation {activation}: there is no such"):
        runnel.keras.export(sequential(CELLS[kind](3, activation, "sigmoid", name="bad")))


@pytest.mark.parametrize("kind", GATED)
def test_recurrent_activations_that_are_refused(kind):
    with pytest.raises(runnel.ExportError, match=r"layer 'bad' .*the activation hard_shrink: there is no such"):
        runnel.keras.export(sequential(CELLS[kind](3, "tanh", "hard_shrink", name="bad")))


@pytest.mark.parametrize("kind", GATED)
def test_exchanged_activations_are_caught(kind, monkeypatch):
    name = {"lstm": "lstm", "gru, reset after": "gru_reset_after", "gru, reset before": "gru_reset_before"}[kind]
    add = getattr(variants, name)

    def exchanged(*arguments, activations, **named):
        return add(*arguments, activations=activations[1::-1] + activations[2:], **named)

    monkeypatch.setattr(variants, name, exchanged)
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.keras.export(sequential(CELLS[kind](4, "softsign", "hard_sigmoid", return_sequences=True)))


# Layers and functions


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "glu"])
def test_activations_of_layers(activation, tmp_path, run_tool):
    model = sequential(k.Dense(6), k.Activation(activation))
    model.set_weights([weight * 4 for weight in model.get_weights()])
    assert_agrees(model, tmp_path, run_tool)


NORMS = {
    "layer": lambda: k.LayerNormalization(),
    "layer, without weights": lambda: k.LayerNormalization(center=False, scale=False),
    "layer, of a frame": lambda: k.LayerNormalization(axis=[2, 3]),
    "rms": lambda: k.RMSNormalization(),
    "rms, of a frame": lambda: k.RMSNormalization(axis=[2, 3]),
    "unit": lambda: k.UnitNormalization(),
    "unit, of a frame": lambda: k.UnitNormalization(axis=[2, 3]),
    "unit, along the first axis of a frame": lambda: k.UnitNormalization(axis=2),
}


@pytest.mark.parametrize("name", NORMS)
def test_normalisations(name, tmp_path, run_tool):
    assert_agrees(sequential(NORMS[name](), shape=(None, 5, 4)), tmp_path, run_tool)


def _normal(x, axis):
    return x - x.mean(axis=axis, keepdims=True)


@pytest.mark.parametrize("kind, centred", [(k.LayerNormalization, _normal), (k.RMSNormalization, lambda x, axis: x)])
def test_normalisations_along_the_first_axis_of_a_frame(kind, centred):
    """Not compared with Keras, which cannot run these with PyTorch."""
    model = sequential(kind(axis=2), shape=(None, 5, 4))
    found = runnel.Session(runnel.keras.export(model, check=False)).run(frames_of(9, 20))
    x = centred(frames_of(9, 20).reshape(9, 5, 4).astype(float), 1)
    scale, *shift = (weight[:, np.newaxis] for weight in model.get_weights())
    expected = x / np.sqrt((x * x).mean(axis=1, keepdims=True) + model.layers[0].epsilon) * scale + sum(shift)
    assert_close(found, expected.reshape(9, 20))


@pytest.mark.parametrize("kind", [k.LayerNormalization, k.RMSNormalization, k.UnitNormalization])
def test_normalisations_over_time_are_refused(kind):
    with pytest.raises(runnel.ExportError, match=r"layer 'bad' .*over the axes \[1, 2\], of which 1 is time"):
        runnel.keras.export(sequential(kind(axis=[1, 2], name="bad"), shape=(5, 3)))


def test_the_variance_as_a_scale_is_refused():
    layer = k.LayerNormalization(name="bad")
    layer.rms_scaling = True
    with pytest.raises(runnel.ExportError, match=r"layer 'bad' .*rms_scaling.*expected RMSNormalization"):
        runnel.keras.export(sequential(layer))


MERGES = {
    "maximum": lambda values: k.Maximum()(values),
    "minimum": lambda values: k.Minimum()(values),
    "average": lambda values: k.Average()(values),
    "maximum of a constant": lambda values: keras.ops.maximum(values[0], 0.25),
    "minimum of constants": lambda values: keras.ops.minimum(values[0], np.array([0.1, -0.2, 0.3], np.float32)),
    "function": lambda values: keras.ops.minimum(keras.ops.maximum(values[0], values[1]), values[2]),
    "quotient": lambda values: keras.ops.divide(values[0], keras.ops.square(values[1]) + 1.0),
    "quotients with constants": lambda values: 2.0 / (keras.ops.abs(values[0] / 3.0) + 1.0),
    "root": lambda values: keras.ops.sqrt(keras.ops.absolute(values[0])),
    "negative": lambda values: -values[0] - keras.ops.subtract(values[1], 0.5),
    "activations": lambda values: keras.ops.multiply(
        keras.ops.tanh(keras.ops.relu(values[0])),
        keras.ops.add(keras.ops.sigmoid(values[1]), keras.ops.silu(keras.ops.softplus(values[2]))),
    ),
}


@pytest.mark.parametrize("name", MERGES)
def test_merges_and_functions(name, tmp_path, run_tool):
    x = keras.Input((None, 3))
    values = [x, k.Dense(3)(x), k.GRU(3, return_sequences=True)(x)]
    assert_agrees(filled(keras.Model(x, MERGES[name](values))), tmp_path, run_tool)


def test_a_file_with_functions_and_activations(tmp_path):
    x = keras.Input((None, 3))
    y = k.GRU(3, activation="softsign", recurrent_activation="hard_sigmoid", return_sequences=True)(x)
    y = keras.ops.maximum(keras.ops.relu(y) / 2.0, k.Average()([x, y]))
    model = filled(keras.Model(x, y))
    model.save(tmp_path / "model.keras")
    runnel.keras.export(model, tmp_path / "a.runnel")
    runnel.keras.export(tmp_path / "model.keras", tmp_path / "b.runnel")
    assert (tmp_path / "a.runnel").read_bytes() == (tmp_path / "b.runnel").read_bytes()


def test_exponentials_and_logarithms(tmp_path, run_tool):
    x = keras.Input((None, 3))
    y = k.Activation("exponential")(k.Dense(4)(x))
    assert_agrees(filled(keras.Model(x, keras.ops.log(y + keras.ops.exp(y * 0.1)))), tmp_path, run_tool)


@pytest.mark.parametrize("function", [keras.ops.round, keras.ops.cumsum])
def test_functions_that_are_refused(function):
    x = keras.Input((None, 3))
    with pytest.raises(runnel.ExportError, match="there is no such operation"):
        runnel.keras.export(keras.Model(x, function(x)))
