"""Files of torch.export.save and of TorchScript, which are refused, and exported programs, which are not."""

import io
import json
import os
import pickle
import warnings
import zipfile

import numpy as np
import pytest
from streaming import assert_close, frames_of

import runnel

torch = pytest.importorskip("torch", reason="torch is not installed: what exports its modules is not tested")

from torch import nn  # noqa: E402

import runnel.torch  # noqa: E402


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)
    torch.set_num_threads(1)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent, self.head = nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x):
        return self.head(self.recurrent(x)[0])


class LastTag(Tagger):
    def forward(self, x):
        return super().forward(x)[:, -1]


class Step(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.GRUCell(3, 5), nn.Linear(5, 2)

    def forward(self, x, slow, *, hidden):
        slow = 0.9 * slow + 0.1 * x
        hidden = self.cell(x - slow, hidden)
        return self.head(hidden), slow, hidden


SEQUENCE = (torch.zeros(1, 12, 3),)


def program_of(module, arguments=SEQUENCE, named=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.export(module.eval(), arguments, named, **options)


# Exported programs


def test_a_program_of_sequences_is_exported(tmp_path):
    module, path = Tagger(), tmp_path / "model.runnel"
    model = runnel.torch.export(program_of(module), path=path)
    assert [operation.name for operation in model.programs[0].operations] == ["lstm", "dense"]
    # It is compared on the frames that it takes.
    assert len(model.golden[0].frames) == 12
    frames = frames_of(300, 3)
    with torch.no_grad():
        expected = module(torch.from_numpy(frames)[None])[0].numpy()
    assert_close(runnel.Session(runnel.read(path)).run(frames), expected)


def test_a_program_that_was_saved_and_loaded_is_exported(tmp_path):
    path = tmp_path / "model.pt2"
    torch.export.save(program_of(Tagger()), path)
    assert runnel.torch.export(torch.export.load(path)).golden


def test_a_program_of_a_step_with_named_arguments_is_exported():
    module, states = Step(), {"slow": torch.zeros(1, 3), "hidden": torch.zeros(1, 5)}
    program = program_of(module, (torch.zeros(1, 3), states["slow"]), {"hidden": states["hidden"]})
    model = runnel.torch.export(program, states={"slow": 1})
    assert model.programs[0].frame_size == 3 and len(model.states) == 2 and len(model.golden[0].frames) == 16
    frames, rows = frames_of(100, 3), []
    with torch.no_grad():
        for frame in torch.from_numpy(frames):
            y, states["slow"], states["hidden"] = module(frame[None], states["slow"], hidden=states["hidden"])
            rows.append(y.numpy().ravel())
    assert_close(runnel.Session(model).run(frames), np.stack(rows))


def test_a_program_is_compared_on_given_frames():
    program, frames = program_of(Tagger()), frames_of(12, 3, seed=4)
    assert np.array_equal(runnel.torch.export(program, frames=frames).golden[0].frames, frames)
    with pytest.raises(runnel.ExportError, match="11 frames; expected 12"):
        runnel.torch.export(program, frames=frames[:11])


def test_a_program_of_the_last_result_is_not_compared():
    program = program_of(LastTag())
    with pytest.raises(runnel.ExportError, match="sequences of 12 frames only"):
        runnel.torch.export(program)
    assert not runnel.torch.export(program, check=False).golden


def test_other_weights_than_the_program_s_are_caught(monkeypatch):
    from runnel import layouts

    original = layouts.torch_lstm
    monkeypatch.setattr(
        layouts, "torch_lstm", lambda *weights, **named: (*original(*weights, **named)[:2], np.ones(20))
    )
    with pytest.raises(runnel.CheckError, match="the export is not the source"):
        runnel.torch.export(program_of(Tagger()))


def test_a_program_takes_no_example():
    with pytest.raises(runnel.ExportError, match="expected none besides"):
        runnel.torch.export(program_of(Tagger()), SEQUENCE)


def test_a_program_with_sizes_that_may_be_any_is_refused():
    shapes = ({1: torch.export.Dim("time", min=2)},)
    program = program_of(nn.Linear(3, 2), SEQUENCE, dynamic_shapes=shapes)
    with pytest.raises(runnel.ExportError, match="sizes that may be any"):
        runnel.torch.export(program)


@pytest.mark.parametrize("example", [None, "text", (torch.zeros(1, 5, 3), 2)])
def test_a_module_takes_an_example(example):
    with pytest.raises(runnel.ExportError, match="the example input is no tensor"):
        runnel.torch.export(Tagger(), example)


# Files


class Touch:
    """What creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def saved(path, weight=None):
    """A file of torch.export.save; with a weight whose bytes are others, to be unpickled."""
    plain = io.BytesIO()
    torch.export.save(program_of(Tagger()), plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if weight is not None and name.endswith("model_weights_config.json"):
                config = json.loads(data)
                for entry in config["config"].values():
                    entry["use_pickle"] = True
                data = json.dumps(config).encode()
            if weight is not None and "/weights/weight_" in name:
                data = weight
            target.writestr(name, data)


def malicious(marker):
    buffer = io.BytesIO()
    torch.save(Touch(marker), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_files_of_torch_export_are_refused_with_what_to_do(kind, tmp_path):
    source, path = tmp_path / "model.pt2", tmp_path / "model.runnel"
    saved(source)
    with pytest.raises(runnel.ExportError) as caught:
        runnel.torch.export(kind(source), path=path)
    for part in ("model.pt2", "can run any code", "export_weights", "ONNX", "export(torch.export.load(path))"):
        assert part in str(caught.value)
    assert not path.exists()


def test_the_reason_holds_and_nothing_is_run(tmp_path):
    """torch.export.load runs what a file says, and the exporter does not."""
    source, marker = tmp_path / "model.pt2", tmp_path / "marker"
    saved(source, malicious(marker))
    with pytest.raises(runnel.ExportError, match="can run any code"):
        runnel.torch.export(source)
    assert not marker.exists()
    with pytest.raises(Exception):
        torch.export.load(source)
    assert marker.exists(), "torch.export.load no longer runs code: its files can be read"


def test_files_of_torchscript_are_refused_with_what_to_do(tmp_path):
    source = tmp_path / "model.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Step().cell, (torch.zeros(1, 3), torch.zeros(1, 5))).save(source)
    with pytest.raises(runnel.ExportError) as caught:
        runnel.torch.export(source)
    for part in ("model.pt is a file of TorchScript", "cannot trace", "export_weights", "ONNX"):
        assert part in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"nothing", pickle.dumps({"a": 1})])
def test_other_paths_are_refused(content, tmp_path):
    source = tmp_path / "model.pt2"
    source.write_bytes(content)
    with pytest.raises(runnel.ExportError, match="model.pt2 is a path; expected a module"):
        runnel.torch.export(source)
    source.unlink()
    with pytest.raises(runnel.ExportError, match="model.pt2 is a path; expected a module"):
        runnel.torch.export(source)
