"""Models of safetensors: the file format, and PyTorch's layers by an architecture beside it."""

import json

import numpy as np
import pytest
import source_models as source

from runnel import ExportError
from runnel.safetensors import export, read

PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
GATES = {"lstm": 4, "gru": 3, "gruResetBefore": 3, "rnn": 1}
RUN = {
    "lstm": source.torch_lstm,
    "gru": source.torch_gru,
    "gruResetBefore": source.gru_reset_before,
    "rnn": source.torch_rnn,
}
DTYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "int32": "I32", "bool": "BOOL", "uint8": "U8"}


def packed(tensors):
    """The header and the data of a file."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, values in tensors.items():
        start, data = len(data), data + values.tobytes()
        header[name] = entry(DTYPES[values.dtype.name], list(values.shape), start, len(data))
    return header, data


def entry(dtype, shape, *offsets):
    return {"dtype": dtype, "shape": shape, "data_offsets": list(offsets)}


def write_bytes(folder, header, data):
    path = folder / "net.safetensors"
    header = header if isinstance(header, bytes) else json.dumps(header).encode() + b"   "
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)
    return path


def write(folder, tensors, architecture):
    path = folder / "net.json"
    path.write_text(json.dumps(architecture))
    return write_bytes(folder, *packed(tensors)), path


# The format


def test_tensors_are_read(tmp_path):
    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "scalar": np.array(2.5),
        "half": np.array([0.5, -2], np.float16),
        "empty": np.zeros((0, 4), np.int32),
        "flags": np.array([True, False, True]),
    }
    found = read(write_bytes(tmp_path, *packed(tensors)))
    assert found.keys() == tensors.keys()
    for name, values in tensors.items():
        assert found[name].dtype == values.dtype and np.array_equal(found[name], values)
        assert found[name].shape == values.shape


def test_bfloat16_becomes_float32(tmp_path):
    bits = np.array([0x3F80, 0xC020, 0x0000], "<u2")
    found = read(write_bytes(tmp_path, {"x": entry("BF16", [3], 0, 6)}, bits.tobytes()))["x"]
    assert found.dtype == np.float32 and np.array_equal(found, [1, -2.5, 0])


def test_a_file_without_tensors_is_read(tmp_path):
    assert read(write_bytes(tmp_path, {}, b"")) == {}


EIGHT = bytes(8)
MALFORMED = {
    "no object": (b"[]", b"", r"the header starts with b'\['"),
    "a space before it": (b" {}", b"", "the header starts with"),
    "a header that is not JSON": (b'{"x": }', b"", "header is not JSON"),
    "a header that is not UTF-8": (b'{"\xff": 1}', b"", "header is not JSON"),
    "a tensor that is there twice": (
        b'{"x": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}, "x": 1}',
        bytes(4),
        "'x' is there twice",
    ),
    "metadata that are not text": ({"__metadata__": {"step": 3}}, b"", "__metadata__.step is 3; expected a string"),
    "an entry without offsets": ({"x": {"dtype": "F32", "shape": [1]}}, EIGHT, "x has no 'data_offsets'"),
    "an unknown member": ({"x": entry("F32", [2], 0, 8) | {"strides": [1]}}, EIGHT, "x has 'strides'"),
    "an unknown type": ({"x": entry("F8_E4M3", [8], 0, 8)}, EIGHT, "x.dtype is 'F8_E4M3'; expected 'BOOL'"),
    "a negative size": ({"x": entry("F32", [-2], 0, 8)}, EIGHT, r"x.shape\[0\] is -2; expected a whole number"),
    "a size that is not whole": ({"x": entry("F32", [2.0], 0, 8)}, EIGHT, r"x.shape\[0\] is 2.0; expected a whole"),
    "too many dimensions": ({"x": entry("F32", [1] * 17, 0, 4)}, bytes(4), "shape is .* expected up to 16 dimensions"),
    "too many elements": ({"x": entry("F32", [0] + [1 << 40] * 2, 0, 0)}, b"", "x.shape is .* elements"),
    "fewer bytes than the shape has": ({"x": entry("F32", [3], 0, 8)}, EIGHT, "two, with 12 bytes between them"),
    "one offset": ({"x": entry("F32", [2], 8)}, EIGHT, r"x.data_offsets is \[8\]; expected two"),
    "offsets that go back": ({"x": entry("F32", [0], 8, 4)}, EIGHT, r"x.data_offsets is \[8, 4\]"),
    "an offset before the data": ({"x": entry("F32", [2], -8, 0)}, EIGHT, r"data_offsets\[0\] is -8; expected a whole"),
    "an offset after the data": (
        {"x": entry("F32", [2], 4, 12)},
        EIGHT,
        r"data_offsets\[1\] is 12; expected a whole number from 0 to 8",
    ),
    "tensors that overlap": (
        {"x": entry("U8", [5], 0, 5), "y": entry("U8", [4], 4, 8)},
        EIGHT,
        "the data of 'y' start at 4; expected 5, without overlap or gap",
    ),
    "a gap between tensors": (
        {"x": entry("U8", [3], 0, 3), "y": entry("U8", [4], 4, 8)},
        EIGHT,
        "the data of 'y' start at 4; expected 3, without overlap or gap",
    ),
    "data of no tensor": ({"x": entry("U8", [7], 0, 7)}, EIGHT, "has 8 bytes of data; expected 7"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files_are_refused(tmp_path, case):
    header, data, text = MALFORMED[case]
    with pytest.raises(ExportError, match=f"^net.safetensors.*{text}"):
        read(write_bytes(tmp_path, header, data))


@pytest.mark.parametrize("content", [b"", bytes(7), bytes(8), b"\x09" + bytes(7) + b"{}      ", b"\xff" * 8 + b"{}"])
def test_files_shorter_than_their_header_are_refused(tmp_path, content):
    path = tmp_path / "net.safetensors"
    path.write_bytes(content)
    with pytest.raises(ExportError, match="^net.safetensors has .* bytes and a header of"):
        read(path)


# Models


def recurrent(kind, prefix, inputs, size, layers=1, bias=True, dtype=np.float32):
    random = np.random.default_rng(size + inputs)
    rows, tensors = GATES[kind] * size, {}
    for layer in range(layers):
        shapes = [(rows, size if layer else inputs), (rows, size)] + [(rows,)] * (2 * bias)
        for part, shape in zip(PARTS, shapes):
            tensors[f"{prefix}{part}_l{layer}"] = source.weights(random, *shape).astype(dtype)
    return tensors


def dense(prefix, inputs, size):
    random = np.random.default_rng(size)
    return {f"{prefix}weight": source.weights(random, size, inputs), f"{prefix}bias": source.weights(random, size)}


def run(kind, tensors, prefix, x, layers=1, **options):
    for layer in range(layers):
        arrays = [tensors.get(f"{prefix}{part}_l{layer}", np.zeros(1)) for part in PARTS]
        x = RUN[kind](x, *[array.astype(np.float64) for array in arrays], **options)
    return x


def linear(tensors, prefix, x):
    return x @ tensors[f"{prefix}weight"].T + tensors.get(f"{prefix}bias", 0)


def network(kind="lstm", **fields):
    """Two recurrent layers and a dense one: tensors and architecture."""
    tensors = recurrent(kind, "encoder.rec.", 3, 5, layers=2) | dense("head.", 5, 2)
    layers = [{"kind": kind, "weights": "encoder.rec", "size": 5, "layers": 2}, {"kind": "dense", "weights": "head"}]
    return tensors, {"input": {"name": "features", "size": 3}, "layers": layers} | fields


@pytest.mark.parametrize("kind", GATES)
def test_export_computes_what_the_source_does(tmp_path, kind):
    tensors, architecture = network(kind)
    model = export(*write(tmp_path, tensors, architecture))
    x = source.frames(np.random.default_rng(0), 3)
    expected = linear(tensors, "head.", run(kind, tensors, "encoder.rec.", x, layers=2))
    assert source.deviation(model, x, expected) < 1e-6
    assert model.programs[0].inputs[0].name == "features"


@pytest.mark.parametrize("kind", ["lstm", "gru", "gruResetBefore"])
@pytest.mark.parametrize("broken", source.BROKEN)
def test_a_broken_export_is_noticed(tmp_path, kind, broken):
    tensors, architecture = network(kind)
    x = source.frames(np.random.default_rng(0), 3)
    expected = linear(tensors, "head.", run(kind, tensors, "encoder.rec.", x, layers=2))
    assert source.deviation(broken(export(*write(tmp_path, tensors, architecture))), x, expected) > 1e-2


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_layers_without_biases_and_prefix_of_other_types(tmp_path, kind, dtype):
    tensors = recurrent(kind, "", 2, 4, bias=False, dtype=dtype)
    layers = [{"kind": kind, "weights": "", "size": 4, "bias": False}]
    model = export(*write(tmp_path, tensors, {"input": {"size": 2}, "layers": layers}))
    x = source.frames(np.random.default_rng(0), 2)
    assert source.deviation(model, x, run(kind, tensors, "", x)) < 1e-6


def test_an_rnn_with_relu(tmp_path):
    tensors = {name: values / 2 for name, values in recurrent("rnn", "rnn.", 2, 4).items()}
    layers = [{"kind": "rnn", "weights": "rnn", "size": 4, "nonlinearity": "relu"}]
    model = export(*write(tmp_path, tensors, {"input": {"size": 2}, "layers": layers}))
    x = source.frames(np.random.default_rng(0), 2)
    expected = run("rnn", tensors, "rnn.", x, function=lambda value: np.maximum(value, 0))
    assert source.deviation(model, x, expected) < 1e-6


def test_embedding_and_activations(tmp_path):
    random = np.random.default_rng(3)
    tensors = {"table.weight": source.weights(random, 7, 4), "head.weight": source.weights(random, 3, 4)}
    tensors |= recurrent("gru", "gru.", 4, 4)
    layers = [
        {"kind": "embedding", "weights": "table"},
        {"kind": "tanh"},
        {"kind": "gru", "weights": "gru", "size": 4},
        {"kind": "relu"},
        {"kind": "sigmoid"},
        {"kind": "dense", "weights": "head", "bias": False},
        {"kind": "softmax"},
    ]
    model = export(*write(tmp_path, tensors, {"input": {"index": 7}, "layers": layers}))
    x = random.integers(7, size=(source.COUNT, 1))
    h = run("gru", tensors, "gru.", np.tanh(tensors["table.weight"][x[:, 0]]))
    expected = source.softmax(linear(tensors, "head.", source.sigmoid(np.maximum(h, 0))))
    assert source.deviation(model, x, expected) < 1e-6


def case(text, tensors=None, architecture=None):
    """The network with other tensors, None taking one away, or with other parts of the architecture."""
    all_tensors, all_parts = network()
    merged = all_tensors | (tensors or {})
    present = {name: values for name, values in merged.items() if values is not None}
    return present, all_parts | (architecture or {}), text


def only(layer, **parts):
    return {"layers": [layer], **parts}


LSTM, DENSE = network()[1]["layers"]
FORGOTTEN = np.array([[np.nan] * 5, [0] * 5], np.float32)
REFUSED = {
    "a missing tensor": case(r"net.safetensors has no tensor 'head.bias'; .* \[2\]", {"head.bias": None}),
    "an unused tensor": case("no layer uses: other; expected none", {"other": np.zeros(1)}),
    "the other direction": case(
        "no layer uses: encoder.rec.weight_ih_l0_reverse", {"encoder.rec.weight_ih_l0_reverse": np.zeros((20, 3))}
    ),
    "a tensor of another shape": case(
        r"'head.weight' has the shape \[2, 4\]; expected \[any, 5\]", {"head.weight": np.zeros((2, 4))}
    ),
    "integers": case("'head.bias' holds int32; expected floating-point", {"head.bias": np.zeros(2, np.int32)}),
    "NaN": case(r"'head.weight' is nan at \[0, 0\]; expected a finite", {"head.weight": FORGOTTEN}),
    "another size": case(r"weight_ih_l0' has the shape \[20, 3\]; expected \[16, 3\]", None, only(LSTM | {"size": 4})),
    "fewer layers": case("no layer uses: encoder.rec.bias_hh_l1", None, {"layers": [LSTM | {"layers": 1}, DENSE]}),
    "biases that are left out": case("no layer uses: encoder.rec.bias_hh_l0", None, only(LSTM | {"bias": False})),
    "an unknown kind": case(r"net.json: layers\[0\].kind is 'conv'; expected 'lstm'", None, only({"kind": "conv"})),
    "a layer without kind": case(r"layers\[0\] has no 'kind'", None, only({"weights": "head"})),
    "an unknown key": case(r"layers\[0\] has 'dropout', which is not known", None, only(LSTM | {"dropout": 0.5})),
    "a nonlinearity of an LSTM": case(r"has 'nonlinearity', which is not", None, only(LSTM | {"nonlinearity": "relu"})),
    "another nonlinearity": case(
        "nonlinearity is 'elu'; expected 'tanh' or 'relu'", None, only(LSTM | {"kind": "rnn", "nonlinearity": "elu"})
    ),
    "weights of an activation": case(r"layers\[0\] has 'weights'", None, only({"kind": "tanh", "weights": "head"})),
    "a size that is text": case(r"layers\[0\].size is '5'; expected a whole", None, only(LSTM | {"size": "5"})),
    "a bias that is a number": case("bias is 1; expected true or false", None, only(LSTM | {"bias": 1})),
    "no layers": case("layers is empty; expected at least one", None, {"layers": []}),
    "an unknown part": case("has 'outputs', which is not known", None, {"outputs": 1}),
    "no input": case("input has both 'size' and 'index', or neither", None, {"input": {}}),
    "two inputs": case("input has both 'size' and 'index', or neither", None, {"input": {"size": 1, "index": 1}}),
    "a dense layer after an index": case("expected an embedding for an index", None, only(DENSE, input={"index": 5})),
    "an embedding of a vector": case("expected an embedding for", None, only({"kind": "embedding", "weights": "head"})),
    "a table of another size": case(
        r"'head.weight' has the shape \[2, 5\]; expected \[3, any\]",
        None,
        only({"kind": "embedding", "weights": "head"}, input={"index": 3}),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_place(tmp_path, name):
    tensors, architecture, text = REFUSED[name]
    with pytest.raises(ExportError, match=text):
        export(*write(tmp_path, tensors, architecture))
