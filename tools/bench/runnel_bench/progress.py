"""Progress with the time left, on standard error."""

import sys
import time


class Progress:
    """Counts steps of about the same length."""

    def __init__(self, steps, stream=None, clock=time.monotonic):
        self.steps = steps
        self.done = 0
        self.stream = sys.stderr if stream is None else stream
        self.clock = clock
        self.start = clock()

    def advance(self, what):
        """One step more is done."""
        self.done += 1
        spent = self.clock() - self.start
        left = spent / self.done * (self.steps - self.done)
        self.say(f"[{self.done}/{self.steps}] {what}; {minutes(left)} left")

    def say(self, text):
        print(text, file=self.stream, flush=True)


def minutes(seconds):
    """'0:05', '12:40'."""
    seconds = round(seconds)
    return f"{seconds // 60}:{seconds % 60:02}"
