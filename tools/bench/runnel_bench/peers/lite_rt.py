"""LiteRT with XNNPACK, one thread; a step is a graph of elementary operators, as converters make it.

Ways: `compiled`, a CompiledModel whose states take turns in two sets of buffers, so that nothing is copied between
calls; `interpreter`, which copies states out and in again. int8 is dynamic-range quantisation.
"""

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.cpu_options import CpuOptions
from ai_edge_litert.hardware_accelerator import HardwareAccelerator
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.options import Options

from ..cell import random_frames
from ..tflite_file import tflite_model
from . import RING, Unavailable

TITLE = "LiteRT (XNNPACK)"
DISTRIBUTION = "ai-edge-litert"
WEIGHT_TYPES = ["f32", "int8"]


def ways(case, weights, weight_type):
    if case.frames > 1:
        raise Unavailable("a sequence needs a loop, which XNNPACK does not compute")

    def model():
        return tflite_model(weights, case.streams, quantized=weight_type == "int8")

    return [("compiled", lambda: Compiled(case, model())), ("interpreter", lambda: Interpreted(case, model()))]


def ring_of_frames(case):
    return random_frames(RING, case.streams, case.input)


def state_count(case):
    return 2 if case.cell == "lstm" else 1


class Compiled:
    def __init__(self, case, model):
        options = Options(hardware_accelerators=HardwareAccelerator.CPU, cpu_options=CpuOptions(num_threads=1))
        self.model = CompiledModel.from_buffer(model, options=options)
        self.shape = (case.streams, case.hidden)
        self.frames = [self.model.create_input_buffers(0)[0] for _ in range(RING)]
        for buffer, frame in zip(self.frames, ring_of_frames(case)):
            buffer.write(frame)
        self.states = [self.model.create_input_buffers(0)[1:], self.model.create_output_buffers(0)]
        for state in self.states[0]:
            state.write(np.zeros(self.shape, np.float32))
        self.calls = [
            ([frame, *self.states[index % 2]], self.states[1 - index % 2]) for index, frame in enumerate(self.frames)
        ]

    def read(self, buffer):
        return buffer.read(int(np.prod(self.shape)), np.float32).reshape(self.shape)

    def call(self, frames):
        self.frames[0].write(frames[0])
        self.model.run_by_index(0, *self.calls[0])
        for source, target in zip(self.states[1], self.states[0]):
            target.write(self.read(source))
        return self.read(self.states[1][0])[None]

    def repeat(self, count):
        run = self.model.run_by_index
        for _ in range(count // RING):
            for inputs, outputs in self.calls:
                run(0, inputs, outputs)


class Interpreted:
    def __init__(self, case, model):
        self.interpreter = Interpreter(model_content=model, num_threads=1)
        self.interpreter.allocate_tensors()
        inputs = [detail["index"] for detail in self.interpreter.get_input_details()]
        self.x, self.inputs = inputs[0], inputs[1:]
        self.outputs = [detail["index"] for detail in self.interpreter.get_output_details()]
        for state in self.inputs:
            self.interpreter.set_tensor(state, np.zeros((case.streams, case.hidden), np.float32))
        self.ring = list(ring_of_frames(case))

    def step(self, frame):
        interpreter = self.interpreter
        interpreter.set_tensor(self.x, frame)
        interpreter.invoke()
        for source, target in zip(self.outputs, self.inputs):
            interpreter.set_tensor(target, interpreter.get_tensor(source))

    def call(self, frames):
        self.step(frames[0])
        return self.interpreter.get_tensor(self.outputs[0])[None].copy()

    def repeat(self, count):
        for _ in range(count // RING):
            for frame in self.ring:
                self.step(frame)
