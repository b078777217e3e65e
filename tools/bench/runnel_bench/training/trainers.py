"""The two trainers: each trains a case for some epochs and gives {"seconds": [of each], "losses": [mean of each]}."""

import itertools
import json

from ..candidates import PeerProcess, Restarted
from ..tool import ToolFailure
from . import task


class Runnel:
    """`runnel train` with a recipe, a process a call."""

    title, ways = "Runnel", ["runnel train"]

    def __init__(self, tool, text_file, folder, threads):
        self.tool = tool
        self.text_file = text_file
        self.folder = folder
        self.threads = threads

    def train(self, case, way, epochs, seed):
        recipe = self.folder / "recipe.json"
        recipe.write_text(task.recipe(case, str(self.text_file), epochs, seed))
        arguments = ["train", str(recipe), "--output", str(self.folder / "model.runnel"), "--quiet", "--json"]
        output = self.tool.text(*arguments, "--threads", str(self.threads))
        course = json.loads(output)["course"]
        if [epoch["epoch"] for epoch in course] != list(range(1, epochs + 1)):
            raise ToolFailure(f"runnel train: found {len(course)} epochs in the course, expected {epochs}")
        ends = [0.0] + [epoch["seconds"] for epoch in course]
        return {
            "seconds": [end - start for start, end in itertools.pairwise(ends)],
            "losses": [epoch["loss"] for epoch in course],
        }

    def close(self):
        pass


class PyTorch:
    """The worker of PyTorch, which stays between calls."""

    def __init__(self, text_file, log, threads):
        self.text_file = text_file
        self.process = PeerProcess("torch", log, module=f"{__package__}.torch_worker", threads=threads)
        self.title = self.process.about["title"]
        self.ways = self.process.about["ways"]

    def train(self, case, way, epochs, seed):
        request = {
            "do": "train",
            "case": case.as_dict(),
            "way": way,
            "text": str(self.text_file),
            "epochs": epochs,
            "seed": seed,
        }
        try:
            return self.process.ask(**request)
        except Restarted as death:
            if not death.retry:
                raise
            return self.process.ask(**request)

    def close(self):
        self.process.close()
