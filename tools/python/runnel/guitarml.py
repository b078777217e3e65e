"""Models of GuitarML, Proteus and Automated-GuitarAmpModelling: a recurrent module of PyTorch and a linear layer.

The file is JSON: `model_data` says what the model is, `state_dict` holds PyTorch's tensors, `rec.*` and `lin.*`. With
`skip`, the first inputs are added to the outputs.
"""

from .builder import Builder
from .json_source import read_json
from .layouts import torch_dense
from .torch_layers import add_recurrent

_UNITS = {"LSTM": "lstm", "GRU": "gru", "RNN": "rnn"}
_MAX_LAYERS = 256


def export(path):
    """The model of a JSON file. A frame is the audio, then the knobs, if the model has any."""
    root = read_json(path).fields(["model_data", "state_dict"])
    data = root["model_data"].fields(
        ["model", "unit_type", "input_size", "output_size", "hidden_size", "num_layers", "skip"], ["bias_fl"]
    )
    data["model"].choice("SimpleRNN")
    kind = _UNITS[data["unit_type"].choice(*_UNITS)]
    inputs, outputs, size = (data[key].whole() for key in ("input_size", "output_size", "hidden_size"))
    layers = data["num_layers"].whole(1, _MAX_LAYERS)
    has_bias = "bias_fl" not in data or data["bias_fl"].flag()
    state = root["state_dict"]
    tensors = state.fields(_required(layers, has_bias), [] if has_bias else ["lin.bias"])

    builder = Builder()
    x, skipped = _inputs(builder, inputs, outputs, data["skip"])
    h = add_recurrent(
        builder,
        kind,
        x,
        lambda key, shape: tensors[f"rec.{key}"].array(*shape),
        size=size,
        layers=layers,
        name="rec",
        where=state.where,
    )
    weight, bias = tensors["lin.weight"].array(outputs, size), _bias(tensors, outputs, has_bias)
    y = builder.dense(h, *torch_dense(weight, bias, where=state.where), name="lin")
    builder.output("y", y if skipped is None else builder.add(y, skipped))
    return builder.model()


def _required(layers, has_bias):
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    recurrent = [f"rec.{part}_l{layer}" for layer in range(layers) for part in parts]
    return [*recurrent, "lin.weight"] + ["lin.bias"] * has_bias


def _inputs(builder, inputs, outputs, skip):
    """The slot of the whole frame, and that of the inputs that are added to the outputs, or None."""
    count = skip.whole(0)
    if count == 0:
        return builder.vector("x", inputs), None
    if count != outputs or count > inputs:
        raise skip.error(f"is {count}; expected 0, or {outputs} like output_size, and no more than input_size")
    x = builder.vector("x", count)
    if count == inputs:
        return x, x
    return builder.concatenate([x, builder.vector("knobs", inputs - count)]), x


def _bias(tensors, outputs, has_bias):
    """The bias of the linear layer. Some files say that there is none when it is zero."""
    if "lin.bias" not in tensors:
        return None
    bias = tensors["lin.bias"].array(outputs)
    if not has_bias and bias.any():
        raise tensors["lin.bias"].error("is not zero; expected zeros, or none, where bias_fl is false")
    return bias
