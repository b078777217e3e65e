"""Losses and metrics of rows, as sums, so that the rows of a minibatch may be anywhere."""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from .specification import SIGMOID, SOFTMAX, SQUARED


def loss_sum(loss, outputs, targets, label_smoothing=0.0):
    """The sum over rows of the loss of outputs [rows, size], each of which is a mean over its elements."""
    if loss == SOFTMAX:
        return functional.cross_entropy(outputs, targets, reduction="sum", label_smoothing=label_smoothing)
    if loss == SIGMOID:
        return functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none").mean(dim=1).sum()
    return (outputs - targets).square().mean(dim=1).sum()


def metric_sum(loss, outputs, targets):
    """The sum over rows of what is right (for classes, and for values on the right side of ½), or of squared errors."""
    if loss == SOFTMAX:
        return (outputs.argmax(dim=1) == targets).sum()
    if loss == SIGMOID:
        return ((outputs > 0) == (targets > 0.5)).float().mean(dim=1).sum()
    return loss_sum(SQUARED, outputs, targets)


def activated(loss, outputs):
    """The outputs after the non-linearity that the loss implies."""
    if loss == SOFTMAX:
        return outputs.softmax(dim=1)
    return torch.sigmoid(outputs) if loss == SIGMOID else outputs


@dataclass(frozen=True)
class Score:
    """Sums over rows: how many, of their losses, and of their metrics."""

    rows: float = 0.0
    loss: float = 0.0
    metric: float = 0.0

    def __add__(self, other):
        return Score(self.rows + other.rows, self.loss + other.loss, self.metric + other.metric)

    def means(self, loss):
        """The mean loss; and the share that is right, or the root of the mean squared error."""
        metric = self.metric / max(self.rows, 1)
        return {"loss": self.loss / max(self.rows, 1), metric_name(loss): _root(metric) if loss == SQUARED else metric}


def metric_name(loss):
    return "error" if loss == SQUARED else "accuracy"


def _root(value):
    return math.sqrt(value) if value >= 0 else value
