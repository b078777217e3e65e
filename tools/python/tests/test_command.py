"""The command runnel-export, and weights in files of torch.save."""

import json
import pickle

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
        "takes no --time and no --state",
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
        assert "without running code" in capsys.readouterr().err
    assert not marker.exists() and not output.exists()
    # The file would run code in a reader that lets it.
    torch.load(by_torch, weights_only=False)
    assert marker.exists()


def test_a_whole_module_in_a_file_is_refused(architecture, tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    path = tmp_path / "module.pt"
    torch.save(torch.nn.GRU(3, 4), path)
    assert main([str(path), str(tmp_path / "model.runnel"), "--architecture", str(architecture)]) == 1
    assert "module.pt" in capsys.readouterr().err
