"""PyTorch on the CPU, one thread, `inference_mode`.

Ways: the module (`eager`), its trace after `torch.jit.freeze` and `optimize_for_inference` (`frozen`), and, for one
frame a call, `torch.lstm_cell` and `torch.gru_cell` (`cell`). int8 is `torch.ao.quantization.quantize_dynamic`. f16
and bf16 modules keep their state in that type too. At (1, 32), (64, 128) and 64 streams of it, a trace of the cell was
no faster than the cell, and `torch.compile`, with or without freezing and the C++ wrapper, was slower.
"""

import warnings

import torch

from ..cell import random_frames
from . import RING

TITLE = "PyTorch"
DISTRIBUTION = "torch"
WEIGHT_TYPES = ["f32", "f16", "bf16", "int8"]

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
torch.set_num_interop_threads(1)
torch.set_flush_denormal(True)

TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "int8": torch.float32}


def ways(case, weights, weight_type):
    kinds = [("eager", Eager)]
    if weight_type != "int8":
        kinds.append(("frozen", Frozen))
        if case.frames == 1:
            kinds.append(("cell", Cell))
    return [(name, lambda kind=kind: kind(case, weights, weight_type)) for name, kind in kinds]


def module(case, weights, weight_type):
    """torch.nn.LSTM or GRU with these weights."""
    layer = getattr(torch.nn, case.cell.upper())(case.input, case.hidden)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.from_numpy(weights.input_weights))
        layer.weight_hh_l0.copy_(torch.from_numpy(weights.recurrent_weights))
        layer.bias_ih_l0.copy_(torch.from_numpy(weights.bias))
        layer.bias_hh_l0.copy_(torch.from_numpy(weights.second_bias))
    layer.eval()
    if weight_type == "int8":
        wrapped = torch.ao.quantization.quantize_dynamic(
            torch.nn.Sequential(layer), {torch.nn.LSTM, torch.nn.GRU}, dtype=torch.qint8
        )
        return wrapped[0]
    return layer.to(TYPES[weight_type])


class Eager:
    def __init__(self, case, weights, weight_type):
        self.type = TYPES[weight_type]
        frames = random_frames(RING * case.frames, case.streams, case.input)
        ring = frames.reshape(RING, case.frames, case.streams, case.input)
        self.ring = [self.input_tensor(torch.from_numpy(frame)) for frame in ring]
        zeros = torch.zeros(1, case.streams, case.hidden, dtype=self.type)
        self.state = (zeros, zeros.clone()) if case.cell == "lstm" else zeros
        self.prepare(case, weights, weight_type)

    def input_tensor(self, frames):
        return frames.to(self.type)

    def prepare(self, case, weights, weight_type):
        self.step = module(case, weights, weight_type)

    @torch.inference_mode()
    def call(self, frames):
        y, self.state = self.step(self.input_tensor(torch.from_numpy(frames)), self.state)
        return y.float().numpy().copy()

    @torch.inference_mode()
    def repeat(self, count):
        step, state = self.step, self.state
        for _ in range(count // RING):
            for frame in self.ring:
                _, state = step(frame, state)
        self.state = state


class Frozen(Eager):
    def prepare(self, case, weights, weight_type):
        layer = module(case, weights, weight_type)
        with torch.inference_mode():
            traced = torch.jit.trace(layer, (self.ring[0], self.state))
        self.step = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
        self.repeat(RING)
        self.reset()

    def reset(self):
        if isinstance(self.state, tuple):
            self.state = tuple(torch.zeros_like(state) for state in self.state)
        else:
            self.state = torch.zeros_like(self.state)


class Cell(Eager):
    """One frame a call, without the module around the cell."""

    def input_tensor(self, frames):
        return frames.to(self.type)[0]

    def prepare(self, case, weights, weight_type):
        self.parameters = [
            torch.from_numpy(array).to(self.type)
            for array in (weights.input_weights, weights.recurrent_weights, weights.bias, weights.second_bias)
        ]
        if case.cell == "lstm":
            self.state = tuple(state[0] for state in self.state)
        else:
            self.state = self.state[0]

    @torch.inference_mode()
    def call(self, frames):
        frame = self.input_tensor(torch.from_numpy(frames))
        self.state = self.cell()(frame, self.state, *self.parameters)
        hidden = self.state[0] if isinstance(self.state, tuple) else self.state
        return hidden.float().numpy()[None].copy()

    @torch.inference_mode()
    def repeat(self, count):
        cell, state, parameters = self.cell(), self.state, self.parameters
        for _ in range(count // RING):
            for frame in self.ring:
                state = cell(frame, state, *parameters)
        self.state = state

    def cell(self):
        return torch.lstm_cell if isinstance(self.state, tuple) else torch.gru_cell
