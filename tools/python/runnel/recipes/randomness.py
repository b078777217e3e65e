"""Random numbers that a list of keys determines.

Every use has keys of its own (the seed, the purpose, the epoch, …), so that no state passes from one use to the next: a
run that resumes only needs to know where it is.
"""

import numpy as np

SPLIT, SHUFFLING, BUCKETS, CROPPING, LAYERS = range(5)


def generator(seed, purpose, *keys):
    return np.random.default_rng([seed, purpose, *keys])


def torch_seed(seed, purpose, *keys):
    """A seed for torch.manual_seed."""
    return int(np.random.SeedSequence([seed, purpose, *keys]).generate_state(1, np.uint64)[0])
