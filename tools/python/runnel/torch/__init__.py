"""Exports PyTorch modules; needs torch 2.6 or later."""

from .exporting import export
from .weights import export_weights

__all__ = ["export", "export_weights"]
