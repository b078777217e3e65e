"""ONNX Runtime, CPU provider: inputs, outputs and states bound to memory that is allocated once.

The states take turns in two sets of buffers, so that nothing is copied between calls. int8 is
`onnxruntime.quantization.quantize_dynamic`, which knows the LSTM but not the GRU.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic

from ..cell import random_frames
from ..onnx_file import onnx_model
from . import RING, Unavailable

TITLE = "ONNX Runtime"
DISTRIBUTION = "onnxruntime"
WEIGHT_TYPES = ["f32", "int8"]


def ways(case, weights, weight_type):
    if weight_type == "int8" and case.cell != "lstm":
        raise Unavailable("its dynamic quantisation does not know the GRU")
    return [("bound", lambda: Runner(case, weights, weight_type))]


def quantized(model):
    """The model with int8 weights, a scale a matrix, and inputs quantised as they come."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "cell.onnx", Path(folder) / "cell-int8.onnx"
        source.write_bytes(model)
        quantize_dynamic(source, target, op_types_to_quantize=["LSTM"], weight_type=QuantType.QInt8)
        return target.read_bytes()


class Runner:
    def __init__(self, case, weights, weight_type):
        model = onnx_model(weights, case).SerializeToString()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        self.session = onnxruntime.InferenceSession(
            quantized(model) if weight_type == "int8" else model, options, providers=["CPUExecutionProvider"]
        )
        frames = random_frames(RING * case.frames, case.streams, case.input)
        self.frames = frames.reshape(RING, case.frames, case.streams, case.input)
        self.y = np.zeros((case.frames, 1, case.streams, case.hidden), np.float32)
        names = ["h", "c"] if case.cell == "lstm" else ["h"]
        state = (1, case.streams, case.hidden)
        self.states = [[np.zeros(state, np.float32) for _ in names] for _ in range(2)]
        # The arrays stay the memory of their values, and must outlive them.
        self.kept = [onnxruntime.OrtValue.ortvalue_from_numpy(self.y)]
        values = [[self.bound(array) for array in states] for states in self.states]
        self.bindings = [
            self.binding(self.bound(self.frames[index]), names, values[index % 2], values[1 - index % 2])
            for index in range(RING)
        ]

    def bound(self, array):
        value = onnxruntime.OrtValue.ortvalue_from_numpy(array)
        self.kept.append(value)
        return value

    def binding(self, x, names, before, after):
        binding = self.session.io_binding()
        binding.bind_ortvalue_input("x", x)
        binding.bind_ortvalue_output("y", self.kept[0])
        for name, source, target in zip(names, before, after):
            binding.bind_ortvalue_input(name, source)
            binding.bind_ortvalue_output(name + "n", target)
        return binding

    def call(self, frames):
        self.frames[0] = frames
        self.session.run_with_iobinding(self.bindings[0])
        for source, target in zip(self.states[1], self.states[0]):
            target[:] = source
        return self.y[:, 0].copy()

    def repeat(self, count):
        run = self.session.run_with_iobinding
        for _ in range(count // RING):
            for binding in self.bindings:
                run(binding)
