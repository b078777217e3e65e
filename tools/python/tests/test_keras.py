"""The exporter of Keras models; needs Keras 3 and one of its backends, PyTorch unless KERAS_BACKEND says otherwise."""

import json
import zipfile

import numpy as np
import pytest
from keras_models import filled, keras, operations, predictions, sequential
from streaming import assert_close, frames_of, predicted

import runnel
import runnel.keras
from runnel import layouts
from runnel.checking import random_frames

k = keras.layers
CELLS = {
    "rnnTanh": lambda units, **options: k.SimpleRNN(units, **options),
    "rnnReLU": lambda units, **options: k.SimpleRNN(units, activation="relu", **options),
    "lstm": lambda units, **options: k.LSTM(units, **options),
    "gruResetAfter": lambda units, **options: k.GRU(units, **options),
    "gruResetBefore": lambda units, **options: k.GRU(units, reset_after=False, **options),
}


# Cells


@pytest.mark.parametrize("units", [1, 3, 8, 17, 64, 130])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", CELLS)
def test_cells_agree_after_a_thousand_frames(kind, layers, units, tmp_path, run_tool):
    model = sequential(*(CELLS[kind](units, return_sequences=True) for _ in range(layers)))
    path = tmp_path / "model.runnel"
    exported = runnel.keras.export(model, path)
    assert operations(exported) == [kind] * layers
    frames = frames_of(1000, exported.programs[0].frame_size)
    assert_close(predicted(run_tool, path, frames), predictions(model, frames))


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(
    "options",
    [
        {"use_bias": False},
        {"return_sequences": True, "use_bias": False},
        {"return_sequences": True, "dropout": 0.2, "recurrent_dropout": 0.3},
    ],
    ids=["last frame", "sequence", "dropout"],
)
def test_options_of_cells(kind, options):
    assert operations(runnel.keras.export(sequential(CELLS[kind](4, **options)))) == [kind]


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("is_sequence", [False, True])
def test_stateful_and_unrolled_layers_of_many_streams_and_a_fixed_length(kind, is_sequence):
    layer = CELLS[kind](4, stateful=True, return_sequences=is_sequence, unroll=True)
    model = sequential(layer, k.Dense(2), shape=(7, 3), batch_size=5)
    assert operations(runnel.keras.export(model)) == [kind, "dense"]
    # The source's own state is left as it was.
    assert all(not keras.ops.convert_to_numpy(state).any() for state in model.layers[0].states)


def test_frames_one_by_one_of_a_stateful_model():
    model = sequential(k.LSTM(4, stateful=True), k.Dense(2), shape=(1, 3), batch_size=1)
    exported = runnel.keras.export(model)
    frames = random_frames(exported.programs[0], 20, seed=1)
    session = runnel.Session(exported)
    for frame in frames:
        expected = keras.ops.convert_to_numpy(model(frame.reshape(1, 1, 3), training=False))
        assert np.abs(session.step(frame) - expected).max() <= 1e-5


@pytest.mark.parametrize("cell", [k.SimpleRNNCell, k.LSTMCell, k.GRUCell])
def test_rnn_with_a_cell(cell):
    assert len(operations(runnel.keras.export(sequential(k.RNN(cell(4), return_sequences=True))))) == 1


@pytest.mark.parametrize("is_sequence", [False, True])
def test_rnn_with_stacked_cells(is_sequence):
    cells = k.StackedRNNCells([k.LSTMCell(4), k.GRUCell(3, reset_after=False), k.SimpleRNNCell(2)])
    exported = runnel.keras.export(sequential(k.RNN(cells, return_sequences=is_sequence)))
    assert operations(exported) == ["lstm", "gruResetBefore", "rnnTanh"]


def test_states_that_are_given_out_as_results():
    x = keras.Input((None, 3))
    sequence, hidden, _ = k.LSTM(4, return_sequences=True, return_state=True)(x)
    exported = runnel.keras.export(filled(keras.Model(x, [sequence, hidden])))
    assert [port.name for port in exported.programs[0].outputs] == ["prediction0", "prediction1"]


# Layers without a state


@pytest.mark.parametrize(
    "name, count",
    [
        ("linear", 0),
        ("tanh", 1),
        ("sigmoid", 1),
        ("relu", 1),
        ("softmax", 1),
        ("hard_sigmoid", None),
        ("silu", 2),
        ("swish", 2),
        ("leaky_relu", 1),
        ("relu6", 1),
        ("gelu", 1),
        ("elu", 1),
        ("selu", 2),
        ("softplus", 1),
        ("mish", 3),
    ],
)
def test_activations(name, count):
    for model in (sequential(k.Dense(6, activation=name)), sequential(k.Dense(6), k.Activation(name))):
        model.set_weights([weight * 8 for weight in model.get_weights()])
        exported = runnel.keras.export(model)
        assert count is None or len(operations(exported)) == 1 + count


LAYERS = {
    "dense": ([k.Dense(4, use_bias=False), k.Dense(2)], (None, 3)),
    "dense with a layer as activation": ([k.Dense(4, activation=k.LeakyReLU(0.1))], (None, 3)),
    "dense of several rows": ([k.Dense(4)], (None, 2, 3)),
    "time distributed": ([k.TimeDistributed(k.Dense(4, activation="tanh"))], (None, 3)),
    "time distributed model": (
        [k.TimeDistributed(keras.Sequential([keras.Input((2, 3)), k.Flatten(), k.Dense(4)]))],
        (9, 2, 3),
    ),
    "batch normalisation": ([k.BatchNormalization(), k.LSTM(4), k.BatchNormalization()], (None, 3)),
    "batch normalisation, plain": ([k.BatchNormalization(center=False, scale=False)], (None, 3)),
    "batch normalisation of rows": ([k.BatchNormalization(axis=2)], (None, 2, 3)),
    "relu": ([k.ReLU()], (None, 3)),
    "relu, clipped": ([k.ReLU(max_value=0.5)], (None, 3)),
    "relu, leaky": ([k.ReLU(negative_slope=0.2)], (None, 3)),
    "relu, clipped and leaky": ([k.ReLU(max_value=0.5, negative_slope=0.2)], (None, 3)),
    "elu": ([k.ELU(0.5)], (None, 3)),
    "layer normalisation": ([k.GRU(4, return_sequences=True), k.LayerNormalization()], (None, 3)),
    "layer normalisation, plain": ([k.LayerNormalization(center=False, scale=False)], (None, 3)),
    "layer normalisation of rows": ([k.LayerNormalization(axis=[2, 3])], (None, 2, 3)),
    "leaky relu": ([k.LeakyReLU(0.1)], (None, 3)),
    "prelu": ([k.PReLU(shared_axes=[1])], (None, 3)),
    "prelu behind the last frame": ([k.GRU(4), k.PReLU()], (None, 3)),
    "softmax": ([k.Softmax()], (None, 3)),
    "dropout and noise": (
        [
            k.Dropout(0.5),
            k.SpatialDropout1D(0.5),
            k.GaussianNoise(1.0),
            k.GaussianDropout(0.5),
            k.AlphaDropout(0.5),
            k.Identity(),
            k.Dense(2),
        ],
        (None, 3),
    ),
    "reshape": ([k.Reshape((-1, 2, 3)), k.Dense(2), k.Reshape((-1, 4)), k.GRU(3)], (None, 6)),
    "reshape of samples to frames": ([k.Reshape((-1, 1)), k.GRU(3)], (None,)),
    "permute": ([k.Permute((1, 3, 2)), k.Reshape((-1, 6)), k.GRU(3)], (None, 2, 3)),
    "permute time": ([k.Permute((2, 1)), k.ReLU(), k.Permute((2, 1)), k.GRU(3)], (None, 3)),
    "flatten behind the last frame": ([k.LSTM(6), k.Reshape((2, 3)), k.Flatten(), k.Dense(2)], (None, 3)),
    "no time": ([k.Dense(4, activation="relu"), k.Reshape((1, 4)), k.Flatten(), k.Dense(2)], (3,)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    layers, shape = LAYERS[name]
    # Layers are called once only: each test has copies of them.
    copies = [type(layer).from_config(layer.get_config()) for layer in layers]
    runnel.keras.export(sequential(*copies, shape=shape))


@pytest.mark.parametrize("length", [None, 20])
def test_embedding(length):
    exported = runnel.keras.export(sequential(k.Embedding(9, 4), k.LSTM(5), k.Dense(2), shape=(length,)))
    (port,) = exported.programs[0].inputs
    assert (port.kind, port.size) == ("index", 9)
    assert operations(exported) == ["embedding", "lstm", "dense"]


# Graphs


def test_several_inputs_and_outputs_with_skips():
    a, b = keras.Input((10, 3), name="a"), keras.Input((10, 4), name="b")
    code, fixed = keras.Input((10,), name="code"), keras.Input((2,), name="fixed")
    x = k.Concatenate()([k.Embedding(6, 3)(code), a])
    y = k.GRU(4, return_sequences=True)(x)
    y = k.Add()([y, b])
    y = k.Subtract(name="difference")([k.Multiply()([y, b]), k.Dense(4)(x)])
    last = k.Concatenate()([k.LSTM(5)(y), fixed])
    model = filled(keras.Model([a, b, code, fixed], [k.Dense(2, name="score")(last), y]))
    program = runnel.keras.export(model).programs[0]
    assert [(port.name, port.kind, port.size) for port in program.inputs] == [
        ("a", "vector", 3),
        ("b", "vector", 4),
        ("code", "index", 6),
        ("fixed", "vector", 2),
    ]
    assert [port.name for port in program.outputs] == ["score", "difference"]


def test_inputs_by_name():
    inputs = {"second": keras.Input((None, 2), name="second"), "first": keras.Input((None, 3), name="first")}
    joined = k.Concatenate()([inputs["second"], inputs["first"]])
    exported = runnel.keras.export(filled(keras.Model(inputs, {"out": k.GRU(4)(joined)})))
    assert [port.name for port in exported.programs[0].inputs] == ["first", "second"]


def test_operators_of_a_functional_model():
    x = keras.Input((None, 3))
    y = k.LSTM(3, return_sequences=True)(x)
    y = 1.0 - (y * x + x - 0.5) * np.array([1.0, 2.0, 3.0], np.float32)
    runnel.keras.export(filled(keras.Model(x, k.Dense(2)(y[:, -1]))))


def test_nested_models():
    inner = keras.Sequential([keras.Input((12, 3)), k.GRU(4, return_sequences=True), k.Dense(3)], name="inner")
    x = keras.Input((12, 3), batch_size=4)
    middle = keras.Model(x, k.Add()([inner(x), x]), name="middle")
    exported = runnel.keras.export(sequential(k.Dense(3), middle, k.SimpleRNN(2), shape=(12, 3), batch_size=4))
    assert operations(exported) == ["dense", "gruResetAfter", "dense", "add", "rnnTanh"]


def test_a_layer_that_is_called_twice_has_two_states():
    a, b = keras.Input((None, 3)), keras.Input((None, 3))
    shared = k.LSTM(4, return_sequences=True)
    exported = runnel.keras.export(filled(keras.Model([a, b], k.Add()([shared(a), shared(b)]))))
    assert len(exported.states) == 4


# Refusals


class Custom(k.Layer):
    def call(self, x):
        return x


class CustomModel(keras.Model):
    def call(self, x):
        return x


def _called_in_training():
    x = keras.Input((None, 3))
    return keras.Model(x, k.Dropout(0.5, name="bad")(x, training=True))


def _initial_state():
    x = keras.Input((None, 3))
    states = k.LSTM(3, return_state=True)(x)[1:]
    return keras.Model(x, k.LSTM(3, name="bad")(x, initial_state=states))


def _mask():
    x, mask = keras.Input((None, 3)), keras.Input((None,), dtype="bool")
    return keras.Model([x, mask], k.LSTM(3, name="bad")(x, mask=mask))


def _cell_state():
    x = keras.Input((None, 3))
    return keras.Model(x, k.Dense(1, name="bad")(k.LSTM(3, return_state=True)(x)[2]))


def _stream_with_last_frame():
    x = keras.Input((None, 3))
    last = k.Reshape((1, 3))(k.LSTM(3)(x))
    return keras.Model(x, k.Add(name="bad")([x, last]))


def _quantized():
    model = sequential(k.Dense(4, name="bad"))
    model.quantize("int8")
    return model


def _fixed(layer):
    return sequential(layer, shape=(5, 3))


def _joined(layer):
    x = keras.Input((None, 3))
    return keras.Model(x, layer([x, x]))


def _indices():
    return keras.Sequential([keras.Input((None, 2)), k.Embedding(5, 3)], name="bad")


# For each: the model's layers, or what makes it; the class of the layer `bad`; words of the reason.
REFUSED = {
    "go_backwards": (lambda: [k.GRU(4, go_backwards=True, name="bad")], "GRU", "go_backwards"),
    "zero_output_for_mask": (
        lambda: [k.LSTM(4, zero_output_for_mask=True, name="bad")],
        "LSTM",
        "zero_output_for_mask",
    ),
    "masking": (lambda: [k.Masking(name="bad"), k.LSTM(4)], "Masking", "masks frames"),
    "convolution of images": (
        lambda: sequential(k.Conv2D(4, 3, name="bad"), shape=(None, 6, 3)),
        "Conv2D",
        "no such operation",
    ),
    "layer normalisation": (
        lambda: _fixed(k.LayerNormalization(axis=1, name="bad")),
        "LayerNormalization",
        "which 1 is time",
    ),
    "repeat": (lambda: [k.LSTM(4), k.RepeatVector(5, name="bad")], "RepeatVector", "repeats"),
    "lambda": (lambda: [k.Lambda(lambda x: x, name="bad")], "Lambda", "code"),
    "custom layer": (lambda: [Custom(name="bad")], "Custom", "custom class"),
    "custom activation": (lambda: [k.Dense(2, activation=lambda x: x, name="bad")], "Dense", "activation"),
    "activation": (lambda: [k.Dense(2, activation="sparsemax", name="bad")], "Dense", "sparsemax"),
    "threshold": (lambda: [k.ReLU(threshold=1.0, name="bad")], "ReLU", "threshold"),
    "flatten frames": (lambda: _fixed(k.Flatten(name="bad")), "Flatten", "frames are mixed"),
    "reshape frames": (lambda: _fixed(k.Reshape((3, 5), name="bad")), "Reshape", "any number of frames"),
    "training": (_called_in_training, "Dropout", "training=True"),
    "prelu for each frame": (lambda: _fixed(k.PReLU(name="bad")), "PReLU", "shared_axes"),
    "normalisation of time": (lambda: _fixed(k.BatchNormalization(axis=1, name="bad")), "BatchNormalization", "time"),
    "concatenation along time": (lambda: _joined(k.Concatenate(axis=1, name="bad")), "Concatenate", "along time"),
    "initial state": (_initial_state, "LSTM", "initial_state"),
    "mask": (_mask, "LSTM", "mask"),
    "cell state": (_cell_state, "Dense", "cell state"),
    "last frame in a stream": (_stream_with_last_frame, "Add", "last frame"),
    "quantized": (_quantized, "Dense", "int8"),
    "two indices": (_indices, "Sequential", "2 indices"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_layer_and_the_reason(name, tmp_path):
    make, kind, words = REFUSED[name]
    model = make()
    path = tmp_path / "model.runnel"
    with pytest.raises(runnel.ExportError) as caught:
        runnel.keras.export(sequential(*model) if isinstance(model, list) else model, path)
    assert f"'bad' ({kind})" in str(caught.value)
    assert words in str(caught.value)
    assert not path.exists()


def test_mask_zero_is_refused():
    with pytest.raises(runnel.ExportError, match=r"'bad' \(Embedding\): mask_zero"):
        runnel.keras.export(sequential(k.Embedding(5, 3, mask_zero=True, name="bad"), k.LSTM(2), shape=(None,)))


def test_the_place_of_a_nested_layer_is_named():
    inner = keras.Sequential([keras.Input((None, 3)), k.GroupNormalization(1, name="bad")], name="inner")
    with pytest.raises(runnel.ExportError, match=r"layer 'inner/bad' \(GroupNormalization\)"):
        runnel.keras.export(sequential(inner))


def test_a_custom_cell_is_refused():
    class Cell(k.GRUCell):
        pass

    with pytest.raises(runnel.ExportError, match=r"'bad' \(RNN\): the cell 'strange' \(Cell\)"):
        runnel.keras.export(sequential(k.RNN(Cell(3, name="strange"), name="bad")))


def test_models_without_a_graph_are_refused():
    with pytest.raises(runnel.ExportError, match=r"'bad' \(CustomModel\).*custom class"):
        runnel.keras.export(CustomModel(name="bad"))
    with pytest.raises(runnel.ExportError, match=r"'bad' \(Sequential\).*not built"):
        runnel.keras.export(keras.Sequential([k.LSTM(3)], name="bad"))


def test_unknown_sizes_are_refused():
    with pytest.raises(runnel.ExportError, match=r"input 'x' has the shape"):
        x = keras.Input((None, None, 3), name="x")
        runnel.keras.export(keras.Model(x, k.ReLU()(x)))


# Files


def saved(model, path):
    model.save(path)
    return path


def rewritten(path, change):
    """The .keras file after a change of its configuration."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    members["config.json"] = change(config) or json.dumps(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("kind", CELLS)
def test_a_file_gives_the_same_as_the_model(kind, tmp_path):
    x = keras.Input((None, 3), name="x")
    inner = keras.Sequential([keras.Input((None, 4)), k.Dense(4, activation=k.LeakyReLU(0.1))])
    y = inner(CELLS[kind](4, return_sequences=True, kernel_regularizer="l2", bias_constraint="max_norm")(x))
    y = k.RNN([k.GRUCell(3), k.LSTMCell(3)], return_sequences=True)(y * 2.0 + np.ones(4, np.float32))
    model = filled(keras.Model(x, k.TimeDistributed(k.Dense(2))(y[:, :, 1:])))
    model.compile(optimizer="adam", loss=lambda wanted, found: found)
    frames = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    runnel.keras.export(model, tmp_path / "a.runnel", frames=frames)
    runnel.keras.export(saved(model, tmp_path / "model.keras"), tmp_path / "b.runnel", frames=frames)
    assert (tmp_path / "a.runnel").read_bytes() == (tmp_path / "b.runnel").read_bytes()


def test_an_exported_file_is_read_again(tmp_path):
    model = sequential(k.LSTM(4, return_sequences=True), k.Dense(2))
    exported = runnel.keras.export(model, tmp_path / "model.runnel", metadata={"name": ["small"]})
    read = runnel.read(tmp_path / "model.runnel")
    assert read.metadata["name"] == ("small",)
    assert read.metadata["provenance"] == (f"keras {keras.__version__}",)
    (run,) = read.golden
    assert (run.predictions == exported.golden[0].predictions).all()
    assert np.abs(runnel.Session(read).run(run.frames) - run.predictions).max() <= read.tolerance


def test_code_in_a_file_is_not_run(tmp_path):
    marker = tmp_path / "marker"
    code = eval(f"lambda x: (open({str(marker)!r}, 'w').close(), x)[1]")
    layer = k.Lambda(code, output_shape=(None, 3), name="bad")
    model = keras.Sequential([keras.Input((None, 3)), layer, k.LSTM(2)])
    path = saved(model, tmp_path / "model.keras")
    marker.unlink(missing_ok=True)
    with pytest.raises(runnel.ExportError, match=r"layer 'bad' \(Lambda\): it holds code"):
        runnel.keras.export(path)
    assert not marker.exists()
    # The file does run code where Keras is told to.
    keras.saving.load_model(path, safe_mode=False)(np.zeros((1, 2, 3), np.float32))
    assert marker.exists()


def _layer(config, name):
    return next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)


def _changed(**values):
    return lambda config: _layer(config, "bad").update(values)


def _changed_config(**values):
    return lambda config: _layer(config, "bad")["config"].update(values)


LAMBDA = {"class_name": "__lambda__", "config": {"value": ["", None, None]}}
FUNCTION = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
FORGED = {
    "custom class": (_changed(module="somewhere", class_name="Own"), r"'bad' \(Own\): it is a custom class"),
    "module": (_changed(module="os"), r"'bad' \(Dense\): it is a custom class"),
    "no module": (_changed(module=None), r"'bad' \(Dense\): it is a custom class"),
    "registered name": (_changed(registered_name="my>Dense"), r"'bad' \(Dense\): .*'my>Dense'"),
    "unknown layer": (_changed(class_name="TFSMLayer"), r"'bad' \(TFSMLayer\): there is no such operation"),
    "known but refused": (_changed(class_name="Conv2D"), r"'bad' \(Conv2D\): there is no such operation"),
    "no class": (_changed(class_name=["Dense"]), "no strings"),
    "lambda": (_changed_config(activation=LAMBDA), r"'bad' \(Dense\): it holds a function"),
    "bytecode": (_changed_config(activation={"value": ["", None, None]}), r"'bad' \(Dense\): it holds a function"),
    "function": (_changed_config(activation=FUNCTION), r"'bad' \(Dense\): it holds a function"),
    "initializer": (
        _changed_config(kernel_initializer={"module": "os", "class_name": "system", "config": {}}),
        r"'bad' \(Dense\): system: it is a custom class",
    ),
    "hidden deep": (_changed_config(note=[{"deep": [FUNCTION]}]), r"'bad' \(Dense\): it holds a function"),
    "option": (_changed_config(strange=1), "Keras .* cannot load it"),
    "no JSON": (lambda config: "{", "not JSON"),
    "two members": (lambda config: '{"module": "keras", "module": "os"}', "twice"),
    "nesting": (lambda config: "[" * 100_000 + "]" * 100_000, "config.json"),
    "no object": (lambda config: "[]", "cannot load it|no model"),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_files_are_refused(name, tmp_path):
    change, words = FORGED[name]
    path = saved(sequential(k.Dense(2, name="bad"), k.LSTM(2)), tmp_path / "model.keras")
    with pytest.raises(runnel.ExportError, match=words) as caught:
        runnel.keras.export(rewritten(path, change))
    assert "model.keras" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_what_is_for_training_is_not_loaded(tmp_path):
    model = sequential(k.Dense(2), k.LSTM(2))
    model.compile(loss="mse")
    path = saved(model, tmp_path / "model.keras")
    runnel.keras.export(rewritten(path, lambda config: config["compile_config"].update(loss=FUNCTION)))


def test_a_configuration_that_is_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("runnel.keras.files.MAX_CONFIG_BYTES", 100)
    with pytest.raises(runnel.ExportError, match=r"config.json has \d+ bytes; expected at most 100"):
        runnel.keras.export(saved(sequential(k.Dense(2)), tmp_path / "model.keras"))


def test_legacy_files_are_refused(tmp_path):
    path = tmp_path / "model.h5"
    sequential(k.LSTM(2)).save(path)
    renamed = tmp_path / "renamed.keras"
    renamed.write_bytes(path.read_bytes())
    for legacy in (path, renamed):
        with pytest.raises(runnel.ExportError, match="legacy HDF5 file.*save it as .keras"):
            runnel.keras.export(legacy)


def test_damaged_files_are_refused(tmp_path):
    path = saved(sequential(k.LSTM(2)), tmp_path / "model.keras")
    data = path.read_bytes()
    for damaged in (b"", b"something else", data[: len(data) // 2], data[:-30]):
        path.write_bytes(damaged)
        with pytest.raises(runnel.ExportError, match="model.keras"):
            runnel.keras.export(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(runnel.ExportError, match="has no model.weights.h5"):
        runnel.keras.export(path)


# Wrong exports


def _doubled_bias(layout):
    def wrong(kernel, recurrent, bias=None, *options, **named):
        return layout(kernel, recurrent, bias * 2, *options, **named)

    return wrong


def _swapped_gates(layout):
    def wrong(*arguments, **named):
        w, r, b, *rest = layout(*arguments, **named)
        order = np.roll(np.arange(len(w)), r.shape[1])
        return w[order], r[order], b[order], *rest

    return wrong


@pytest.mark.parametrize("layout", ["keras_lstm", "keras_gru"])
@pytest.mark.parametrize("wrong", [_doubled_bias, _swapped_gates])
@pytest.mark.parametrize("is_sequence", [False, True])
def test_wrong_weights_are_caught(layout, wrong, is_sequence, monkeypatch, tmp_path):
    cell = {"keras_lstm": k.LSTM, "keras_gru": k.GRU}[layout]
    model = sequential(cell(4, return_sequences=is_sequence))
    monkeypatch.setattr(layouts, layout, wrong(getattr(layouts, layout)))
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.keras.export(model, tmp_path / "model.runnel")
    assert not (tmp_path / "model.runnel").exists()


def test_a_doubled_bias_of_an_rnn_is_caught(monkeypatch):
    monkeypatch.setattr(layouts, "keras_rnn", _doubled_bias(layouts.keras_rnn))
    with pytest.raises(runnel.CheckError):
        runnel.keras.export(sequential(k.SimpleRNN(4, return_sequences=True)))


def test_the_other_variant_of_a_gru_is_caught(monkeypatch):
    def before(builder, x, w, r, b, d, **named):
        return builder.gru_reset_before(x, w, r, b, **named)

    model = sequential(k.GRU(4, return_sequences=True))
    # Without a recurrent bias, the variants differ by the order of reset and product alone.
    w, r, b = model.get_weights()
    model.set_weights([w, r, b * [[1], [0]]])
    monkeypatch.setattr(runnel.Builder, "gru_reset_after", before)
    with pytest.raises(runnel.CheckError):
        runnel.keras.export(model)


def test_a_layer_that_is_left_out_is_caught(monkeypatch):
    reader = runnel.keras.graph._Reader
    called = reader.called
    monkeypatch.setattr(
        reader, "called", lambda self, layer, x: x if layer.name == "second" else called(self, layer, x)
    )
    with pytest.raises(runnel.CheckError):
        runnel.keras.export(sequential(*(k.GRU(4, return_sequences=True, name=name) for name in ("first", "second"))))


def test_given_frames_and_tolerance():
    model = sequential(k.LSTM(4))
    frames = np.random.default_rng(0).normal(size=(5, 3))
    exported = runnel.keras.export(model, frames=frames)
    assert np.allclose(exported.golden[0].frames, frames)
    with pytest.raises(runnel.CheckError):
        runnel.keras.export(model, frames=frames, tolerance=1e-12)
    assert runnel.keras.export(model, check=False).golden == ()


# The runtime


@pytest.mark.parametrize("kind", CELLS)
def test_the_runtime_gives_what_keras_gives(kind, tmp_path, run_tool):
    path = tmp_path / "model.runnel"
    runnel.keras.export(sequential(CELLS[kind](17, return_sequences=True), CELLS[kind](5), k.Dense(3)), path)
    result = run_tool("verify", path)
    assert result.returncode == 0, result.stdout + result.stderr
