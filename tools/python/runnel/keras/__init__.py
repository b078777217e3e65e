"""Exports Keras models; needs Keras 3, with any of its backends."""

from .exporting import export

__all__ = ["export"]
