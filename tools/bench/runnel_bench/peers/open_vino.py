"""OpenVINO, CPU plugin, latency hint, one thread: tensors set once, computed in the precision that is asked for.

Two ways of keeping the state: `stateful`, the model's own variables, as OpenVINO recommends; `turns`, requests whose
states are each other's, so that nothing is copied between calls.
"""

import numpy as np
import openvino
from openvino._offline_transformations import apply_make_stateful_transformation

from ..cell import random_frames
from ..onnx_file import onnx_model
from . import RING, Unavailable

TITLE = "OpenVINO"
DISTRIBUTION = "openvino"
WEIGHT_TYPES = ["f32", "f16", "bf16"]


def ways(case, weights, weight_type):
    return [
        ("stateful", lambda: Stateful(case, weights, weight_type)),
        ("turns", lambda: Turns(case, weights, weight_type)),
    ]


def compiled(model, weight_type):
    core = openvino.Core()
    compiled_model = core.compile_model(
        model,
        "CPU",
        {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": weight_type,
            "CPU_DENORMALS_OPTIMIZATION": True,
        },
    )
    found = compiled_model.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if found != weight_type:
        raise Unavailable(f"asked for {weight_type}, OpenVINO computes in {found} on this CPU")
    return compiled_model


def cell_model(case, weights):
    return openvino.Core().read_model(onnx_model(weights, case).SerializeToString())


class Frames:
    """The frames that a runner goes through, and the memory that a request reads its frame from."""

    def __init__(self, case):
        frames = random_frames(RING * case.frames, case.streams, case.input)
        self.ring = frames.reshape(RING, case.frames, case.streams, case.input)
        self.tensors = [openvino.Tensor(frame, shared_memory=True) for frame in self.ring]


def infer(request):
    request.infer(None, share_inputs=True, share_outputs=True)


class Stateful:
    def __init__(self, case, weights, weight_type):
        model = cell_model(case, weights)
        states = ["h", "c"] if case.cell == "lstm" else ["h"]
        apply_make_stateful_transformation(model, {state: state + "n" for state in states})
        self.request = compiled(model, weight_type).create_infer_request()
        self.frames = Frames(case)
        self.y = self.request.get_tensor("y").data
        self.request.set_tensor("x", self.frames.tensors[0])
        infer(self.request)
        self.request.reset_state()

    def call(self, frames):
        self.request.set_tensor("x", self.frames.tensors[0])
        self.frames.ring[0] = frames
        infer(self.request)
        return self.y[:, 0].copy()

    def repeat(self, count):
        request = self.request
        for _ in range(count // RING):
            for tensor in self.frames.tensors:
                request.set_tensor("x", tensor)
                infer(request)


class Turns:
    def __init__(self, case, weights, weight_type):
        model = compiled(cell_model(case, weights), weight_type)
        names = ["h", "c"] if case.cell == "lstm" else ["h"]
        state = (1, case.streams, case.hidden)
        sets = [[openvino.Tensor(np.zeros(state, np.float32), shared_memory=True) for _ in names] for _ in range(2)]
        self.frames = Frames(case)
        self.y = np.zeros((case.frames, 1, case.streams, case.hidden), np.float32)
        self.sets = sets
        self.requests = []
        for index in range(RING):
            request = model.create_infer_request()
            request.set_tensor("x", self.frames.tensors[index])
            request.set_tensor("y", openvino.Tensor(self.y, shared_memory=True))
            for name, source, target in zip(names, sets[index % 2], sets[1 - index % 2]):
                request.set_tensor(name, source)
                request.set_tensor(name + "n", target)
            self.requests.append(request)

    def call(self, frames):
        self.frames.ring[0] = frames
        infer(self.requests[0])
        for source, target in zip(self.sets[1], self.sets[0]):
            target.data[:] = source.data
        return self.y[:, 0].copy()

    def repeat(self, count):
        for _ in range(count // RING):
            for request in self.requests:
                infer(request)
