"""Models of RTNeural: JSON with Keras's layers and layouts.

`in_shape` ends with the size of a frame; each of `layers` has a `type`, a `shape` that ends with the size of its
result, `weights` as Keras gives them, and an `activation` that follows it. RTNeural's recurrent layers use tanh and σ
whatever `activation` says, and its GRU resets after the product. AIDA-X adds `in_skip`, which adds the input to the
output, and gains.
"""

import numpy as np

from .builder import Builder
from .json_source import read_json
from .layouts import keras_dense, keras_gru, keras_lstm

_IGNORED = ("metadata", "input_batch", "output_batch")
_ACTIVATIONS = {"tanh": Builder.tanh, "sigmoid": Builder.sigmoid, "relu": Builder.relu, "softmax": Builder.softmax}


def export(path):
    """The model of a JSON file of RTNeural or AIDA-X. States start from zeros."""
    root = read_json(path)
    fields = root.fields(["in_shape", "layers"], ["in_skip", "in_gain", "out_gain", "samplerate", *_IGNORED])
    builder = Builder()
    x = y = builder.vector("x", _size(fields["in_shape"]))
    layers = fields["layers"].items()
    if not layers:
        raise fields["layers"].error("is empty; expected at least one layer")
    for index, layer in enumerate(layers):
        y = _layer(builder, y, layer, index)
    if "in_skip" in fields and fields["in_skip"].whole(0, 1):
        if x.size != y.size:
            raise fields["in_skip"].error(f"adds {x.size} inputs to {y.size} outputs; expected as many")
        y = builder.add(y, x)
    for key in ("in_gain", "out_gain"):
        if key in fields and fields[key].number():
            raise fields[key].error(f"is {fields[key].value} dB; expected 0, because the gain is not part of the model")
    builder.output("y", y)
    return builder.model({"frameRate": (fields["samplerate"].rate(),)} if "samplerate" in fields else None)


def _layer(builder, x, layer, index):
    kind = layer.member("type").choice(*_LAYERS)
    add, required, optional = _LAYERS[kind]
    fields = layer.fields(["type", "shape", *required], optional)
    y = add(builder, x, fields, f"{kind}{index}", layer.where)
    if _size(fields["shape"]) != y.size:
        raise fields["shape"].error(f"ends with {_size(fields['shape'])}; expected {y.size} like the weights")
    return y


def _dense(builder, x, fields, name, where):
    kernel, bias = _arrays(fields["weights"], (x.size, None), (None,))
    y = builder.dense(x, *keras_dense(kernel, bias, where=where), name=name)
    function = fields["activation"].choice(*_ACTIVATIONS, "") if "activation" in fields else ""
    return _ACTIVATIONS[function](builder, y) if function else y


def _lstm(builder, x, fields, name, where):
    _only(fields, "tanh", "")
    kernel, recurrent, bias = _arrays(fields["weights"], (x.size, None), (None, None), (None,))
    return builder.lstm(x, *keras_lstm(kernel, recurrent, bias, where=where), name=name)


def _gru(builder, x, fields, name, where):
    _only(fields, "tanh", "")
    kernel, recurrent, bias = _arrays(fields["weights"], (x.size, None), (None, None), (2, None))
    return builder.gru_reset_after(x, *keras_gru(kernel, recurrent, bias, where=where), name=name)


def _batch_norm(builder, x, fields, name, where):
    """(x - mean) / sqrt(variance + epsilon), times gamma, plus beta, where the weights have those."""
    _only(fields, "")
    count = len(fields["weights"].items())
    if count not in (2, 4):
        raise fields["weights"].error(f"has {count} arrays; expected gamma, beta, mean, variance, or the last two")
    *factors, mean, variance = _arrays(fields["weights"], *[(x.size,)] * count)
    variance = variance + fields["epsilon"].number()
    if not (variance > 0).all():
        raise fields["weights"].error("has a variance that is not above zero with epsilon; expected all above zero")
    gamma, beta = factors or (1.0, 0.0)
    scale = gamma / np.sqrt(variance)
    return builder.affine(x, scale, beta - mean * scale, name=name)


def _activation(builder, x, fields, name, where):
    if "weights" in fields:
        _arrays(fields["weights"])
    return _ACTIVATIONS[fields["activation"].choice(*_ACTIVATIONS)](builder, x)


# For each type: what adds it, the keys that it has, and those that it may have.
_LAYERS = {
    "dense": (_dense, ["weights"], ["activation"]),
    "time-distributed-dense": (_dense, ["weights"], ["activation"]),
    "lstm": (_lstm, ["weights"], ["activation"]),
    "gru": (_gru, ["weights"], ["activation"]),
    "batchnorm": (_batch_norm, ["weights", "epsilon"], ["activation"]),
    "activation": (_activation, ["activation"], ["weights"]),
}


def _only(fields, *activations):
    if "activation" in fields:
        fields["activation"].choice(*activations)


def _arrays(weights, *shapes):
    """The arrays of a layer, one for each shape."""
    items = weights.items()
    if len(items) != len(shapes):
        raise weights.error(f"has {len(items)} arrays; expected {len(shapes)}")
    return [item.array(*shape) for item, shape in zip(items, shapes)]


def _size(shape):
    """The last size of a shape; the others, of batches and time, may be anything."""
    sizes = shape.items()
    if not 1 <= len(sizes) <= 3:
        raise shape.error(f"has {len(sizes)} dimensions; expected up to 3: batch, time, and the size of a frame")
    return sizes[-1].whole()
