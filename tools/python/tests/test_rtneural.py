"""RTNeural's models, against Keras's layers."""

import json

import numpy as np
import pytest
import source_models as source

from runnel import ExportError
from runnel.rtneural import export

FUNCTIONS = {
    "": lambda x: x,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": source.sigmoid,
    "softmax": source.softmax,
}
RANDOM = np.random.default_rng(7)


def layer(kind, size, *arrays, activation="", **fields):
    weights = [array.tolist() for array in arrays]
    return {"type": kind, "activation": activation, "shape": [None, None, size], "weights": weights, **fields}


def dense(inputs, size, activation="", kind="dense"):
    arrays = source.weights(RANDOM, inputs, size), source.weights(RANDOM, size)
    return layer(kind, size, *arrays, activation=activation)


def lstm(inputs, size, **fields):
    shapes = (inputs, 4 * size), (size, 4 * size), (4 * size,)
    return layer("lstm", size, *[source.weights(RANDOM, *shape) for shape in shapes], **{"activation": "tanh"} | fields)


def gru(inputs, size, **fields):
    shapes = (inputs, 3 * size), (size, 3 * size), (2, 3 * size)
    return layer("gru", size, *[source.weights(RANDOM, *shape) for shape in shapes], **{"activation": "tanh"} | fields)


def batch_norm(size, count=4):
    gamma, beta, mean = (source.weights(RANDOM, size) for _ in range(3))
    arrays = [gamma, beta, mean, np.abs(source.weights(RANDOM, size))]
    return layer("batchnorm", size, *arrays[4 - count :], epsilon=1e-3)


def model(inputs, *layers, **fields):
    return {"in_shape": [None, None, inputs], "layers": list(layers), **fields}


def predictions(document, frames):
    x = frames
    for part in document["layers"]:
        arrays = [np.array(array) for array in part["weights"]]
        if part["type"] in ("dense", "time-distributed-dense"):
            x = FUNCTIONS[part.get("activation", "")](x @ arrays[0] + arrays[1])
        elif part["type"] == "batchnorm":
            *factors, mean, variance = arrays
            gamma, beta = factors or (1, 0)
            x = gamma * (x - mean) / np.sqrt(variance + part["epsilon"]) + beta
        elif part["type"] == "activation":
            x = FUNCTIONS[part["activation"]](x)
        else:
            x = {"lstm": source.keras_lstm, "gru": source.keras_gru}[part["type"]](x, *arrays)
    return x + frames if document.get("in_skip") else x


def write(folder, document):
    path = folder / "net.json"
    path.write_text(json.dumps(document))
    return path


MODELS = {
    "LSTM": model(1, lstm(1, 6), dense(6, 1)),
    "GRU": model(3, gru(3, 5), dense(5, 2)),
    "both, stacked": model(2, gru(2, 4), gru(4, 4, activation=""), lstm(4, 3), lstm(3, 3), dense(3, 1)),
    "activations": model(
        2,
        dense(2, 4, "relu"),
        dense(4, 4, "sigmoid", kind="time-distributed-dense"),
        layer("activation", 4, activation="tanh"),
        dense(4, 3, "softmax"),
    ),
    "batch normalisation": model(3, batch_norm(3), dense(3, 3, "tanh"), batch_norm(3, count=2)),
    "skip": model(1, lstm(1, 6), dense(6, 1), in_skip=1, in_gain=0, out_gain=0.0, metadata={"name": "Loud"}),
}


@pytest.mark.parametrize("name", MODELS)
def test_export_computes_what_the_source_does(tmp_path, name):
    document = MODELS[name]
    x = source.frames(np.random.default_rng(0), document["in_shape"][-1])
    assert source.deviation(export(write(tmp_path, document)), x, predictions(document, x)) < 1e-6


@pytest.mark.parametrize("cell", [lstm, gru])
@pytest.mark.parametrize("broken", source.BROKEN)
def test_a_broken_export_is_noticed(tmp_path, cell, broken):
    document = model(1, cell(1, 5), cell(5, 5), dense(5, 1))
    x = source.frames(np.random.default_rng(0), 1)
    assert source.deviation(broken(export(write(tmp_path, document))), x, predictions(document, x)) > 1e-2


def test_an_activation_that_is_left_out_is_noticed(tmp_path):
    document = model(1, dense(1, 4), layer("activation", 4, activation="tanh"))
    x = source.frames(np.random.default_rng(0), 1)
    without = model(1, document["layers"][0])
    assert source.deviation(export(write(tmp_path, without)), x, predictions(document, x)) > 1e-2


def test_shapes_may_have_any_batch_and_time(tmp_path):
    document = model(1, lstm(1, 4, shape=[1, 64, 4]), dense(4, 1)) | {"in_shape": [1, 64, 1]}
    assert export(write(tmp_path, document)).programs[0].frame_size == 1


def test_the_rate_of_frames_is_kept(tmp_path):
    document = MODELS["LSTM"] | {"samplerate": 44100}
    assert export(write(tmp_path, document)).metadata == {"frameRate": ("44100",)}


def changed(part, **fields):
    return {key: value for key, value in (part | fields).items() if value is not None}


NET = MODELS["LSTM"]
CELL, HEAD = NET["layers"]
NORM = batch_norm(1)
ZEROS = [np.zeros(1), np.zeros(1)]
REFUSED = {
    "a convolution": (model(1, CELL, layer("conv1d", 6, kernel_size=[3])), r"layers\[1\].type is 'conv1d'; expected"),
    "PReLU": (model(1, layer("prelu", 1)), r"layers\[0\].type is 'prelu'; expected 'dense'"),
    "a convolution in two dimensions": (model(1, layer("conv2d", 1)), r"layers\[0\].type is 'conv2d'"),
    "a layer without type": (model(1, changed(HEAD, type=None)), r"layers\[0\] has no 'type'"),
    "ELU": (model(1, dense(1, 2, "elu")), r"layers\[0\].activation is 'elu'; expected 'tanh'.* or ''"),
    "ELU as a layer": (model(1, layer("activation", 1, activation="elu")), r"layers\[0\].activation is 'elu'"),
    "a layer of no activation": (model(1, layer("activation", 1)), r"layers\[0\].activation is ''; expected 'tanh'"),
    "an activation with weights": (
        model(1, layer("activation", 1, np.zeros(1), activation="tanh")),
        r"layers\[0\].weights has 1 arrays; expected 0",
    ),
    "an LSTM with another activation": (
        model(1, lstm(1, 2, activation="relu")),
        r"layers\[0\].activation is 'relu'; expected 'tanh' or ''",
    ),
    "an activation of batch normalisation": (model(1, changed(NORM, activation="tanh")), "activation is 'tanh'"),
    "an unknown field of a layer": (model(1, changed(HEAD, dropout=0.5)), r"layers\[0\] has 'dropout', which is not"),
    "an unknown field": (NET | {"resample": 2}, "has 'resample', which is not known"),
    "no layers": (model(1), "layers is empty; expected at least one"),
    "no shape": ({"layers": NET["layers"]}, "has no 'in_shape'"),
    "a shape of two features": (NET | {"in_shape": [None, None, 4, 1]}, "in_shape has 4 dimensions"),
    "an unknown size": (NET | {"in_shape": [None, None, None]}, r"in_shape\[2\] is null; expected a whole number"),
    "a kernel for another input": (
        model(2, *NET["layers"]),
        r"layers\[0\].weights\[0\] has the shape \[1, 24\]; expected \[2, any\]",
    ),
    "a shape that is not the weights'": (
        model(1, changed(CELL, shape=[None, None, 5])),
        r"layers\[0\].shape ends with 5; expected 6",
    ),
    "a dense layer without bias": (model(6, changed(HEAD, weights=HEAD["weights"][:1])), "has 1 arrays; expected 2"),
    "an LSTM with another array": (
        model(1, changed(CELL, weights=CELL["weights"] + [[0.0]])),
        r"layers\[0\].weights has 4 arrays; expected 3",
    ),
    "a GRU that resets before": (
        model(1, layer("gru", 2, np.zeros((1, 6)), np.zeros((2, 6)), np.zeros(6))),
        r"layers\[0\].weights\[2\] has the shape \[6\]; expected \[2, any\]",
    ),
    "NaN": (
        model(1, changed(HEAD, shape=[1], weights=[[[float("nan")]], [0.0]])),
        r"layers\[0\].weights\[0\] is nan at \[0, 0\]; expected a finite",
    ),
    "three arrays of batch normalisation": (
        model(1, changed(NORM, weights=NORM["weights"][:3])),
        r"layers\[0\].weights has 3 arrays; expected gamma, beta",
    ),
    "batch normalisation without epsilon": (model(1, changed(NORM, epsilon=None)), r"layers\[0\] has no 'epsilon'"),
    "a variance of zero": (model(1, layer("batchnorm", 1, *ZEROS, epsilon=0)), "a variance that is not above zero"),
    "a gain": (NET | {"out_gain": -3.0}, "out_gain is -3.0 dB; expected 0"),
    "a skip of two": (NET | {"in_skip": 2}, "in_skip is 2; expected a whole number from 0 to 1"),
    "a skip between sizes": (MODELS["GRU"] | {"in_skip": 1}, "in_skip adds 3 inputs to 2 outputs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_place(tmp_path, case):
    document, text = REFUSED[case]
    with pytest.raises(ExportError, match=f"^net.json.*{text}"):
        export(write(tmp_path, document))
