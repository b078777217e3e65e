"""What can go wrong; every message says what, where, and what was expected."""


class RunnelError(Exception):
    """Any of the errors of this package."""


class ModelError(RunnelError):
    """A model that breaks a rule of the format."""


class FormatError(ModelError):
    """A file that is not a whole and valid .runnel file."""


class ExportError(RunnelError):
    """A source model that cannot be exported, and why."""


class WrongTime(ExportError):
    """The axis that was tried as time is not that of a recurrent layer, or not that of a convolution."""


class CheckError(RunnelError):
    """An export whose numbers are not those of its source."""


class RecipeError(RunnelError):
    """A recipe, or data that it names, that is wrong: where, what was found, and what was expected."""

    def __init__(self, file, found, expected, *, line=None, column=None, element=None):
        numbers = [f"{name} {number}" for name, number in (("line", line), ("column", column)) if number is not None]
        place = ", ".join(numbers)
        if element:
            place = f"{place} ({element})" if place else element
        super().__init__(f"{file}: {place + ': ' if place else ''}found {found}, expected {expected}")
        self.file, self.line, self.column, self.element = str(file), line, column, element
        self.found, self.expected = found, expected


class TrainingError(RunnelError):
    """A training run that cannot begin, or had to end."""


class Interrupted(TrainingError):
    """A training run that somebody asked to stop."""

    def __init__(self, text, exit_code):
        super().__init__(text)
        self.exit_code = exit_code
