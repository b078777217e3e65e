"""Files that were cut, grew or changed are refused; writing leaves a whole file or the old one."""

import os
import struct
from dataclasses import replace

import numpy as np
import pytest
from random_models import cell, everything, stored_as, with_golden

import runnel
from runnel.format import decode, encode, layout
from runnel.format.crc32c import crc32c


def small_model():
    builder = runnel.Builder()
    builder.output("y", cell(builder, "rnnTanh", builder.vector("x", 1), 1, np.random.default_rng(1)))
    return with_golden(builder.model({"name": ("small",)}), [(0, True, 2)], 1e-5)


SMALL = encode(small_model())


def refused(data):
    with pytest.raises(runnel.FormatError):
        decode(data)


def test_the_file_is_accepted_as_it_is():
    assert encode(decode(SMALL)) == SMALL


def test_every_truncation_is_refused():
    for length in range(len(SMALL)):
        refused(SMALL[:length])


def test_a_flipped_bit_of_any_byte_is_refused():
    for place in range(len(SMALL)):
        damaged = bytearray(SMALL)
        damaged[place] ^= 1 << place * 5 % 8
        refused(damaged)


@pytest.mark.parametrize("more", [b"\0", b"\n", bytes(64), SMALL])
def test_what_has_grown_is_refused(more):
    refused(SMALL + more)


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "cut.runnel"
    path.write_bytes(SMALL[:-1])
    with pytest.raises(runnel.FormatError, match="cut.runnel: the file says that it has"):
        runnel.read(path)


# Files that someone made with care: all lengths and checksums are right, and something else is not.


def sections_of(data):
    start, sections = layout.SECTIONS_START, []
    for _, _, size in struct.iter_unpack("<IIQ", data[64:144]):
        sections.append(bytearray(data[start : start + size]))
        start += size + -size % 64
    return sections


def sealed(sections, header=b"", table=b""):
    """A file of the sections; header and table stand in the reserved bytes, and everything is under checksums."""
    body = b"".join(bytes(section) + bytes(-len(section) % 64) for section in sections)
    start = layout.SIGNATURE + struct.pack("<IIQQ", 1, 5, 192 + len(body), 0) + header.ljust(28, b"\0")
    entries = [struct.pack("<IIQ", kind, crc32c(data), len(data)) for kind, data in enumerate(sections, 1)]
    rest = b"".join(entries) + table.ljust(48, b"\0")
    return start + struct.pack("<I", crc32c(start + rest)) + rest + body


@pytest.mark.parametrize(
    "place, form, value, text",
    [
        (8, "<I", 2, "version 2"),
        (12, "<I", 4, "4 sections"),
        (24, "<Q", 1, "features"),
        (32, "<B", 1, "reserved bytes of the header"),
        (64, "<I", 2, "not the five"),
        (72, "<Q", 2**63, "do not add up"),
        (191, "<B", 1, "reserved bytes of the section table"),
    ],
)
def test_a_header_that_is_not_of_version_1_is_refused(place, form, value, text):
    data = bytearray(SMALL)
    struct.pack_into(form, data, place, value)
    struct.pack_into("<I", data, 60, crc32c(data[:60] + data[64:192]))
    with pytest.raises(runnel.FormatError, match=text):
        decode(data)


@pytest.mark.parametrize("length", [64, 100, 191])
def test_a_file_that_ends_within_its_section_table_is_refused(length):
    data = bytearray(SMALL[:length])
    struct.pack_into("<Q", data, 16, length)
    struct.pack_into("<I", data, 60, crc32c(data[:60] + data[64:]))
    with pytest.raises(runnel.FormatError, match=f"cannot have {length} bytes"):
        decode(data)


@pytest.mark.parametrize("section", range(5))
def test_a_section_that_is_longer_or_shorter_than_its_contents_is_refused(section):
    sections = sections_of(SMALL)
    assert sealed(sections) == SMALL
    for change in (sections[section] + b"\0", *(sections[section][:end] for end in range(len(sections[section])))):
        refused(sealed([*sections[:section], change, *sections[section + 1 :]]))


EVERYTHING = encode(with_golden(stored_as(everything(1), "int8"), [(0, True, 1), (1, False, 1)], 1.0))


# A change of EVERYTHING: in which section, how far behind which string, the bytes, and what the message names.
REJECTIONS = {
    "a string that is not UTF-8": (0, b"step", -1, b"\xff", "UTF-8"),
    "half of a surrogate pair": (0, b"step", -4, b"\xed\xa0\x80", "UTF-8"),
    "a string beyond the limit": (0, b"token", -9, b"\0\0\1\0", "a string of 65536 bytes"),
    "a string beyond the section": (0, b"token", -9, b"\xff\xff\0\0", "end early"),
    "an unknown kind of input": (0, b"token", 0, b"\2", "unknown kind 2"),
    "more operations than the limit": (0, b"token", 8, b"\1\x10", "4097 operations; expected 4096 at most"),
    "more operations than bytes": (0, b"token", 8, b"\0\x10", "4096 operations cannot be"),
    "an unknown operation": (0, b"token", 12, b"\xff\xff", "code 65535"),
    "reserved bytes of an operation": (0, b"token", 18, b"\1", "reserved bytes of an operation"),
    "an unknown type": (1, b"affine.scale", 0, b"\5", "unknown type 5"),
    "integers without scales": (1, b"affine.scale", 1, b"\0", "scaling 0"),
    "integers with unknown scales": (1, b"affine.scale", 1, b"\2", "scaling 2"),
    "no dimension": (1, b"affine.scale", 2, b"\0", "0 dimensions"),
    "three dimensions": (1, b"affine.scale", 2, b"\3", "3 dimensions"),
    "a reserved byte of a tensor": (1, b"affine.scale", 3, b"\1", "reserved byte of tensor"),
    "a dimension of 0": (1, b"affine.scale", 4, b"\0", r"shape \[0\]"),
    "a huge dimension": (1, b"affine.scale", 4, b"\1\0\1\0", r"shape \[65537\]"),
    "padding between weights": (2, b"", 28, b"\1", "padding in the weights"),
    "keys out of order": (3, b"labels", -6, b"z", "ascending order"),
    "an unknown flag": (4, b"", 12, b"\2", "flags 2"),
    "a program that is not there": (4, b"", 8, b"\4", "names program 4"),
    "more frames than bytes": (4, b"", 16, b"\xff\xff\xff\xff", "end early"),
}


@pytest.mark.parametrize("section, behind, distance, change, text", REJECTIONS.values(), ids=REJECTIONS)
def test_a_value_that_has_no_meaning_is_refused(section, behind, distance, change, text):
    sections = sections_of(EVERYTHING)
    place = sections[section].index(behind) + len(behind) + distance
    sections[section][place : place + len(change)] = change
    with pytest.raises(runnel.FormatError, match=text):
        decode(sealed(sections))


@pytest.mark.parametrize(
    "attributes",
    [[(1, 2)], [(2, 16)], [(3, 1)], [(6, 0)], [(7, 2)], [(0, 0)], [(1, 1), (1, 1)], [(2, 8), (1, 1)]],
    ids=str,
)
def test_attributes_that_are_not_the_one_way_to_say_something_are_refused(attributes):
    # The RNN has 1 operand, 3 tensors and 1 state; the number of its attributes stands 5 bytes behind its start.
    sections = sections_of(SMALL)
    start = sections[0].index(struct.pack("<H4B", 1, 1, 3, 1, 0))
    sections[0][start + 5] = len(attributes)
    end = start + 8 + 4 * 5
    sections[0][end:end] = b"".join(struct.pack("<HH", *attribute) for attribute in attributes)
    with pytest.raises(runnel.FormatError, match="attribute"):
        decode(sealed(sections))


@pytest.mark.parametrize("keys", [["b", "a"], ["a", "a"]])
def test_keys_stand_in_order_and_once(keys):
    sections = sections_of(SMALL)
    sections[3] = struct.pack("<I", 2) + b"".join(struct.pack("<I", 1) + key.encode() + bytes(4) for key in keys)
    with pytest.raises(runnel.FormatError, match="ascending order"):
        decode(sealed(sections))


def mutations(count, seed):
    """Files with one or two bytes of their sections changed, or more of them, under right checksums."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        sections = sections_of(EVERYTHING)
        for _ in range(random.integers(1, 3)):
            section = sections[random.integers(5)]
            place = int(random.integers(len(section)))
            value = int(random.choice([0, 1, 2, 64, 127, 128, 255, section[place] ^ 1, section[place] + 1 & 255]))
            if random.integers(8) == 0:
                section.insert(place, value)
            else:
                section[place] = value
        yield sealed(sections)


def is_accepted(data):
    """Whether the file is read; it then has the one encoding of what was read."""
    try:
        model = decode(data)
    except runnel.ModelError:
        return False
    assert encode(model) == data
    return True


def test_a_mutated_file_is_refused_or_written_again_as_it_was(tmp_path, run_tool):
    path, accepted = tmp_path / "mutated.runnel", 0
    for number, data in enumerate(mutations(400, seed=1)):
        path.write_bytes(data)
        found, result = is_accepted(data), run_tool("info", path)
        assert result.returncode == (0 if found else 65), f"{number}: {result.stderr}"
        accepted += found
    assert 0 < accepted < 400, "both must happen"


# Writing


INVALID = replace(small_model(), tolerance=-1.0)


def test_an_invalid_model_is_not_written(tmp_path):
    with pytest.raises(runnel.ModelError):
        runnel.write(INVALID, tmp_path / "new.runnel")
    assert list(tmp_path.iterdir()) == []


def test_an_invalid_model_leaves_the_old_file_as_it_was(tmp_path):
    path = tmp_path / "model.runnel"
    path.write_bytes(SMALL)
    with pytest.raises(runnel.ModelError):
        runnel.write(INVALID, path)
    assert path.read_bytes() == SMALL
    assert list(tmp_path.iterdir()) == [path]


def test_a_model_that_is_too_large_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr("runnel.format.encoding.MAX_FILE", len(SMALL) - 1)
    with pytest.raises(runnel.ModelError, match=f"would take {len(SMALL)} bytes"):
        runnel.write(small_model(), tmp_path / "new.runnel")
    assert list(tmp_path.iterdir()) == []


def test_a_write_replaces_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "model.runnel"
    path.write_bytes(b"old and of another length")
    runnel.write(small_model(), path)
    assert path.read_bytes() == SMALL
    assert list(tmp_path.iterdir()) == [path]


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path):
    runnel.write(small_model(), tmp_path / "model.runnel")
    (tmp_path / "other").write_bytes(b"")
    assert (tmp_path / "model.runnel").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(call, tmp_path, monkeypatch):
    path = tmp_path / "model.runnel"
    path.write_bytes(b"old")

    def fail(*arguments):
        raise OSError("no space")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="no space"):
        runnel.write(small_model(), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        runnel.write(small_model(), tmp_path / "missing" / "model.runnel")
