"""CRC-32C (Castagnoli) with NumPy: many stretches of the bytes at a time, which are then joined.

A checksum is linear over bits: the one of two stretches is that of the first one, moved on by the length of the
second, combined with that of the second one by exclusive or.
"""

import numpy as np

_POLYNOMIAL = 0x82F63B78


def _make_table():
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> 1) ^ np.where(table & 1, np.uint32(_POLYNOMIAL), np.uint32(0))
    return table


_TABLE = _make_table()


def _moved_on(crc, zeros):
    """A checksum's register after so many more zero bytes, in O(log zeros)."""
    # Column k of the matrix is what bit k alone becomes; squaring it doubles the distance.
    matrix = np.uint32(1) << np.arange(32, dtype=np.uint32)
    matrix = _TABLE[matrix & 255] ^ (matrix >> 8)
    while zeros:
        if zeros & 1:
            crc = _times(matrix, crc)
        matrix = _times(matrix, matrix)
        zeros >>= 1
    return crc


def _times(matrix, values):
    bits = values[:, None] >> np.arange(32, dtype=np.uint32) & np.uint32(1)
    return np.bitwise_xor.reduce(bits * matrix, axis=1)


def crc32c(data):
    """The checksum of bytes, or of anything that has a buffer."""
    data = np.frombuffer(data, np.uint8)
    # Zeros in front change nothing as long as the register is zero, so that all stretches can be of one length. The
    # start value, all ones, is moved on by the whole length at the end.
    length = max(1, int(np.sqrt(len(data))))
    count = -(-len(data) // length)
    stretches = np.concatenate([np.zeros(count * length - len(data), np.uint8), data]).reshape(count, length)
    registers = np.zeros(count, np.uint32)
    for column in stretches.T:
        registers = _TABLE[(registers ^ column) & 255] ^ (registers >> 8)
    while len(registers) > 1:
        if len(registers) % 2:
            registers = np.concatenate([np.zeros(1, np.uint32), registers])
        registers = _moved_on(registers[0::2], length) ^ registers[1::2]
        length *= 2
    start = _moved_on(np.full(1, 0xFFFFFFFF, np.uint32), len(data))[0]
    return int((registers[0] if count else 0) ^ start ^ 0xFFFFFFFF)
