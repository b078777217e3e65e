"""The network of a file that holds weights alone: what a small JSON file says of it.

    {
      "input": {"name": "x", "size": 40},
      "layers": [
        {"kind": "lstm", "weights": "encoder.lstm", "size": 64, "layers": 2, "bias": true},
        {"kind": "dense", "weights": "head"},
        {"kind": "softmax"}
      ]
    }

The input is `{"size": N}`, a vector, or `{"index": N}`, an index below N that an embedding must follow; `name` is "x"
unless said. The layers follow each other, and the result of the last one is the output "y". Their kinds:

- `lstm`, `gru`, `rnn`, and `gruResetBefore`, a GRU in the same layout that resets before the product. `size` is that
  of the hidden state, `layers` is 1 unless said, `bias` true. `rnn` may have `nonlinearity`, "tanh" unless said, or
  "relu". Tensors: `<weights>.weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then `_l1` and so on.
- `dense`: `bias` is true unless said. Tensors: `<weights>.weight` [O, I], `<weights>.bias` [O].
- `embedding`, only the first layer: `<weights>.weight` [N, O].
- `tanh`, `relu`, `sigmoid`, `softmax`.

With `weights` "" the tensors have no prefix. All tensors of the file must be used.
"""

from pathlib import Path

from .builder import Builder
from .errors import ExportError
from .json_source import read_json
from .layouts import shaped, torch_dense
from .model import INDEX
from .torch_layers import KINDS, add_recurrent

_MAX_LAYERS = 256
_ACTIVATIONS = {"tanh": Builder.tanh, "relu": Builder.relu, "sigmoid": Builder.sigmoid, "softmax": Builder.softmax}


def described(tensors, file, architecture_path):
    """The model that an architecture, a JSON file as above, makes of weights. States start from zeros.

    tensors: arrays by their names in PyTorch; file: the name of their file, for errors.
    """
    tensors = _Tensors(tensors, Path(file).name)
    fields = read_json(architecture_path).fields(["input", "layers"])
    builder = Builder()
    slot = _input(builder, fields["input"])
    layers = fields["layers"].items()
    if not layers:
        raise fields["layers"].error("is empty; expected at least one layer")
    for layer in layers:
        kind = layer.member("kind").choice(*_LAYERS)
        if (slot.kind == INDEX) != (kind == "embedding"):
            raise layer.error(f"is of the kind {kind!r}; expected an embedding for an index, and for nothing else")
        slot = _LAYERS[kind](builder, slot, layer, tensors)
    tensors.require_all_used()
    builder.output("y", slot)
    return builder.model()


class _Tensors:
    """The tensors of a file, and which of them have been taken."""

    def __init__(self, tensors, file):
        self.file = file
        self._tensors, self._taken = tensors, set()

    def take(self, name, shape):
        """The tensor, which has the shape and holds floating-point numbers."""
        if name not in self._tensors:
            raise ExportError(f"{self.file} has no tensor {name!r}; expected it, with the shape {list(shape)}")
        values = self._tensors[name]
        if values.dtype.kind != "f":
            raise ExportError(f"{self.file}: {name!r} holds {values.dtype}; expected floating-point numbers")
        self._taken.add(name)
        return shaped(values, shape, f"{self.file}: {name!r}")

    def require_all_used(self):
        unused = sorted(set(self._tensors) - self._taken)
        if unused:
            raise ExportError(f"{self.file} has tensors that no layer uses: {', '.join(unused)}; expected none")


def _input(builder, node):
    fields = node.fields([], ["name", "size", "index"])
    if ("size" in fields) == ("index" in fields):
        raise node.error("has both 'size' and 'index', or neither; expected one of them")
    name = fields["name"].text() if "name" in fields else "x"
    if "index" in fields:
        return builder.index(name, fields["index"].whole())
    return builder.vector(name, fields["size"].whole())


def _recurrent(builder, x, layer, tensors):
    kind = layer.member("kind").value
    fields = layer.fields(["kind", "weights", "size"], ["layers", "bias"] + ["nonlinearity"] * (kind == "rnn"))
    name, prefix = _names(fields)
    nonlinearity = {"activation": fields["nonlinearity"].choice("tanh", "relu")} if "nonlinearity" in fields else {}
    return add_recurrent(
        builder,
        kind,
        x,
        lambda key, shape: tensors.take(prefix + key, shape),
        size=fields["size"].whole(),
        layers=fields["layers"].whole(1, _MAX_LAYERS) if "layers" in fields else 1,
        bias=_has_bias(fields),
        name=name,
        where=tensors.file,
        **nonlinearity,
    )


def _dense(builder, x, layer, tensors):
    fields = layer.fields(["kind", "weights"], ["bias"])
    name, prefix = _names(fields)
    weight = tensors.take(f"{prefix}weight", (None, x.size))
    bias = tensors.take(f"{prefix}bias", (len(weight),)) if _has_bias(fields) else None
    return builder.dense(x, *torch_dense(weight, bias, where=tensors.file), name=name)


def _embedding(builder, index, layer, tensors):
    name, prefix = _names(layer.fields(["kind", "weights"]))
    return builder.embedding(index, tensors.take(f"{prefix}weight", (index.size, None)), name=name)


def _activation(builder, x, layer, tensors):
    return _ACTIVATIONS[layer.fields(["kind"])["kind"].value](builder, x)


_LAYERS = {
    **dict.fromkeys(KINDS, _recurrent),
    "dense": _dense,
    "embedding": _embedding,
    **dict.fromkeys(_ACTIVATIONS, _activation),
}


def _names(fields):
    """The name of a layer's weights, and what stands before those of its tensors."""
    name = fields["weights"].text()
    return name or fields["kind"].value, f"{name}." if name else ""


def _has_bias(fields):
    return "bias" not in fields or fields["bias"].flag()
