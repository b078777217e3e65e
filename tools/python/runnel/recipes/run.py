"""A training run: from minibatch to minibatch, with a state that a checkpoint can hold."""

import copy
import math

import torch

from ..errors import TrainingError
from .evaluation import row_score, score
from .losses import Score, loss_sum
from .minibatches import epoch_order, visits
from .module import Network
from .optimizers import Average, optimizer
from .randomness import LAYERS, torch_seed
from .streams import Streams, target_count


class Diverged(TrainingError):
    """The loss or a gradient is no longer finite."""


class Run:
    """A network on its way through the epochs; with several processes, one of as many equal ones.

    Each process takes a share of every minibatch. The gradients are those of the mean over all frames of the minibatch
    that have a target, wherever they are. Random numbers are determined by the seed, the epoch, the minibatch and,
    within layers, by the process.
    """

    def __init__(self, specification, settings, training, validation, normalisations, processes):
        self.specification, self.settings = specification, settings
        self._training, self._validation = training, validation
        self._normalisations, self._processes = normalisations, processes
        torch.manual_seed(settings.seed)
        self._network = Network(specification).to(processes.device).train()
        self._average = None
        if settings.averaging is not None:
            self._average = Average(copy.deepcopy(self._network), settings.averaging)
        self._wrapped = processes.wrapped(self._network, self._uses_all_parameters())
        self._optimizer = optimizer(settings, self._network.parameters())
        self._order, self._ordered_epoch = None, None
        self.epoch = self.minibatch = self._updates = 0
        self._epoch_score, self.history, self._best = Score(), [], None

    @property
    def minibatches(self):
        """The minibatches of an epoch."""
        return math.ceil(len(self._training) / self.settings.batch_size)

    @property
    def fraction(self):
        """How much of the whole run is done, from 0 to 1."""
        return (self.epoch + self.minibatch / self.minibatches) / self.settings.epochs

    @property
    def is_finished(self):
        """Whether all epochs are done, or patience is at its end."""
        if self.epoch >= self.settings.epochs:
            return True
        if self.settings.patience is None or self._best is None or self.minibatch:
            return False
        return self.epoch - self._best["epoch"] >= self.settings.patience

    @property
    def training_means(self):
        """Loss and metric over the minibatches of this epoch, or of the one that has just ended."""
        if self.history and not self.minibatch:
            return self.history[-1]["training"]
        return self._epoch_score.means(self.specification.loss)

    @property
    def is_finite(self):
        return all(bool(parameter.isfinite().all()) for parameter in self._network.parameters())

    @property
    def best_epoch(self):
        """The epoch, from 1, whose parameters `result` gives."""
        return self._best["epoch"] if self._best else self.epoch

    def result(self):
        """The network with the lowest validation loss, or, without validation, the last."""
        network = copy.deepcopy(self._served)
        if self._best:
            network.load_state_dict(self._best["parameters"])
        return network.eval()

    def train_minibatch(self):
        """Visits the next sequences: one update, or, with truncated backpropagation, one for each window.

        Raises Diverged, in all processes.
        """
        if self._ordered_epoch != self.epoch:
            self._order = epoch_order(self._training, self.settings, self.epoch)
            self._ordered_epoch = self.epoch
        first = self.minibatch * self.settings.batch_size
        numbers = self._order[first : first + self.settings.batch_size]
        everyone = visits(self._training, numbers, self.settings, self.epoch)
        rate = self.settings.schedule.at(self.fraction, self.epoch)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(torch_seed(self.settings.seed, LAYERS, self.epoch, self.minibatch, self._processes.rank))
        # Dealt one by one, so that each process has long ones and short ones.
        mine = everyone[self._processes.rank :: self._processes.count]
        streams = Streams(mine, self.specification, self._normalisations, self._processes.device)
        length, states = everyone[0].length, ()
        window = self.settings.window or length
        for start in range(0, length, window):
            states = self._train_window(streams, start, window, states, target_count(everyone, start, window))
        self.minibatch += 1

    def _train_window(self, streams, start, count, states, targets_of_all):
        """One window of all streams: forward, backward, and one update; gives the states for the next one."""
        contexts = streams.contexts() if start == 0 else []
        rows, places, targets = streams.window(start, count)
        sampling = self.fraction * self.settings.scheduled_sampling
        with torch.set_grad_enabled(targets_of_all > 0):
            outputs, states = self._wrapped(contexts, rows, states, sampling)
        if not targets_of_all:
            return states
        outputs, smoothing, loss = outputs[places], self.settings.label_smoothing, self.specification.loss
        total = loss_sum(loss, outputs, targets, smoothing) if len(places) else outputs.sum()
        self._clear_gradients()
        # The processes' gradients become their mean: this is the share of it that this process has.
        (total * (self._processes.count / targets_of_all)).backward()
        found = self._processes.sum(row_score(loss, outputs.detach(), targets, smoothing))
        limit = self.settings.clip_norm
        norm = torch.nn.utils.clip_grad_norm_(self._network.parameters(), math.inf if limit is None else limit)
        if not math.isfinite(found.loss) or not math.isfinite(norm.item()):
            raise self._divergence()
        self._epoch_score += found
        self._optimizer.step()
        self._updates += 1
        if self._average:
            self._average.follow(self._network, self._updates)
        return states

    def _uses_all_parameters(self):
        """Whether the outputs of every window depend on all parameters."""
        if self.settings.window is not None and len(self.specification.programs) > 1:
            return False  # after the first window only the last program runs
        streams = Streams([], self.specification, self._normalisations, self._processes.device)
        rows, _, _ = streams.window(0, 1)
        outputs, _ = self._network(streams.contexts(), rows)
        gradients = torch.autograd.grad(outputs.sum(), list(self._network.parameters()), allow_unused=True)
        return all(gradient is not None for gradient in gradients)

    def _clear_gradients(self):
        """Makes gradients zeros; those of parameters that a window does not use have to be there as well."""
        for parameter in self._network.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            parameter.grad.zero_()

    def complete_epoch(self):
        """Validates, records the epoch and keeps the parameters if they are the best so far. Raises Diverged."""
        if not self.is_finite:
            raise self._divergence()
        record = {
            "epoch": self.epoch + 1,
            "rate": self._optimizer.param_groups[0]["lr"],
            "training": self._epoch_score.means(self.specification.loss),
        }
        if self._validation:
            record["validation"] = self.evaluate(self._validation)
            if not math.isfinite(record["validation"]["loss"]):
                raise self._divergence()
        self.epoch, self.minibatch, self._epoch_score = self.epoch + 1, 0, Score()
        self.history.append(record)
        if self._validation and record["validation"]["loss"] < (self._best["loss"] if self._best else math.inf):
            parameters = {name: value.clone() for name, value in self._served.state_dict().items()}
            self._best = {"epoch": self.epoch, "loss": record["validation"]["loss"], "parameters": parameters}

    def evaluate(self, sequences, network=None):
        """The mean loss and the metric of the network as it is, or of another one."""
        found = score(network or self._served, sequences, self._normalisations, self._processes)
        return found.means(self.specification.loss)

    @property
    def _served(self):
        """What is validated and exported."""
        return self._average.network if self._average else self._network

    def _divergence(self):
        return Diverged(f"in epoch {self.epoch + 1}, minibatch {self.minibatch + 1}")

    def state(self):
        """All that the run has come to: tensors, numbers and texts."""
        return {
            "network": self._network.state_dict(),
            "average": self._average.network.state_dict() if self._average else None,
            "optimizer": self._optimizer.state_dict(),
            "updates": self._updates,
            "epoch": self.epoch,
            "minibatch": self.minibatch,
            "score": [self._epoch_score.rows, self._epoch_score.loss, self._epoch_score.metric],
            "history": self.history,
            "best": self._best,
        }

    def resume(self, state):
        """Goes on from what `state` gave."""
        self._network.load_state_dict(state["network"])
        if self._average:
            self._average.network.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._updates, self.epoch, self.minibatch = state["updates"], state["epoch"], state["minibatch"]
        self._epoch_score = Score(*state["score"])
        self.history, self._best = state["history"], state["best"]
