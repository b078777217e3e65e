"""Neural Amp Modeler's LSTM, against its own order of weights."""

import json

import numpy as np
import pytest
import source_models as source

from runnel import ExportError, Session
from runnel.nam import export


def amp(inputs=1, size=6, layers=2, outputs=1, **fields):
    """What a .nam file holds, as JSON; None as a field takes it away."""
    random = np.random.default_rng(inputs + layers)
    parts = []
    for width in [inputs] + [size] * (layers - 1):
        parts += [source.weights(random, count) for count in (4 * size * (width + size), 4 * size, size, size)]
    parts += [source.weights(random, outputs * size), source.weights(random, outputs)]
    config = {"input_size": inputs, "hidden_size": size, "num_layers": layers}
    document = {
        "version": "0.5.4",
        "metadata": {"name": "Loud", "loudness": -18.5},
        "architecture": "LSTM",
        "config": config if outputs == 1 else config | {"in_channels": inputs, "out_channels": outputs},
        "weights": np.concatenate(parts).tolist(),
        "sample_rate": 48000.0,
    } | fields
    return {key: value for key, value in document.items() if value is not None}


def predictions(document, x):
    """The model's results, from the flat list."""
    config, position = document["config"], 0
    flat = np.array(document["weights"])

    def take(*shape):
        nonlocal position
        position += int(np.prod(shape))
        return flat[position - int(np.prod(shape)) : position].reshape(shape)

    size, outputs = config["hidden_size"], config.get("out_channels", 1)
    for _ in range(config["num_layers"]):
        width = x.shape[1]
        w, b, h, c = take(4 * size, width + size), take(4 * size), take(size), take(size)
        x = source.torch_lstm(x, w[:, :width], w[:, width:], b, h=h, c=c)
    weight = take(outputs, size)
    return x @ weight.T + take(outputs)


def write(folder, document):
    path = folder / "amp.nam"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("sizes", [{}, {"layers": 1, "size": 1}, {"inputs": 3, "layers": 3}, {"outputs": 2}])
def test_export_computes_what_the_source_does(tmp_path, sizes):
    document = amp(**sizes)
    x = source.frames(np.random.default_rng(0), document["config"]["input_size"])
    assert source.deviation(export(write(tmp_path, document)), x, predictions(document, x)) < 1e-6


@pytest.mark.parametrize("broken", source.BROKEN)
def test_a_broken_export_is_noticed(tmp_path, broken):
    document = amp()
    x = source.frames(np.random.default_rng(0), 1)
    assert source.deviation(broken(export(write(tmp_path, document))), x, predictions(document, x)) > 1e-2


def test_streams_start_from_the_stored_states(tmp_path):
    document = amp()
    model = export(write(tmp_path, document))
    assert [state.initial is None for state in model.states] == [False] * 4
    first_hidden = np.array(document["weights"])[4 * 6 * (1 + 6) + 4 * 6 :][:6]
    assert np.array_equal(Session(model).states[0], first_hidden)


def test_metadata(tmp_path):
    assert export(write(tmp_path, amp())).metadata == {"name": ("Loud",), "frameRate": ("48000",)}
    assert export(write(tmp_path, amp(sample_rate=44100.5, metadata=None))).metadata == {"frameRate": ("44100.5",)}
    without = amp() | {"sample_rate": None, "metadata": {"name": None}}
    assert export(write(tmp_path, without)).metadata == {}


def config(**fields):
    return amp()["config"] | fields


NUMBERS = amp()["weights"]
REFUSED = {
    "another architecture": (amp(architecture="WaveNet"), "architecture is 'WaveNet'; expected 'LSTM'"),
    "no architecture": (amp(architecture=None), "has no 'architecture'"),
    "another version": (amp(version="0.4.9"), "version is '0.4.9'; expected 0.5.0 to 0.7.x"),
    "an unknown field": (amp(gain=2), "has 'gain', which is not known"),
    "an unknown field of the configuration": (amp(config=config(bidirectional=True)), "config has 'bidirectional'"),
    "no layers": (amp(config=config(num_layers=0)), "config.num_layers is 0; expected a whole number from 1"),
    "a size that is text": (amp(config=config(hidden_size="6")), "config.hidden_size is '6'; expected a whole"),
    "a size that is true": (amp(config=config(input_size=True)), "config.input_size is true; expected a whole"),
    "other channels than inputs": (amp(config=config(in_channels=2)), "config.in_channels is 2; expected 1"),
    "a weight too few": (amp(weights=NUMBERS[:-1]), "weights has 534 numbers; expected 535"),
    "a weight too many": (amp(weights=NUMBERS + [0.0]), "weights has 536 numbers; expected 535"),
    "NaN": (amp(weights=NUMBERS[:7] + [float("nan")] + NUMBERS[8:]), r"weights is nan at \[7\]; expected a finite"),
    "a weight that is text": (amp(weights=NUMBERS[:-1] + ["0"]), "weights is not made of numbers alone"),
    "weights within weights": (amp(weights=[NUMBERS]), r"weights has the shape \[1, 535\]; expected \[any\]"),
    "a rate of zero": (amp(sample_rate=0), "sample_rate is 0.0; expected a number above zero"),
    "a name that is a number": (amp(metadata={"name": 3}), "metadata.name is 3; expected a string"),
    "a list": ([amp()], "is a list; expected an object"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_place(tmp_path, case):
    document, text = REFUSED[case]
    with pytest.raises(ExportError, match=f"^amp.nam.*{text}"):
        export(write(tmp_path, document))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ('{"version": "0.5.4", "version": "0.5.2"}', "'version' is there twice"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_text_that_is_not_json_is_refused(tmp_path, text, message):
    path = tmp_path / "amp.nam"
    path.write_text(text)
    with pytest.raises(ExportError, match=message):
        export(path)


def test_a_file_that_is_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("runnel.json_source.MAX_BYTES", 100)
    with pytest.raises(ExportError, match="is longer than 100 bytes"):
        export(write(tmp_path, amp()))
