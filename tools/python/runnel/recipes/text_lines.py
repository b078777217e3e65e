"""Text files line by line."""


def numbered_lines(path):
    """The lines of a file with their numbers, from 1. Raises OSError.

    A carriage return before a newline is left away, and so is the mark of byte order that spreadsheets write first.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            line = line.removesuffix(b"\n").removesuffix(b"\r")
            yield number, (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).decode(errors="replace")
