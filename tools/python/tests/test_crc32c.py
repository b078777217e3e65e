import numpy as np
import pytest

from runnel.format.crc32c import crc32c


def bitwise(data):
    """The definition of Format.md, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_the_check_values_of_the_page():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0


def test_every_length_up_to_300_is_that_of_the_definition():
    random = np.random.default_rng(1)
    for length in range(301):
        data = random.bytes(length)
        assert crc32c(data) == bitwise(data), f"{length} bytes: {data.hex()}"


@pytest.mark.parametrize("length", [4095, 4096, 4097, 65_536, 99_991])
def test_larger_ones_are_those_of_the_definition(length):
    data = np.random.default_rng(length).bytes(length)
    assert crc32c(data) == bitwise(data)


@pytest.mark.parametrize("length", [1, 32, 1000])
def test_zeros_count(length):
    # Their number is all that tells them apart, so a lost or added one would show only here.
    assert crc32c(bytes(length)) == bitwise(bytes(length))
    assert crc32c(b"\xff" * length) == bitwise(b"\xff" * length)


def test_whatever_has_a_buffer_is_taken():
    data = b"123456789"
    assert {crc32c(kind(data)) for kind in (bytes, bytearray, memoryview)} == {0xE3069283}
