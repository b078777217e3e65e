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
