"""GuitarML's models, against PyTorch's modules."""

import json

import numpy as np
import pytest
import source_models as source

from runnel import ExportError
from runnel.guitarml import export

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
RUN = {"LSTM": source.torch_lstm, "GRU": source.torch_gru, "RNN": source.torch_rnn}
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def amp(unit="LSTM", inputs=1, outputs=1, layers=2, size=5, skip=1, data=None, state=None):
    """What a file holds; None as a member of data or state takes that away."""
    random = np.random.default_rng(len(unit) + inputs)
    rows, tensors = GATES[unit] * size, {}
    for layer in range(layers):
        shapes = ((rows, size if layer else inputs), (rows, size), (rows,), (rows,))
        tensors |= {f"rec.{part}_l{layer}": source.weights(random, *shape) for part, shape in zip(PARTS, shapes)}
    tensors |= {"lin.weight": source.weights(random, outputs, size), "lin.bias": source.weights(random, outputs)}
    about = {
        "model": "SimpleRNN",
        "input_size": inputs,
        "skip": skip,
        "output_size": outputs,
        "unit_type": unit,
        "num_layers": layers,
        "hidden_size": size,
        "bias_fl": True,
    }
    return {
        "model_data": present(about | (data or {})),
        "state_dict": present({key: value.tolist() for key, value in tensors.items()} | (state or {})),
    }


def present(members):
    return {key: value for key, value in members.items() if value is not None}


def predictions(document, frames):
    data = document["model_data"]
    state = {key: np.array(value) for key, value in document["state_dict"].items()}
    h = frames
    for layer in range(data["num_layers"]):
        h = RUN[data["unit_type"]](h, *[state[f"rec.{part}_l{layer}"] for part in PARTS])
    y = h @ state["lin.weight"].T + state.get("lin.bias", 0)
    return y + frames[:, : data["skip"]] if data["skip"] else y


def write(folder, document):
    path = folder / "amp.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("unit", GATES)
@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"layers": 1, "skip": 0},
        {"inputs": 3},
        {"inputs": 3, "outputs": 2, "skip": 2},
        {"data": {"bias_fl": None}},
        {"data": {"bias_fl": False}, "state": {"lin.bias": None}},
        {"data": {"bias_fl": False}, "state": {"lin.bias": [0.0]}},
    ],
)
def test_export_computes_what_the_source_does(tmp_path, unit, sizes):
    document = amp(unit, **sizes)
    x = source.frames(np.random.default_rng(0), document["model_data"]["input_size"])
    assert source.deviation(export(write(tmp_path, document)), x, predictions(document, x)) < 1e-6


@pytest.mark.parametrize("unit", ["LSTM", "GRU"])
@pytest.mark.parametrize("broken", source.BROKEN)
def test_a_broken_export_is_noticed(tmp_path, unit, broken):
    document = amp(unit)
    x = source.frames(np.random.default_rng(0), 1)
    assert source.deviation(broken(export(write(tmp_path, document))), x, predictions(document, x)) > 1e-2


def test_a_skip_that_is_left_out_is_noticed(tmp_path):
    x = source.frames(np.random.default_rng(0), 1)
    assert source.deviation(export(write(tmp_path, amp(skip=0))), x, predictions(amp(), x)) > 1e-1


BIAS = amp()["state_dict"]["rec.bias_hh_l1"]
REFUSED = {
    "another model": (amp(data={"model": "RecNet"}), "model_data.model is 'RecNet'; expected 'SimpleRNN'"),
    "another unit": (amp(data={"unit_type": "QRNN"}), "unit_type is 'QRNN'; expected 'LSTM', 'GRU' or 'RNN'"),
    "no size": (amp(data={"hidden_size": None}), "model_data has no 'hidden_size'"),
    "a wrong size": (amp(data={"hidden_size": 4}), r"weight_ih_l0 has the shape \[20, 1\]; expected \[16, 1\]"),
    "an unknown member": (amp(data={"bidirectional": False}), "model_data has 'bidirectional', which is not known"),
    "an unknown part": (amp() | {"clip": 1}, "has 'clip', which is not known"),
    "a skip of more than the outputs": (amp(data={"skip": 2}), "skip is 2; expected 0, or 1 like output_size"),
    "a skip of more than the inputs": (amp(outputs=2, data={"skip": 2}), "skip is 2; expected 0, or 2 .* input_size"),
    "a missing tensor": (amp(state={"rec.bias_hh_l1": None}), "state_dict has no 'rec.bias_hh_l1'"),
    "an unused tensor": (amp(state={"rec.bias_hh_l2": BIAS}), "state_dict has 'rec.bias_hh_l2', which is not known"),
    "a missing bias": (amp(state={"lin.bias": None}), "state_dict has no 'lin.bias'"),
    "a bias where there is none": (amp(data={"bias_fl": False}), "state_dict.lin.bias is not zero; expected zeros"),
    "NaN": (amp(state={"lin.bias": [float("nan")]}), r"lin.bias is nan at \[0\]; expected a finite"),
    "rows of different lengths": (amp(state={"lin.weight": [[1.0], [1.0, 2.0]]}), "has lists of different lengths"),
    "a layer fewer than there are": (amp(data={"num_layers": 1}), "state_dict has 'rec.weight_ih_l1'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_place(tmp_path, case):
    document, text = REFUSED[case]
    with pytest.raises(ExportError, match=f"^amp.json.*{text}"):
        export(write(tmp_path, document))
