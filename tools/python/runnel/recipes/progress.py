"""Shows how far a run is: one line that is redrawn on a terminal, otherwise a line every few seconds."""

import math
import sys
import time

_WIDTH = 20


class Progress:
    def __init__(self, name, fraction):
        self._name, self._fraction = name, fraction
        self._start, self._shown = time.monotonic(), -float("inf")
        self._is_terminal = sys.stderr.isatty()

    def show(self, run, is_last=False):
        """Shows the run's state, if it is time to."""
        now = time.monotonic()
        if not is_last and now - self._shown < (0.1 if self._is_terminal else 5):
            return
        self._shown = now
        fraction = 1.0 if run.is_finished else run.fraction
        bar = "#" * int(fraction * _WIDTH)
        epoch = min(run.epoch + (run.minibatch > 0 or not run.epoch), run.settings.epochs)
        parts = [f"{self._name} [{bar:.<{_WIDTH}}] {int(fraction * 100):3} %", f"epoch {epoch}/{run.settings.epochs}"]
        parts.append(_means(run.training_means))
        if run.history and "validation" in run.history[-1]:
            parts.append("validation " + _means(run.history[-1]["validation"]))
        parts.append(f"left {self._left(now, fraction)}")
        line = "  ".join(parts)
        text = f"\r{line}\x1b[K" if self._is_terminal else f"{line}\n"
        print(text, end="", file=sys.stderr, flush=True)

    def end(self):
        """Ends the line."""
        if self._is_terminal and math.isfinite(self._shown):
            print(file=sys.stderr)

    def _left(self, now, fraction):
        """How long the rest takes if it is as fast as what this process has done of it, such as 1:05 or 2:03:45."""
        done = fraction - self._fraction
        if done <= 0:
            return "?"
        minutes, seconds = divmod(math.ceil((now - self._start) / done * (1 - fraction)), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _means(means):
    (_, loss), (metric, value) = means.items()
    return f"loss {loss:.4f}, {metric} {value:.3f}"
