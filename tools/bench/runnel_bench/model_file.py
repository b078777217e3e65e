"""Writes a cell as a .runnel file, version 1, as Sources/Runnel/Runnel.docc/Format.md says."""

import struct

from .files import write_whole

SIGNATURE = bytes([0x89]) + b"RUNNEL\n"
OPERATION_CODES = {"lstm": 3, "gru": 4}
NO_TENSOR = 0xFFFFFFFF
F32 = 1


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC32C_TABLE = crc32c_table()


def crc32c(data):
    """The CRC-32C (Castagnoli) of bytes."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def padded(data):
    """Data, and zeros to a multiple of 64."""
    return data + bytes(-len(data) % 64)


def string(text):
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def listing(items):
    return struct.pack("<I", len(items)) + b"".join(items)


def model_bytes(weights, name="cell"):
    """The bytes of a model of one cell, whose hidden state is its prediction, with f32 weights."""
    tensors = [
        ("inputWeights", weights.input_weights),
        ("recurrentWeights", weights.recurrent_weights),
        ("bias", weights.bias),
    ]
    states = ["hidden"]
    if weights.cell == "gru":
        tensors.append(("candidateBias", weights.candidate_bias))
    else:
        states.append("cell")
    operation = struct.pack(
        "<H6B", OPERATION_CODES[weights.cell], 1, len(tensors), len(states), 0, 0, 0
    ) + struct.pack(f"<{1 + len(tensors) + len(states)}I", 0, *range(len(tensors)), *range(len(states)))
    program = (
        string("step")
        + listing([string("frame") + struct.pack("<II", 0, weights.input)])
        + listing([operation])
        + listing([string("hidden") + struct.pack("<I", 1)])
    )
    state_list = [string(state) + struct.pack("<II", weights.hidden, NO_TENSOR) for state in states]
    tensor_list = [
        string(tensor) + struct.pack(f"<4B{array.ndim}I", F32, 0, array.ndim, 0, *array.shape)
        for tensor, array in tensors
    ]
    sections = [
        listing(state_list) + listing([program]),
        listing(tensor_list),
        weights_section([array for _, array in tensors]),
        listing([string("name") + listing([string(name)])]),
        struct.pack("<fI", 0, 0),
    ]
    table = b"".join(
        struct.pack("<IIQ", kind, crc32c(section), len(section)) for kind, section in enumerate(sections, 1)
    ) + bytes(48)
    body = b"".join(padded(section) for section in sections)
    start = SIGNATURE + struct.pack("<IIQQ", 1, len(sections), 64 + len(table) + len(body), 0) + bytes(28)
    return start + struct.pack("<I", crc32c(start + table)) + table + body


def weights_section(arrays):
    """The numbers of the tensors, each from a multiple of 64."""
    section = b""
    for array in arrays:
        section = padded(section) + array.astype("<f4").tobytes()
    return section


def write_model(path, weights):
    """Writes a cell; the old file or the new one, never half of one."""
    write_whole(path, model_bytes(weights))
