"""What a run is asked for at its end: the sequences that it is scored on, and the file that it gives."""

from dataclasses import replace

import numpy as np
import torch

from .sources import FrameSource
from .trained import Trained

_GOLDEN_SEQUENCES, _GOLDEN_FRAMES = 3, 64
_NORMALISATION = "The model itself brings each element to mean 0 and deviation 1 of its training data"


def scored(recipe, data, training, validation):
    """The name and the sequences of the test set, or of what there is in its place.

    They ask for what the recipe asks to predict, without targets at other frames that only training asks for.
    """
    if data.test is not None:
        return "test", data.test
    name, sequences = ("validation", validation) if validation else ("training", training)
    if isinstance(recipe.data, FrameSource) and not recipe.data.is_every_frame:
        sequences = [replace(entry, targets=entry.targets[-1:], is_at_last=True) for entry in sequences]
    return name, sequences


def trained(recipe, data, run, network, normalisations, sequences):
    """The network with all that its export needs; sequences: some to prove itself by."""
    provenance = [*([recipe.about] if recipe.about else []), *recipe.provenance]
    provenance.append(
        f"Trained by runnel.train with torch {torch.__version__} from {recipe.path.name}, seed {run.settings.seed}, "
        f"epoch {run.best_epoch} of {len(run.history)}"
    )
    metadata = {"name": (recipe.name,), "labels": tuple(data.labels), "provenance": tuple(provenance), **data.entries}
    if recipe.frame_rate is not None:
        metadata["frameRate"] = (str(recipe.frame_rate),)
    if any(normalisation is not None for normalisation in normalisations):
        metadata["inputNormalisation"] = (_NORMALISATION,)
    parameters = {name: value.detach().cpu().numpy().astype(np.float32) for name, value in network.state_dict().items()}
    golden = [tuple(part[:_GOLDEN_FRAMES] for part in entry.inputs) for entry in sequences[:_GOLDEN_SEQUENCES]]
    return Trained(run.specification, normalisations, parameters, golden, metadata)
