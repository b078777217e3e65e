"""A recipe's network as a module that runs whole minibatches, window by window."""

import torch
from torch import nn

from ..model import INDEX
from .layers import made
from .windows import Rows, Window

_STATEFUL = ("rnn", "lstm", "gru", "state", "offset")


class Program(nn.Module):
    """The layers of one program."""

    def __init__(self, program):
        super().__init__()
        self._is_stateful = [layer.kind in _STATEFUL for layer in program.layers]
        self.layers = nn.ModuleList(map(made, program.layers, program.input_sizes()))

    def forward(self, rows, window, states):
        """The outputs, and the states that the streams carry on, by their places."""
        states, place = list(states), 0
        for layer, is_stateful in zip(self.layers, self._is_stateful):
            if not is_stateful:
                rows = layer(rows)
                continue
            if place == len(states):
                states.append(None)
            rows, states[place] = layer(rows, window, states[place])
            place += 1
        return rows, states


class Network(nn.Module):
    """The programs of a specification, over states that they share by their places."""

    def __init__(self, specification):
        super().__init__()
        self.specification = specification
        self.programs = nn.ModuleList(map(Program, specification.programs))

    def forward(self, contexts, last, states=(), sampling=0.0):
        """Runs the programs in turn over one window.

        - contexts: the rows of the programs before the last one, in the streams' first window; later none.
        - last: the rows of the last program.
        - states: what the streams carry from their window before, as this gives it.
        - sampling: the share of the last program's frames that it is given from its own predictions.

        Gives the last program's outputs [rows, outputs], and the states for the next window, without gradients.
        """
        for program, rows in zip(self.programs, contexts):
            places = _moved(states, rows.order)
            _, places = program(rows.frames, rows.window, places)
            states = _moved(places, torch.argsort(rows.order))
        frames = self._sampled(last, states, sampling) if sampling else last.frames
        outputs, states = self.programs[-1](frames, last.window, states)
        return outputs, [None if state is None else tuple(part.detach() for part in state) for state in states]

    @torch.no_grad()
    def _sampled(self, last, states, share):
        """Scheduled sampling (Bengio and others, 2015): a share of the frames, from the second one on, is replaced by
        what is most probable after the frames before."""
        program, window, frames = self.programs[-1], last.window, last.frames.clone()
        was_training = program.training
        program.eval()
        for frame in range(window.frames - 1):
            start, middle, end = window.offsets[frame : frame + 3]
            step = Window((window.lengths > frame).astype(int))
            outputs, states = program(frames[start:middle], step, states)
            best = outputs[: end - middle].argmax(dim=1)
            following = frames[middle:end]
            is_replaced = torch.rand(len(best), device=best.device) < share
            if self.specification.programs[-1].input.kind == INDEX:
                following[is_replaced] = best[is_replaced]
            else:
                one_hot = nn.functional.one_hot(best, frames.shape[1]).to(frames.dtype)
                following[is_replaced] = one_hot[is_replaced]
        program.train(was_training)
        return frames

    @torch.no_grad()
    def outputs(self, frames):
        """The outputs of every program for one sequence from its start: lists of [length, width] or [length], in turn.

        The last one's are those before the non-linearity of the loss.
        """
        states, found = (), []
        for program, part in zip(self.programs, frames):
            outputs, states = program(part, Window([len(part)]), states)
            found.append(outputs)
        return found


def rows_of(window, parts, device, order=None):
    """The rows of arrays of frames, one for each stream that runs."""
    frames = torch.from_numpy(window.packed(parts))
    frames = frames.float() if frames.ndim > 1 else frames.long()
    return Rows(window, frames.to(device), order)


def _moved(states, order):
    """The states with the streams in another order."""
    return [None if state is None else tuple(part[order] for part in state) for state in states]
