"""Writes, reads and runs .runnel files: recurrent networks that run frame by frame.

    import runnel
    model = runnel.read("vowels.runnel")
    session = runnel.Session(model)          # NumPy, in double precision
    prediction = session.step(frame)

Exporters: runnel.torch.export, runnel.keras.export, runnel.onnx.export, and export of runnel.rtneural, runnel.nam,
runnel.guitarml and runnel.safetensors, which give the model. The command is runnel-export.
Training of recipes in PyTorch: python -m runnel.train.
"""

from .builder import Builder, Slot
from .errors import CheckError, ExportError, FormatError, ModelError, RunnelError
from .format import read, write
from .model import GoldenRun, Input, Model, Operation, Output, Program, State, Tensor
from .reference import Session

__all__ = [
    "Builder",
    "CheckError",
    "ExportError",
    "FormatError",
    "GoldenRun",
    "Input",
    "Model",
    "ModelError",
    "Operation",
    "Output",
    "Program",
    "RunnelError",
    "Session",
    "Slot",
    "State",
    "Tensor",
    "read",
    "write",
]
