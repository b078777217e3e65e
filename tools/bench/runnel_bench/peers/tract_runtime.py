"""tract, from its ONNX reader: states are inputs and outputs of a call, handed on as tract's own tensors.

In f32 only: its f16 is made for other CPUs, and on x86 is slower.
"""

import tempfile
from pathlib import Path

import numpy as np
import tract

from ..cell import random_frames
from ..onnx_file import onnx_model
from . import RING

TITLE = "tract"
DISTRIBUTION = "tract"
WEIGHT_TYPES = ["f32"]


def ways(case, weights, weight_type):
    return [("state", lambda: Runner(case, weights))]


class Runner:
    def __init__(self, case, weights):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "cell.onnx"
            path.write_bytes(onnx_model(weights, case).SerializeToString())
            model = tract.onnx().load(path).into_model()
        # A runnable is optimised when it is made.
        self.state = model.into_runnable().spawn_state()
        frames = random_frames(RING * case.frames, case.streams, case.input)
        ring = frames.reshape(RING, case.frames, case.streams, case.input)
        self.ring = [tract.Tensor.from_numpy(frame) for frame in ring]
        zeros = np.zeros((1, case.streams, case.hidden), np.float32)
        self.states = [tract.Tensor.from_numpy(zeros) for _ in range(2 if case.cell == "lstm" else 1)]

    def call(self, frames):
        y, *self.states = self.state.run([tract.Tensor.from_numpy(frames), *self.states])
        return y.to_numpy()[:, 0].copy()

    def repeat(self, count):
        run, states = self.state.run, self.states
        for _ in range(count // RING):
            for frame in self.ring:
                _, *states = run([frame, *states])
        self.states = states
