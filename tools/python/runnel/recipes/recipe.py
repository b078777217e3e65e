"""How a model is made: data, network, training, and what the file says about itself.

The text form is recipe.json, whose keys models/README.md lists. Every key is checked: one that is unknown, missing, of
the wrong type or out of range is an error that names its place.
"""

from dataclasses import dataclass
from pathlib import Path

from ..errors import RecipeError
from .fields import Field
from .located_json import parse
from .networks import NetworkSection, read_network
from .settings import Settings, read_settings
from .sources import FrameSource, LineSource, TextSource, read_source

_KEYS = ("name", "about", "data", "network", "training", "output", "provenance", "frameRate")


@dataclass(frozen=True)
class Recipe:
    """A recipe; its data files are not read yet."""

    path: Path
    name: str
    about: str | None
    data: FrameSource | TextSource | LineSource
    network: NetworkSection
    settings: Settings
    provenance: tuple[str, ...]
    frame_rate: float | None


def read_recipe(path):
    """Reads a recipe.json. Raises RecipeError, and OSError when it cannot be read."""
    path = Path(path)
    root = Field(str(path), parse(path.read_bytes(), str(path)))
    with root.members(*_KEYS) as members:
        name = members.required("name").text()
        about = members.optional("about")
        data = read_source(members.required("data"))
        network = read_network(members.required("network"))
        settings = read_settings(members.required("training"))
        output = members.optional("output")
        if output is not None:
            output.text("the name of a file")
        provenance = members.optional("provenance")
        rate = members.optional("frameRate")
        recipe = Recipe(
            path,
            name,
            None if about is None else about.text(),
            data,
            network,
            settings,
            () if provenance is None else tuple(provenance.texts()),
            None if rate is None else rate.positive("the frames per second, a number"),
        )
    if data.validation is not None and settings.validation_fraction > 0:
        raise RecipeError(
            path,
            'a share for validation beside the file "data.validation"',
            "one of the two",
            element="training.validationFraction",
        )
    return recipe
