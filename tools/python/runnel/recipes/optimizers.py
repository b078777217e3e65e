"""How parameters follow their gradients: torch.optim, with the recipe's numbers."""

import torch

_KINDS = {
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


def optimizer(settings, parameters):
    """The optimizer of a recipe's settings. Its learning rate is set before each step."""
    chosen = settings.optimizer
    return _KINDS[chosen.kind](parameters, lr=settings.schedule.rate, **chosen.arguments)


class Average:
    """An exponential moving average of a network's parameters, in another network of the same shape."""

    def __init__(self, network, decay):
        self.network, self._decay = network, decay

    @torch.no_grad()
    def follow(self, network, updates):
        """Moves the average; the first updates count for more, so that the start is soon forgotten."""
        decay = min(self._decay, (1 + updates) / (10 + updates))
        for mean, parameter in zip(self.network.parameters(), network.parameters()):
            mean.lerp_(parameter, 1 - decay)
