"""From a graph of whole sequences to the program of one step.

Source graphs know tensors such as [batch, time, features]. A step sees one frame of each: what is left without the
time axis, row by row. Operations that only move elements (reshape, transpose, select…) are applied to the numbers of
elements and of frames, so that what they do is seen and not assumed: a result is a stream if each of its frames is made
of one frame of the operand, in order and evenly apart, or if it is the operand's last frame. Only windows see frames
before the last one. A frame of a result is known at some step, not at every step: that is its clock.
"""

from .moves import Value
from .windows import Windows

__all__ = ["Frames", "Value"]


class Frames(Windows):
    """Adds the operations of a source graph to a Builder."""
