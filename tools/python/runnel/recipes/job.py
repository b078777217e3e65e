"""A recipe on its way to a file: reads, trains, writes."""

import os
import time
from dataclasses import replace

from ..errors import Interrupted, RecipeError, TrainingError
from .checkpoints import Checkpoint, fingerprint
from .data import read_data
from .exporting import model_of
from .interruption import Interruption
from .normalisation import normalisations
from .processes import joined, left
from .progress import Progress
from .recipe import read_recipe
from .results import scored, trained
from .run import Diverged, Run
from .splitting import split
from .trained import write_trained

_CHECKPOINTS = 20  # of a run, at the ends of epochs
_CHECKPOINT_SECONDS = 600  # the longest time without one


class Job:
    """What a recipe asks for, read and checked; options are those of the command line."""

    def __init__(self, options):
        """Raises RecipeError, TrainingError and OSError."""
        self._options = options
        self._recipe = recipe = read_recipe(options.recipe)
        given = {name: getattr(options, name) for name in ("epochs", "seed") if getattr(options, name) is not None}
        self._settings = settings = replace(recipe.settings, **given)
        self._place = options.checkpoint or options.output.with_suffix(".checkpoint")
        _refuse_files(options.output, self._place, [recipe.path, *(file.path for file in recipe.data.files)])
        self._data = data = read_data(recipe)
        self._specification = recipe.network.specified(data.inputs, data.output_size)
        has_validation = bool(data.validation) or settings.validation_fraction > 0
        settings.refuse(recipe.path, self._specification, has_validation)
        self._training, self._validation = data.training, data.validation
        if data.validation is None:
            self._training, self._validation = split(data.training, settings.validation_fraction, settings.seed)
        if not self._training:
            expected = 'at least one; lower "validationFraction" or add data'
            raise RecipeError(recipe.path, "no sequence to train on", expected, element="data")
        names = data.entries.get("features", ())
        self._normalisations = normalisations(self._specification, self._training, recipe.path, names)
        self._mark = fingerprint(self._specification, settings, self._training + self._validation)

    def run(self):
        """Trains, and writes what came of it. Raises as the initialiser does; the output is then what it was before."""
        processes = joined(self._options.device)
        try:
            self._run(processes)
        finally:
            left()

    def _run(self, processes):
        if not processes.are_equal([int(self._mark[start : start + 8], 16) for start in range(0, 32, 8)]):
            raise TrainingError("the processes have read different recipes or data; give all machines the same files")
        run = Run(
            self._specification, self._settings, self._training, self._validation, self._normalisations, processes
        )
        name, sequences = scored(self._recipe, self._data, self._training, self._validation)
        # What cannot be exported is refused before the work.
        model_of(self._trained(run, run.result(), sequences))
        checkpoint = Checkpoint(self._place, self._mark)
        if self._options.resume:
            run.resume(checkpoint.read(processes))
        elif processes.is_first:
            checkpoint.remove()
        progress = Progress(self._recipe.name, run.fraction)
        try:
            self._follow(run, checkpoint, processes, progress)
        finally:
            progress.end()

        network = run.result()
        means = run.evaluate(sequences, network)
        if processes.is_first:
            write_trained(self._trained(run, network, sequences), self._options.output, run.history)
            checkpoint.remove()
            self._report(run, name, means)

    def _follow(self, run, checkpoint, processes, progress):
        """Takes the run to its end. Raises Interrupted, and TrainingError where it diverges."""
        saved = time.monotonic()
        shows = processes.is_first and not self._options.quiet
        every = max(1, run.settings.epochs // _CHECKPOINTS)
        with Interruption(is_alone=not processes.are_several) as interruption:
            while not run.is_finished:
                try:
                    run.train_minibatch()
                    is_epoch_end = run.minibatch == run.minibatches
                    if is_epoch_end:
                        run.complete_epoch()
                except Diverged as error:
                    raise TrainingError(_divergence(self._recipe.name, error, checkpoint)) from None
                if shows:
                    progress.show(run, is_last=run.is_finished)
                (stops,) = processes.any(interruption.is_requested)
                is_due = is_epoch_end and (run.epoch % every == 0 or run.is_finished)
                is_due = is_due or time.monotonic() - saved > _CHECKPOINT_SECONDS
                if processes.is_first and (stops or is_due) and run.is_finite:
                    checkpoint.write(run)
                    saved = time.monotonic()
                if stops:
                    raise Interrupted(
                        f"interrupted in epoch {run.epoch + 1}. {self._options.output} is as it was. To go on from "
                        f"here, repeat the command with --resume (the checkpoint is {checkpoint.path}).",
                        interruption.exit_code,
                    )

    def _trained(self, run, network, sequences):
        """The network with what its export needs."""
        return trained(self._recipe, self._data, run, network, self._normalisations, sequences)

    def _report(self, run, name, means):
        output, ((_, loss), (metric, value)) = self._options.output, means.items()
        print(f"{name:10} {metric} {value:.4f}, loss {loss:.4f}")
        print(f"network    {output}, epoch {run.best_epoch} of {len(run.history)}")
        print(f"to export  runnel-export {output} {output.with_suffix('.runnel')}")


def _divergence(name, error, checkpoint):
    kept = f" The last good checkpoint is {checkpoint.path}." if checkpoint.is_there else ""
    return (
        f"{name}: the training diverged {error}: the loss or a gradient is no longer finite. No network was written. "
        f'Try a lower learning rate ("schedule"), a lower "clipNorm" (1 is usual) or "normalise": true.{kept}'
    )


def _refuse_files(output, checkpoint, sources):
    """Refuses files that could not be written, or whose writing would destroy something else."""
    if output.suffix != ".safetensors":
        raise TrainingError(f"--output {output}; expected a name that ends with .safetensors")
    if output.resolve() == checkpoint.resolve():
        raise TrainingError(f"{output}: the network and the checkpoint cannot be the same file")
    for path in (output, checkpoint):
        if any(path.resolve() == source.resolve() for source in sources):
            raise TrainingError(f"{path}: would be replaced, and the training reads it; name another file")
        if path.exists() and not path.is_file():
            raise TrainingError(f"{path}: is not a regular file, expected a file to write")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise TrainingError(f"{path}: found no folder {path.parent} to write in, expected one")
