"""Training recipes in PyTorch: what `python -m runnel.train` is made of.

A recipe says what a model learns from, what it is made of and how it is trained; models/README.md has its keys. Reading
recipes and data needs NumPy alone: `read_recipe`, `read_data`. Networks, training and export need torch.
"""

from .data import read_data
from .recipe import read_recipe

__all__ = ["read_data", "read_recipe"]
