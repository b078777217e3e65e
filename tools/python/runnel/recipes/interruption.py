"""Ctrl-C and SIGTERM while something is done that has to end in good order."""

import os
import signal


class Interruption:
    """While it is entered, the first signal is a request.

    A second one ends the process where it is alone. torchrun passes on to its processes what the terminal has sent them
    already, so that there a second one means nothing, and torchrun itself ends those that do not stop.
    """

    def __init__(self, is_alone):
        self._is_alone = is_alone
        self._signal, self._earlier = 0, {}

    @property
    def is_requested(self):
        return self._signal != 0

    @property
    def exit_code(self):
        return 128 + (self._signal or signal.SIGINT)

    def __enter__(self):
        self._earlier = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind, error, trace):
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def _note(self, number, frame):
        if self._signal and self._is_alone:
            os._exit(128 + number)
        self._signal = self._signal or number
