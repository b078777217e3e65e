"""Exports ONNX models; needs onnx 1.17 or later, and compares the best where onnxruntime is there too."""

from .exporting import export

__all__ = ["export"]
