"""Files: written and read again, and exchanged with the command-line tool."""

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import PAGE, REPOSITORY
from random_models import (
    CELLS,
    cell,
    everything,
    random_frames,
    stored_as,
    with_golden,
    with_operations,
)

import runnel
from runnel.format import decode, encode, layout
from runnel.operations import NUMBERS, RULES

COMMITTED = sorted(REPOSITORY.glob("models/*/*.runnel"))

# Types of weights, and the bits of vectors with int8.
TYPES = [("f32", 16), ("f16", 16), ("bf16", 16), ("int8", 16), ("int8", 8)]

# The tool computes in single precision, which is worth less than this in a prediction.
PRECISION = 1e-5
# How far a single prediction of a stream may be from the reference. With the smaller types, an element of a vector
# that lies almost halfway between two roundings may become the other one in the tool, and is then a step away: 2^-7 of
# itself or less, 1/32767, or 1/127 of the largest element. Such a step is multiplied with weights, mostly below 0.5,
# and fades out in the frames behind it. Most frames have none, so that their deviations are below PRECISION.
BOUNDS = {
    ("f32", 16): PRECISION,
    ("f16", 16): PRECISION,
    ("bf16", 16): 1 / 256,
    ("int8", 16): 1 / 32767 + PRECISION,
    ("int8", 8): 1 / 127,
}


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_model_is_written_as_it_was_read(path, tmp_path):
    runnel.write(runnel.read(path), tmp_path / "again.runnel")
    assert (tmp_path / "again.runnel").read_bytes() == path.read_bytes()


def test_models_are_committed():
    assert len(COMMITTED) >= 5


def page_example():
    """The bytes of the hex dump in Format.md; a line with * stands for lines of zeros like the one before."""
    dump = re.search(r"^```\n(00000000  .*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)[1]
    data = bytearray()
    for place, numbers in re.findall(r"^([0-9a-f]{8})(?:  (.*?)  \|.*\|)?$", dump, re.MULTILINE):
        data += data[-16:] * ((int(place, 16) - len(data)) // 16)
        data += bytes.fromhex(numbers)
    return bytes(data)


def test_the_example_of_the_page():
    data = page_example()
    model = decode(data)
    assert encode(model) == data
    assert model.metadata == {"name": ("tiny",)}
    assert [float(tensor.data.item()) for tensor in model.tensors] == [0.5, 0.25, 0]
    assert runnel.Session(model).step([1]) == pytest.approx([np.tanh(0.5)], abs=1e-15)
    # The model of the page, built from nothing, is the same file but for its names.
    builder = runnel.Builder()
    builder.output("y", builder.rnn(builder.vector("x", 1), [[0.5]], [[0.25]], [0]))
    built = builder.model({"name": ("tiny",)}, model.tolerance, model.golden)
    tensors = tuple(replace(tensor, name=name) for tensor, name in zip(built.tensors, "WRb"))
    assert encode(replace(built, tensors=tensors, states=(replace(built.states[0], name="h"),))) == data


def page_rows(columns):
    """The rows of a table of the page, which starts with a code and a name and has so many columns."""
    lines = re.findall(r"^\| (\d+ \| `\w+` \|.*) \|$", PAGE.read_text(), re.MULTILINE)
    rows = [[cell.strip(" `") for cell in line.split("|")] for line in lines]
    return [row for row in rows if len(row) == columns]


def test_operations_are_those_of_the_page():
    found = {}
    for code, name, operands, tensors, states, _ in page_rows(6):
        count = None if operands == "one or more" else len(operands.split(",")) if operands else 0
        found[name] = (int(code), count, tensors.count("["), states.count("["))
    rules = {name: (rule.code, rule.operands, rule.tensors, rule.states) for name, rule in RULES.items()}
    assert rules == found


def test_attributes_are_those_of_the_page():
    rows = page_rows(5)
    takers = {name: [int(code) for code in codes.split(", ")] for _, name, _, _, codes in rows}
    assert {name: int(code) for code, name, *_ in rows if name in NUMBERS} == layout.ATTRIBUTE_NUMBERS
    assert takers == {
        "accuracy": [rule.code for rule in RULES.values() if rule.has_activations],
        "inputBits": [rule.code for rule in RULES.values() if rule.matrices],
        **{name: [rule.code for rule in RULES.values() if name in rule.numbers] for name in NUMBERS},
    }


def test_the_model_of_everything_has_every_operation():
    found = {operation.name for program in everything(1).programs for operation in program.operations}
    assert found == set(RULES)


def test_the_order_of_metadata_does_not_matter():
    model = everything(1)
    turned = replace(model, metadata=dict(reversed(model.metadata.items())))
    assert list(turned.metadata) != list(model.metadata)
    assert encode(turned) == encode(model)


@pytest.mark.parametrize("kind, bits", TYPES)
@pytest.mark.parametrize("accuracy", ["exact", "fast"])
def test_a_model_is_read_as_it_was_written(kind, bits, accuracy):
    model = stored_as(everything(2), kind, bits)
    model = with_operations(
        model,
        lambda operation: replace(operation, accuracy=accuracy if RULES[operation.name].has_activations else "exact"),
    )
    model = with_golden(model, [(0, True, 3), (1, False, 2), (2, False, 4), (3, False, 2)], 1e-5)
    found = decode(encode(model))
    assert (found.states, found.programs, found.metadata) == (model.states, model.programs, model.metadata)
    assert found.tolerance == np.float32(1e-5)
    for tensor, original in zip(found.tensors, model.tensors, strict=True):
        assert (tensor.name, tensor.type, tensor.shape) == (original.name, original.type, original.shape)
        assert tensor.data.tobytes() == original.data.tobytes()
        assert (tensor.scales is None) == (original.scales is None)
        assert tensor.scales is None or tensor.scales.tobytes() == original.scales.tobytes()
    for run, original in zip(found.golden, model.golden, strict=True):
        assert (run.program, run.resets) == (original.program, original.resets)
        assert (run.frames == original.frames).all() and (run.predictions == original.predictions).all()


@pytest.mark.parametrize("kind, bits", TYPES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_tool_accepts_every_operation(kind, bits, seed, tmp_path, run_tool):
    model = stored_as(everything(seed), kind, bits)
    runs = [(0, True, 20), (1, False, 20), (0, False, 20), (1, True, 1), (2, False, 20), (3, False, 20)]
    model = with_golden(model, runs, BOUNDS[kind, bits], seed)
    path = tmp_path / "everything.runnel"
    runnel.write(model, path)
    info = json.loads(run_tool("info", "--json", path).stdout)
    shown = [[operation["code"] for operation in program["operations"]] for program in info["programs"]]
    assert shown == [[operation.name for operation in program.operations] for program in model.programs]
    assert (info["goldenFrames"], info["metadata"]) == (101, {key: list(all) for key, all in model.metadata.items()})
    verified = run_tool("verify", path)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_tool_notices_a_golden_prediction_that_is_wrong(tmp_path, run_tool):
    model = with_golden(everything(1), [(0, True, 5)], 1e-5)
    model.golden[0].predictions[3, 2] += 0.001
    runnel.write(model, tmp_path / "wrong.runnel")
    assert run_tool("verify", tmp_path / "wrong.runnel").returncode == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fast_activations_are_within_what_the_page_says(seed, tmp_path, run_tool):
    model = with_operations(
        everything(seed),
        lambda operation: replace(operation, accuracy="fast" if RULES[operation.name].has_activations else "exact"),
    )
    # 5e-5 each, of which a few follow upon each other.
    runnel.write(with_golden(model, [(0, True, 20), (1, False, 20)], 5e-4, seed), tmp_path / "fast.runnel")
    verified = json.loads(run_tool("verify", "--json", tmp_path / "fast.runnel").stdout)
    assert verified["ok"], verified
    assert verified["maxDeviation"] > 2e-6, "the tool did not see the attribute"


# One step from the states that a reset gives: the vectors of the products are the same numbers here and there, and so
# are their roundings. What is left is the error of sums in single precision.


def one_layer(kind, seed):
    random = np.random.default_rng(seed)
    builder = runnel.Builder()
    x = builder.vector("x", 5)
    if kind == "dense":
        builder.output("y", builder.dense(x, random.uniform(-0.5, 0.5, (9, 5)), random.uniform(-0.5, 0.5, 9)))
    elif kind == "convolution":
        # Windows of other largest elements, so that each is rounded in its own way.
        builder.output("y", builder.convolution(x, random.uniform(-0.5, 0.5, (4, 2)), random.uniform(-0.5, 0.5, 4)))
    else:
        # Beyond 1, so that 1 is not the bound of what is rounded.
        initial = {"hidden": random.uniform(-2, 2, 9)} | ({"cell": random.uniform(-2, 2, 9)} if kind == "lstm" else {})
        builder.output("y", cell(builder, kind, x, 9, random, **initial))
    return builder.model()


def unbounded(model):
    """The model with a second program that changes the hidden state in a way that has no bound."""
    state, size = model.programs[0].operations[0].states[0], model.states[0].size
    tensors = [np.eye(size, 1), np.eye(size), np.zeros(size)]
    tensors = tuple(runnel.Tensor.of(name, values) for name, values in zip("WRb", tensors))
    start = len(model.tensors)
    change = runnel.Operation("rnnReLU", (0,), (start, start + 1, start + 2), (state,))
    program = runnel.Program("change", (runnel.Input("x", "vector", 1),), (change,), (runnel.Output("h", 1),))
    return replace(model, programs=(*model.programs, program), tensors=model.tensors + tensors)


def step_deviation(model, run_tool, tmp_path, allowed):
    model = with_golden(model, [(0, True, 1)] * 30, allowed)
    runnel.write(model, tmp_path / "steps.runnel")
    return json.loads(run_tool("verify", "--json", tmp_path / "steps.runnel").stdout)["maxDeviation"]


@pytest.mark.parametrize("kind, bits", TYPES)
@pytest.mark.parametrize("layer", [*CELLS, "dense", "convolution"])
def test_a_step_is_that_of_the_reference(layer, kind, bits, tmp_path, run_tool, monkeypatch):
    allowed = 1e-6
    if layer == "gruResetBefore":
        # Its vector r h is a result of the step, up to 2, and may be rounded the other way; weights are below 0.5.
        allowed += {"bf16": 1 / 256, "int8": 1 / (32767 if bits == 16 else 127)}.get(kind, 0)
    model = stored_as(one_layer(layer, 1), kind, bits)
    assert step_deviation(model, run_tool, tmp_path, 1e-6) <= allowed
    if layer not in ("dense", "convolution", "rnnReLU", "lstm"):
        assert step_deviation(unbounded(model), run_tool, tmp_path, 1e-6) <= allowed
    if kind in ("bf16", "int8") and layer != "gruResetBefore":
        monkeypatch.setattr(runnel.Session, "_rounding", lambda session, operation: lambda x, bound: x)
        assert step_deviation(model, run_tool, tmp_path, 1e-6) > 3 * allowed, "without rounding all is the same"


@pytest.mark.parametrize("kind, bits", [("int8", 16), ("int8", 8)])
def test_the_bound_of_the_hidden_state_matters(kind, bits, tmp_path, run_tool, monkeypatch):
    monkeypatch.setattr("runnel.reference._bounds", lambda model, tensors: {})
    for layer in ("rnnTanh", "lstm", "gruResetAfter"):
        # The state of the file starts at 0.3, and is rounded by 1 nevertheless.
        model = stored_as(one_layer(layer, 1), kind, bits)
        tensors = list(model.tensors)
        initial = model.states[0].initial
        tensors[initial] = replace(tensors[initial], data=tensors[initial].data * np.float32(0.15))
        assert step_deviation(replace(model, tensors=tuple(tensors)), run_tool, tmp_path, 1e-6) > 1e-6


# Streams


def tool_predictions(run_tool, path, model, frames):
    """What the tool answers to frames as CSV; with labels, the likeliest one stands before the numbers."""
    lines = "".join(",".join(map(str, frame)) + "\n" for frame in frames.tolist())
    result = run_tool("run", path, stdin=lines)
    assert result.returncode == 0, result.stderr
    size = runnel.validation.program_sizes(model, model.programs[0])[1]
    return np.array([[float(number) for number in row[-size:]] for row in csv.reader(io.StringIO(result.stdout))])


def deviations(run_tool, path, model):
    """How far the tool is from the reference, for each of some random frames."""
    frames = random_frames(model.programs[0], 100, np.random.default_rng(5))
    return np.abs(tool_predictions(run_tool, path, model, frames) - runnel.Session(model).run(frames)).max(axis=1)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_streams_of_committed_models_are_those_of_the_reference(path, run_tool):
    assert deviations(run_tool, path, runnel.read(path)).max() <= PRECISION


def check_small(run_tool, path, kind, bits):
    model = runnel.read(path)
    assert encode(model) == path.read_bytes()
    assert kind in {tensor.type for tensor in model.tensors}
    found = deviations(run_tool, path, model)
    assert np.median(found) <= PRECISION and found.max() <= BOUNDS[kind, bits]


@pytest.mark.parametrize("kind, bits", TYPES[1:])
@pytest.mark.parametrize("name", ["everything", "vowels"])
def test_a_file_of_smaller_weights_is_read_and_gives_the_same(name, kind, bits, tmp_path, run_tool):
    source, path = REPOSITORY / "models" / "vowels" / "vowels.runnel", tmp_path / "small.runnel"
    if name == "everything":
        source, model = tmp_path / "everything.runnel", everything(4)
        # The tool gives smaller weights to models of steps.
        stepping = [program for program in model.programs if not program.takes_whole_sequences]
        model = replace(model, programs=tuple(stepping))
        runnel.write(with_golden(model, [(0, True, 20)], PRECISION), source)
    options = ["--activation-bits", bits] if kind == "int8" else []
    made = run_tool("quantize", "--to", kind, *options, "--output", path, source)
    assert made.returncode == 0, made.stderr
    check_small(run_tool, path, kind, bits)
    original = deviations(run_tool, path, runnel.read(source))
    assert np.median(original) > 3 * PRECISION, "the weights are what they were"


def test_a_calibrated_file_is_read_and_gives_the_same(tmp_path, run_tool):
    path, folder = tmp_path / "calibrated.runnel", REPOSITORY / "models" / "motions"
    options = ["--calibrate", folder / "train.csv", "--sequence", "sequence", "--output", path]
    made = run_tool("quantize", "--to", "int8", *options, folder / "motions.runnel")
    assert made.returncode == 0, made.stderr
    check_small(run_tool, path, "int8", 16)
