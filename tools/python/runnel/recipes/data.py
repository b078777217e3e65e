"""The sequences that a recipe names."""

from .frame_data import read_frames
from .line_data import read_lines
from .sources import FrameSource, LineSource, TextSource
from .text_data import read_text


def read_data(recipe):
    """Reads the files of a recipe. Raises RecipeError, which names the file and the place."""
    kinds = {FrameSource: read_frames, TextSource: read_text, LineSource: read_lines}
    return kinds[type(recipe.data)](recipe.data, recipe.network.loss, recipe.path)
