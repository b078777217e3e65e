import os
import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np

from runnel_bench.cell import CellWeights, random_frames, reference
from runnel_bench.files import write_whole
from runnel_bench.model_file import crc32c, model_bytes, write_model
from runnel_bench.tool import Tool, ToolFailure

RUNNEL = os.environ.get("RUNNEL")


class LayoutTests(unittest.TestCase):
    def test_the_checksum_is_crc32c(self):
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)
        self.assertEqual(crc32c(b""), 0)

    def test_header_and_table_are_those_of_the_format(self):
        data = model_bytes(CellWeights.random("lstm", 3, 5))
        self.assertEqual(data[:8], b"\x89RUNNEL\n")
        version, sections, length, features = struct.unpack("<IIQQ", data[8:32])
        self.assertEqual((version, sections, length, features), (1, 5, len(data), 0))
        self.assertEqual(struct.unpack("<I", data[60:64])[0], crc32c(data[:60] + data[64:192]))
        start = 192
        for number in range(5):
            kind, checksum, size = struct.unpack("<IIQ", data[64 + 16 * number : 80 + 16 * number])
            self.assertEqual((kind, checksum), (number + 1, crc32c(data[start : start + size])))
            start += size + -size % 64
        self.assertEqual(start, len(data))

    def test_weights_stand_at_multiples_of_64(self):
        weights = CellWeights.random("gru", 3, 5)
        data = model_bytes(weights)
        for array in (weights.input_weights, weights.recurrent_weights, weights.bias, weights.candidate_bias):
            self.assertEqual(data.index(array.tobytes()) % 64, 0)


@unittest.skipUnless(RUNNEL, "RUNNEL names no runnel program")
class ProgramTests(unittest.TestCase):
    """The program reads what is written here, and computes the cell."""

    def test_outputs_are_those_of_the_reference(self):
        for cell in ("lstm", "gru"):
            weights = CellWeights.random(cell, 7, 19)
            frames = random_frames(200, 1, 7)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "cell.runnel"
                write_model(path, weights)
                outputs = np.array(Tool(RUNNEL).run(path, frames.tobytes()))
            self.assertLess(np.abs(outputs - reference(weights, frames)[:, 0]).max(), 1e-5)

    def test_a_flipped_bit_is_refused(self):
        data = bytearray(model_bytes(CellWeights.random("lstm", 3, 5)))
        data[-100] ^= 1
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "cell.runnel"
            path.write_bytes(data)
            with self.assertRaises(ToolFailure):
                Tool(RUNNEL).run(path, bytes(12))


class WholeFileTests(unittest.TestCase):
    def test_a_failed_write_leaves_the_old_file_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.md"
            path.write_text("old")
            with self.assertRaises(TypeError):
                write_whole(path, 7)
            self.assertEqual(path.read_text(), "old")
            self.assertEqual([entry.name for entry in Path(folder).iterdir()], ["results.md"])

    def test_the_new_file_replaces_the_old_one(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.md"
            path.write_text("old and longer")
            write_whole(path, "new")
            self.assertEqual(path.read_text(), "new")
            self.assertEqual(len(list(Path(folder).iterdir())), 1)
