"""Models of Neural Amp Modeler (.nam) with the architecture LSTM.

The file is JSON. Its `weights` are one list: for each layer W [4H, I + H], the weights of the input and of the hidden
state side by side, b [4H], and the h [H] and c [H] that a stream starts from, gates i f g o; then the weight [O, H]
and the bias [O] of the head.
"""

from .builder import Builder
from .json_source import read_json
from .layouts import torch_dense, torch_lstm

_VERSIONS = ("0.5.", "0.6.", "0.7.")
_MAX_LAYERS = 256


def export(path):
    """The model of a .nam file, whose states start as the file says."""
    root = read_json(path)
    fields = root.fields(["version", "architecture", "config", "weights"], ["sample_rate", "metadata"])
    if not fields["version"].text().startswith(_VERSIONS):
        raise fields["version"].error(f"is {fields['version'].value!r}; expected 0.5.0 to 0.7.x")
    fields["architecture"].choice("LSTM")
    config = fields["config"].fields(["input_size", "hidden_size", "num_layers"], ["in_channels", "out_channels"])
    inputs, size = config["input_size"].whole(), config["hidden_size"].whole()
    layers = config["num_layers"].whole(1, _MAX_LAYERS)
    outputs = config["out_channels"].whole() if "out_channels" in config else 1
    if "in_channels" in config and config["in_channels"].whole() != inputs:
        raise config["in_channels"].error(f"is {config['in_channels'].value}; expected {inputs} like input_size")

    weights = _Weights(fields["weights"], _count(inputs, size, layers, outputs))
    builder = Builder()
    slot = builder.vector("x", inputs)
    for layer in range(layers):
        matrix = weights.take(4 * size, slot.size + size)
        parts = torch_lstm(matrix[:, : slot.size], matrix[:, slot.size :], weights.take(4 * size), where=weights.where)
        slot = builder.lstm(slot, *parts, name=f"lstm{layer}", hidden=weights.take(size), cell=weights.take(size))
    head = torch_dense(weights.take(outputs, size), weights.take(outputs), where=weights.where)
    builder.output("y", builder.dense(slot, *head, name="head"))
    return builder.model(_metadata(fields))


class _Weights:
    """The list of weights, taken from its start."""

    def __init__(self, node, count):
        self.where = node.where
        self._values, self._next = node.array(None), 0
        if len(self._values) != count:
            raise node.error(f"has {len(self._values)} numbers; expected {count} for the sizes in config")

    def take(self, rows, columns=None):
        """The next numbers: a vector, or a matrix row by row."""
        start, self._next = self._next, self._next + rows * (columns or 1)
        values = self._values[start : self._next]
        return values if columns is None else values.reshape(rows, columns)


def _count(inputs, size, layers, outputs):
    columns = [inputs + size] + [2 * size] * (layers - 1)
    return sum(4 * size * (count + 1) + 2 * size for count in columns) + outputs * (size + 1)


def _metadata(fields):
    """The name of the model and the rate of its frames, where the file says them."""
    metadata = {}
    if "metadata" in fields and fields["metadata"].value is not None:
        about = fields["metadata"].members()
        if "name" in about and about["name"].value is not None:
            metadata["name"] = (about["name"].text(),)
    if "sample_rate" in fields and fields["sample_rate"].value is not None:
        metadata["frameRate"] = (fields["sample_rate"].rate(),)
    return metadata
