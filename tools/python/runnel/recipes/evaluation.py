"""The mean loss and the metric of a network on sequences."""

import torch

from .losses import Score, loss_sum, metric_sum
from .minibatches import Visit
from .streams import Streams

_GROUP = 64  # sequences that run together, of like length
_WINDOW = 256  # frames that are computed at a time, so that memory stays bounded


@torch.no_grad()
def score(network, sequences, normalisations, processes):
    """The sums over all sequences; each process computes a share of them."""
    device = processes.device
    was_training = network.training
    network.eval()
    order = sorted(sequences, key=lambda sequence: -sequence.length)
    total = Score()
    for group in range(processes.rank * _GROUP, len(order), processes.count * _GROUP):
        visits = [Visit(sequence, 0, sequence.length) for sequence in order[group : group + _GROUP]]
        streams, states = Streams(visits, network.specification, normalisations, device), ()
        for start in range(0, visits[0].length, _WINDOW):
            rows, places, targets = streams.window(start, _WINDOW)
            outputs, states = network(streams.contexts() if not start else [], rows, states)
            total += row_score(network.specification.loss, outputs[places], targets)
    network.train(was_training)
    return processes.sum(total)


def row_score(loss, outputs, targets, label_smoothing=0.0):
    """The sums over rows of outputs, of which there may be none."""
    if not len(outputs):
        return Score()
    total = loss_sum(loss, outputs, targets, label_smoothing).item()
    return Score(len(outputs), total, float(metric_sum(loss, outputs, targets)))
