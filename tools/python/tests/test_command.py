"""The command runnel-export, and weights in files of torch.save."""

import json
import pickle
import warnings

import numpy as np
import pytest

import runnel
from runnel.command import main

ARCHITECTURE = {
    "input": {"size": 3},
    "layers": [{"kind": "gru", "weights": "recurrent", "size": 4}, {"kind": "dense", "weights": "head"}],
}
SHAPES = {
    "recurrent.weight_ih_l0": (12, 3),
    "recurrent.weight_hh_l0": (12, 4),
    "recurrent.bias_ih_l0": (12,),
    "recurrent.bias_hh_l0": (12,),
    "head.weight": (2, 4),
    "head.bias": (2,),
}


@pytest.fixture
def architecture(tmp_path):
    path = tmp_path / "network.json"
    path.write_text(json.dumps(ARCHITECTURE))
    return path


@pytest.fixture
def weights(tmp_path):
    """A .safetensors file."""
    header, data = {}, b""
    for name, values in arrays().items():
        header[name] = {
            "dtype": "F32",
            "shape": list(values.shape),
            "data_offsets": [len(data), len(data) + values.nbytes],
        }
        data += values.tobytes()
    text = json.dumps(header).encode()
    path = tmp_path / "weights.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def arrays():
    random = np.random.default_rng(1)
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}


def test_a_file_is_exported_and_proved_by_the_tool(weights, architecture, tmp_path, run_tool, capsys):
    output = tmp_path / "model.runnel"
    assert main([str(weights), str(output), "--architecture", str(architecture), "--name", "tiny"]) == 0
    assert "x [3] → gruResetAfter → dense" in capsys.readouterr().out
    model = runnel.read(output)
    assert model.metadata["name"] == ("tiny",) and len(model.golden[0].frames) == 16
    result = run_tool("verify", output)
    assert result.returncode == 0, result.stdout + result.stderr


def test_frames_may_be_given(weights, architecture, tmp_path):
    frames, output = tmp_path / "frames.csv", tmp_path / "model.runnel"
    frames.write_text("a,b,c\n1,2,3\n-1,0,0.5\n")
    arguments = [str(weights), str(output), "--architecture", str(architecture)]
    assert main([*arguments, "--frames", str(frames)]) == 0
    assert runnel.read(output).golden[0].frames.tolist() == [[1, 2, 3], [-1, 0, 0.5]]


def test_the_check_may_be_left_out(weights, architecture, tmp_path):
    output = tmp_path / "model.runnel"
    assert main([str(weights), str(output), "--architecture", str(architecture), "--no-check"]) == 0
    assert runnel.read(output).golden == ()


REFUSALS = {
    "a missing file": (["nothing.nam"], "there is no file"),
    "an unknown kind": (["network.json.txt"], "ends with .txt; expected .onnx"),
    "weights alone": (["weights.safetensors"], "give --architecture"),
    "an architecture too many": (["plugin.nam", "--architecture", "network.json"], "expected no --architecture"),
    "a state of weights": (
        ["weights.safetensors", "--architecture", "network.json", "--state", "h=g"],
        "takes no --time, no --state, no --shape and no --input",
    ),
    "a shape of weights": (
        ["weights.safetensors", "--architecture", "network.json", "--shape", "x=1x3"],
        "takes no --time, no --state, no --shape and no --input",
    ),
    "no JSON": (["broken.json"], "is not a JSON object"),
    "frames that are no numbers": (
        ["weights.safetensors", "--architecture", "network.json", "--frames", "words.csv"],
        "line 2 holds what is no number",
    ),
    "frames of another size": (
        ["weights.safetensors", "--architecture", "network.json", "--frames", "short.csv"],
        "expected [count, 3]",
    ),
    "no rows": (["weights.safetensors", "--architecture", "network.json", "--frames", "empty.csv"], "expected rows"),
    "a plugin that is none": (["plugin.nam"], "plugin.nam"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_say_what_is_wrong_and_leave_the_old_file(name, weights, architecture, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for file, text in {
        "network.json.txt": "",
        "broken.json": "{",
        "plugin.nam": "[]",
        "words.csv": "1,2,3\na,b,c\n",
        "short.csv": "1,2\n",
        "empty.csv": "",
    }.items():
        (tmp_path / file).write_text(text)
    output = tmp_path / "model.runnel"
    output.write_text("old")
    (source, *options), text = REFUSALS[name]
    assert main([source, str(output), *options]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("runnel-export: ") and text in errors, errors
    assert output.read_text() == "old"


def test_a_state_of_an_onnx_model_is_named(tmp_path, capsys):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    ports = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3]) for name in ("x", "h", "y", "g")]
    nodes = [onnx.helper.make_node("Add", ["x", "h"], ["g"]), onnx.helper.make_node("Tanh", ["g"], ["y"])]
    graph = onnx.helper.make_graph(nodes, "graph", ports[:2], ports[2:])
    path, output = tmp_path / "sum.onnx", tmp_path / "sum.runnel"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), path)
    assert main([str(path), str(output), "--state", "h=g"]) == 0
    assert [operation.name for operation in runnel.read(output).programs[0].operations][0] == "recall"
    assert main([str(path), str(output), "--state", "h"]) == 1
    assert "expected IN=OUT" in capsys.readouterr().err


@pytest.fixture
def open_graph(tmp_path):
    """An ONNX file of a sum over the last axis of x, whose sizes may be any, and of a constant that is an input."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    shapes = {"x": ["batch", "size"], "gain": [1], "y": ["batch", 1]}
    ports = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    nodes = [
        onnx.helper.make_node("Mul", ["x", "gain"], ["scaled"]),
        onnx.helper.make_node("MatMul", ["scaled", "ones"], ["y"]),
    ]
    ones = onnx.numpy_helper.from_array(np.ones((3, 1), np.float32), "ones")
    graph = onnx.helper.make_graph(nodes, "graph", ports[:2], ports[2:], [ones])
    path = tmp_path / "open.onnx"
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def test_a_shape_of_an_onnx_model_is_given(open_graph, tmp_path):
    output = tmp_path / "open.runnel"
    assert main([str(open_graph), str(output), "--shape", "x=1x3", "--input", "gain=[2]"]) == 0
    model = runnel.read(output)
    assert [(port.name, port.size) for port in model.programs[0].inputs] == [("x", 3)]
    assert runnel.Session(model).run(np.array([[1, 2, 4]])).tolist() == [[14]]


OPTION_REFUSALS = {
    "a shape left out": ([], "sizes of the input x open, [None, None], and they were taken for 1: shapes={'x': …}"),
    "a shape of no input": (["--shape", "z=1x3"], "there is no input 'z'; expected some of ['x', 'gain']"),
    "a shape of another rank": (["--shape", "x=3"], "input x cannot have the shape [3]; expected [None, None]"),
    "a shape below one": (["--shape", "x=1x-3"], "input x cannot have the shape [1, -3]"),
    "a shape of nothing": (["--shape", "x"], "--shape x; expected NAME=SIZES, such as x=1x576"),
    "a shape without a size": (["--shape", "x=1x"], "--shape x=1x; expected NAME=SIZES"),
    "a shape in words": (["--shape", "x=1xthree"], "--shape x=1xthree; expected NAME=SIZES"),
    "a shape without a name": (["--shape", "=1x3"], "--shape =1x3; expected NAME=SIZES"),
    "two shapes": (["--shape", "x=1x3", "--shape", "x=1x4"], "--shape x=1x4; x has been given before"),
    "two values": (["--input", "gain=1", "--input", "gain=2"], "--input gain=2; gain has been given before"),
    "a value that is open": (["--input", "gain=[1"], "--input gain=[1; expected NAME=VALUE"),
    "a value without end": (["--input", "gain=" + "[" * 100_000], "expected NAME=VALUE, with a number or a JSON list"),
}


@pytest.mark.parametrize("name", OPTION_REFUSALS)
def test_options_of_onnx_that_cannot_be_are_refused(name, open_graph, tmp_path, capsys):
    options, text = OPTION_REFUSALS[name]
    output = tmp_path / "open.runnel"
    assert main([str(open_graph), str(output), *options]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("runnel-export: ") and text in errors, errors
    assert not output.exists()


def test_the_help_has_an_example_of_each_option_of_onnx(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for option, example in (
        ("--state IN", "state=stateN"),
        ("--input NAME", "sr=16000"),
        ("--shape NAME", "input=1x576"),
    ):
        (line,) = (line for line in text.splitlines() if line.strip().startswith(option))
        assert example in line and "may be repeated" in line
    assert "(.pt2) and of TorchScript are refused" in text


def test_a_missing_argument_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["only-one"])
    assert caught.value.code == 2


def test_a_state_dict_is_exported_as_safetensors_are(weights, architecture, tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    path = tmp_path / "weights.pt"
    torch.save({name: torch.from_numpy(values) for name, values in arrays().items()}, path)
    outputs = [tmp_path / "first.runnel", tmp_path / "second.runnel"]
    for source, output in zip((path, weights), outputs):
        assert main([str(source), str(output), "--architecture", str(architecture)]) == 0
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


class Marker:
    """Pickled, it is a call that makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_that_runs_code_is_refused_and_not_run(architecture, tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    marker, output = tmp_path / "marker", tmp_path / "model.runnel"
    by_torch, plain = tmp_path / "weights.pt", tmp_path / "plain.pt"
    torch.save({"head.weight": Marker(marker)}, by_torch)
    plain.write_bytes(pickle.dumps({"head.weight": Marker(marker)}))
    for path in (by_torch, plain):
        assert main([str(path), str(output), "--architecture", str(architecture)]) == 1
        errors = capsys.readouterr().err
        assert "without running code: Unsupported " in errors
        assert "weights_only" not in errors and "safe_globals" not in errors, "torch's advice is to run the code"
    assert not marker.exists() and not output.exists()
    # The file would run code in a reader that lets it.
    torch.load(by_torch, weights_only=False)
    assert marker.exists()


def test_a_whole_module_in_a_file_is_refused(architecture, tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    path = tmp_path / "module.pt"
    torch.save(torch.nn.GRU(3, 4), path)
    assert main([str(path), str(tmp_path / "model.runnel"), "--architecture", str(architecture)]) == 1
    errors = capsys.readouterr().err
    assert "module.pt" in errors and "torch.nn.modules.rnn.GRU" in errors
    assert errors.endswith("; expected torch.save(module.state_dict(), path)\n")


def test_weights_in_a_damaged_file_are_refused(architecture, tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tensors = {name: torch.from_numpy(values) for name, values in arrays().items()}
    whole, old, path = tmp_path / "whole.pt", tmp_path / "old.pt", tmp_path / "cut.pt"
    torch.save(tensors, whole)
    torch.save(tensors, old, _use_new_zipfile_serialization=False)
    data, others = whole.read_bytes(), old.read_bytes()
    # A name in the archive that is no UTF-8.
    names = data.replace(b"whole/version", b"whole/versi\xff\xff")
    cuts = [data[:count] for count in (0, 1, len(data) // 2, len(data) - 1)]
    cuts += [others[:count] for count in range(0, len(others) - 1, 7)]
    for content in (*cuts, names, b"nothing" * 20):
        path.write_bytes(content)
        assert main([str(path), str(tmp_path / "model.runnel"), "--architecture", str(architecture)]) == 1
        errors = capsys.readouterr().err
        assert (
            "cut.pt is no state_dict that can be read without running code: " in errors and "weights_only" not in errors
        )


def test_a_state_dict_without_an_architecture_is_refused(tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    path = tmp_path / "weights.pth"
    torch.save(torch.nn.GRU(3, 4).state_dict(), path)
    assert main([str(path), str(tmp_path / "model.runnel")]) == 1
    assert "weights.pth says nothing of its network: give --architecture" in capsys.readouterr().err


def programs(torch, folder):
    """Files of torch.export.save and of TorchScript, whatever they are called, with what they are."""
    module, example = torch.nn.GRUCell(3, 4), (torch.zeros(1, 3), torch.zeros(1, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("traced.pt", "traced.pth", "traced.pt2"):
            torch.jit.trace(module, example).save(folder / name)
            yield folder / name, "a file of TorchScript"
        torch.export.save(torch.export.export(module, example), folder / "exported.pt2")
    yield folder / "exported.pt2", "a file of torch.export.save"
    renamed = folder / "exported.pt"
    renamed.write_bytes((folder / "exported.pt2").read_bytes())
    yield renamed, "a file of torch.export.save"


def test_files_of_programs_are_refused_with_what_to_do(architecture, tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    output = tmp_path / "model.runnel"
    for path, kind in programs(torch, tmp_path):
        for options in ([], ["--architecture", str(architecture)]):
            if options and path.suffix == ".pt2":
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert main([str(path), str(output), *options]) == 1
            errors = capsys.readouterr().err
            assert f"{path.name} is {kind}: " in errors and "an ONNX file" in errors, errors
            assert "weights_only=False" not in errors and "weights_only`" not in errors
    assert not output.exists()


def test_a_pt2_file_is_no_kind_to_expect(tmp_path, capsys):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"")
    assert main([str(path), str(tmp_path / "model.runnel")]) == 1
    assert "expected .onnx, .keras, .pt, .pth, .safetensors, .json, .nam\n" in capsys.readouterr().err
