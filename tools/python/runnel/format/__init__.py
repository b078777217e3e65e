"""Reading and writing .runnel files, version 1."""

from .decoding import decode, read
from .encoding import encode, write

__all__ = ["decode", "encode", "read", "write"]
