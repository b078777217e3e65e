"""Names that trained models share, and that of who named a file."""

from contextlib import contextmanager

from ..errors import RecipeError

INPUT, OUTPUT, STATE = "frame", "prediction", "state"  # the ports of a program; STATE is the output of all but the last


@contextmanager
def reading(file):
    """Says, where a file cannot be read, who named it."""
    try:
        yield
    except OSError as error:
        expected = f"one to read (named by {file.named_by})"
        raise RecipeError(file.path, f"a file that cannot be read: {error.strerror}", expected) from None
