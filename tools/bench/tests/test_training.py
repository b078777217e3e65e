import contextlib
import io
import json
import os
import random
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from tempfile import TemporaryDirectory

from runnel_bench.tool import Tool
from runnel_bench.training import chart, main, noise, page, speed, task, trainers


class Trainer:
    """Takes so many seconds an epoch in each way, the first epochs ten times as long."""

    def __init__(self, *seconds):
        self.seconds = seconds
        self.ways = [f"way {index}" for index in range(len(seconds))]
        self.seeds = []

    def train(self, case, way, epochs, seed):
        self.seeds.append(seed)
        return {"seconds": [10 * self.seconds[way]] * speed.WARM_UP + [self.seconds[way]] * (epochs - speed.WARM_UP)}


def curves(level, deviation, seed, count=3, epochs=20):
    """Losses that fall from 4 to `level`, and differ from seed to seed."""
    source = random.Random(seed)
    shifts = [source.gauss(0, deviation) for _ in range(count)]
    return [[level + (4 - level) * 0.8**epoch + shift for epoch in range(epochs)] for shift in shifts]


class TaskTests(unittest.TestCase):
    def test_the_text_has_all_characters_and_one_more_than_are_predicted(self):
        text = task.text()
        self.assertEqual(len(text), task.TOKENS + 1)
        self.assertEqual(sorted(set(text)), task.VOCABULARY)
        self.assertEqual(text, task.text())
        self.assertNotEqual(text, task.text(seed=2))

    def test_required_quotients_are_those_of_the_next_size(self):
        found = [task.Case("lstm", units, "one-hot").required for units in (16, 64, 65, 128, 256, 512)]
        self.assertEqual(found, [2.0, 2.0, 1.5, 1.5, 1.0, None])

    def test_only_an_index_needs_an_embedding(self):
        layers = [json.loads(task.recipe(task.Case("gru", 32, kind), "t", 3, 1))["network"]["layers"]
                  for kind in ("index", "one-hot")]
        self.assertEqual([layer["kind"] for layer in layers[0]], ["embedding", "gru", "dense"])
        self.assertEqual([layer["kind"] for layer in layers[1]], ["gru", "dense"])


class SpeedTests(unittest.TestCase):
    case = task.Case("lstm", 64, "one-hot")

    def test_a_rate_leaves_out_the_warm_up(self):
        self.assertEqual(speed.rate({"seconds": [9, 9, 2, 1, 2]}), task.TOKENS / 2)

    def test_the_fastest_way_counts_and_the_seeds_are_the_same_for_both(self):
        ours, theirs = Trainer(0.1), Trainer(0.5, 0.2, 0.3)
        result = speed.compare(self.case, ours, theirs, rounds=3)
        self.assertEqual(result["way"], "way 1")
        self.assertAlmostEqual(result["ratio"], 2.0)
        self.assertTrue(result["passes"])
        self.assertEqual(ours.seeds[-3:], [1, 2, 3])
        self.assertEqual(theirs.seeds[-3:], [1, 2, 3])

    def test_a_quotient_below_what_is_required_does_not_pass(self):
        self.assertFalse(speed.compare(self.case, Trainer(0.1), Trainer(0.19), rounds=1)["passes"])


class NoiseTests(unittest.TestCase):
    def test_curves_of_one_distribution_agree(self):
        self.assertTrue(noise.compare(curves(2, 0.05, seed=1), curves(2, 0.05, seed=2))["agrees"])

    def test_a_curve_that_learns_less_does_not_agree(self):
        self.assertFalse(noise.compare(curves(2, 0.05, seed=1), curves(2.5, 0.05, seed=2))["agrees"])

    def test_one_distribution_is_told_apart_in_about_one_draw_of_twenty(self):
        verdicts = [noise.compare(curves(2, 0.05, 2 * n), curves(2, 0.05, 2 * n + 1))["agrees"] for n in range(400)]
        self.assertLess(abs(verdicts.count(False) / 400 - 0.05), 0.03)

    def test_one_seed_has_no_noise(self):
        with self.assertRaises(ValueError):
            noise.compare(curves(2, 0.05, 1, count=1), curves(2, 0.05, 2, count=1))


class PageTests(unittest.TestCase):
    def document(self):
        speeds = [
            speed.compare(task.Case(cell, units, kind), Trainer(0.01 * units), Trainer(0.016 * units), rounds=3)
            for cell in ("lstm", "gru") for units in (64, 128) for kind in task.INPUTS
        ]
        losses = curves(2, 0.05, 1), curves(2.5, 0.05, 2)
        curve = {**task.Case("lstm", 128, "one-hot").as_dict(), "runnel": losses[0], "torch": losses[1], **noise.compare(*losses)}
        return {
            "cpu": "Some & CPU <x>", "date": "2026-01-02", "threads": 2, "rounds": 3,
            "versions": {"Runnel": "abc", "torch": "1.2"}, "speeds": speeds, "curves": [curve],
        }

    def test_the_page_says_what_is_met_and_what_is_not(self):
        text = page.full_page(self.document())
        self.assertIn("| GRU 128, embedding | 26 k | 16 k (way 0) | **1.60** | 1.60 to 1.60 | 1.5 | met |", text)
        self.assertIn("| LSTM 64, one-hot | 51 k | 32 k (way 0) | **1.60** | 1.60 to 1.60 | 2.0 | NOT MET |", text)
        self.assertIn("DIFFER by more than the noise", text)
        self.assertIn("Some & CPU <x>, 2026-01-02: Runnel abc, torch 1.2.", text)

    def test_the_picture_is_well_formed_and_has_a_line_for_each_trainer_and_input(self):
        root = ElementTree.fromstring(chart.svg(self.document()))
        self.assertEqual(len(root.findall("{http://www.w3.org/2000/svg}polyline")), 8)


class OptionTests(unittest.TestCase):
    def test_wrong_words_are_refused_with_what_is_expected(self):
        for words, expected in (
            (["--cells", "rnn"], "found rnn, expected some of lstm, gru"),
            (["--units", "x"], "found x, expected numbers"),
            (["--seeds", "1"], "found 1, expected at least 2"),
        ):
            errors = io.StringIO()
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(errors):
                main.arguments(words)
            self.assertIn(expected, errors.getvalue())

    def test_some_cases_only_are_a_partial_run(self):
        self.assertTrue(main.arguments(["--units", "32"]).is_partial)
        self.assertFalse(main.arguments([]).is_partial)


@unittest.skipUnless("RUNNEL" in os.environ, "RUNNEL is not the path of the program")
class ToolTests(unittest.TestCase):
    def test_runnel_trains_the_recipe_and_its_loss_falls(self):
        with TemporaryDirectory() as name:
            folder = Path(name)
            text_file = folder / "text.txt"
            text_file.write_text(task.text())
            trainer = trainers.Runnel(Tool(os.environ["RUNNEL"]), text_file, folder, threads=2)
            run = trainer.train(task.Case("lstm", 16, "index"), 0, epochs=3, seed=1)
            self.assertEqual(len(run["seconds"]), 3)
            self.assertLess(run["losses"][2], run["losses"][0])
            self.assertTrue(all(seconds > 0 for seconds in run["seconds"]))


if __name__ == "__main__":
    unittest.main()
