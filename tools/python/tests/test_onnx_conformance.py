"""The node tests of ONNX's recurrent layers: all of them are exported, and give the right numbers."""

import os
from pathlib import Path

import numpy as np
import pytest

import runnel

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install onnx==1.17.0")

import runnel.onnx  # noqa: E402

KINDS = ("test_lstm", "test_gru", "test_simple_rnn", "test_rnn")
TOLERANCE = 1e-5

FOLDERS = [
    "test_gru_batchwise",
    "test_gru_defaults",
    "test_gru_seq_length",
    "test_gru_with_initial_bias",
    "test_lstm_batchwise",
    "test_lstm_defaults",
    "test_lstm_with_initial_bias",
    "test_lstm_with_peepholes",
    "test_rnn_seq_length",
    "test_simple_rnn_batchwise",
    "test_simple_rnn_defaults",
    "test_simple_rnn_with_initial_bias",
]


@pytest.fixture(scope="module")
def folder():
    """Where the node tests are."""
    named = os.environ.get("RUNNEL_ONNX_NODE_TESTS")
    path = Path(named) if named else Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"
    if not any(path.glob("test_lstm*")):
        pytest.skip(
            f"there are no node tests in {path}: install onnx==1.17.0, the last wheel that has them, or set "
            "RUNNEL_ONNX_NODE_TESTS to its folder onnx/backend/test/data/node"
        )
    return path


class NodeTest:
    """A test of one layer: the node with its inputs as constants but for X, and the expected outputs."""

    def __init__(self, folder):
        self.model = onnx.load(folder / "model.onnx")
        graph = self.model.graph
        (node,) = graph.node
        data = folder / "test_data_set_0"
        arrays = {port.name: _array(data / f"input_{place}.pb") for place, port in enumerate(graph.input)}
        self.x = arrays.pop(node.input[0])
        self.is_batch_first = any(entry.name == "layout" and entry.i == 1 for entry in node.attribute)
        self._make_streams_alike(node, arrays)
        self.outputs = {port.name: _array(data / f"output_{place}.pb") for place, port in enumerate(graph.output)}
        for port in [port for port in graph.input if port.name != node.input[0]]:
            graph.input.remove(port)
        (x,) = graph.input
        graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in arrays.items())
        # A stream has a batch of one, and any number of frames.
        batch, time = (0, 1) if self.is_batch_first else (1, 0)
        x.type.tensor_type.shape.dim[batch].dim_value = 1
        x.type.tensor_type.shape.dim[time].dim_param = "time"
        for size in (size for port in graph.output for size in port.type.tensor_type.shape.dim):
            size.Clear()

    def _make_streams_alike(self, node, arrays):
        """Leaves out lengths, which are those of the sequence, and initial states of all streams but the first."""
        given = dict(enumerate(node.input))
        if given.get(4):
            assert (arrays.pop(given[4]) == self.x.shape[1 if self.is_batch_first else 0]).all()
            node.input[4] = ""
        for name in filter(None, (given.get(5), given.get(6))):
            axis = 0 if self.is_batch_first else 1
            first = arrays[name].take([0], axis)
            assert (arrays[name] == first).all()
            arrays[name] = first

    @property
    def streams(self):
        """The frames, and the expected predictions, of each element of the batch."""
        x = np.swapaxes(self.x, 0, 1) if not self.is_batch_first else self.x
        return [(frames, self._expected(place, len(frames))) for place, frames in enumerate(x)]

    def _expected(self, place, count):
        """The predictions of all frames where Y is an output, or else that of the last."""
        name, expected = next(iter(self.outputs.items()))
        if name == "Y":
            return (expected[place] if self.is_batch_first else expected[:, :, place]).reshape(count, -1)
        assert name == "Y_h"
        return (expected[place] if self.is_batch_first else expected[:, place]).reshape(1, -1)


def _array(path):
    return onnx.numpy_helper.to_array(onnx.load_tensor(path))


def test_the_list_has_every_folder_once(folder):
    found = sorted(path.name for path in folder.iterdir() if path.name.startswith(KINDS))
    assert found == FOLDERS, "the node tests are others than those of the list"


@pytest.mark.parametrize("name", FOLDERS)
def test_exported_ones_give_the_expected_numbers(folder, name):
    test = NodeTest(folder / name)
    session = runnel.Session(runnel.onnx.export(test.model))
    assert len(test.streams) > 1
    for frames, expected in test.streams:
        session.reset()
        assert np.abs(session.run(frames)[-len(expected) :] - expected).max() <= TOLERANCE


@pytest.mark.parametrize("name", FOLDERS)
def test_the_tool_gives_the_expected_numbers(folder, name, run_tool, tmp_path):
    test = NodeTest(folder / name)
    path = tmp_path / "model.runnel"
    runnel.onnx.export(test.model, path)
    for frames, expected in test.streams:
        lines = "".join(",".join(f"{value:.9g}" for value in frame) + "\n" for frame in frames)
        result = run_tool("run", path, stdin=lines)
        assert result.returncode == 0, result.stderr
        found = np.array([[float(text) for text in line.split(",")] for line in result.stdout.splitlines()])
        assert len(found) == len(frames)
        assert np.abs(found[-len(expected) :] - expected).max() <= TOLERANCE


@pytest.mark.parametrize("name", FOLDERS)
def test_weights_that_are_inputs_are_refused(folder, name):
    with pytest.raises(runnel.ExportError):
        runnel.onnx.export(folder / name / "model.onnx")
