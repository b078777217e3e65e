"""What reader and writer agree on: see "The frame of the file" in Format.md."""

SIGNATURE = bytes.fromhex("8952554E4E454C0A")
VERSION = 1
SECTIONS = 5
HEADER_BYTES = 64  # up to the section table
SECTIONS_START = 192
CRC_PLACE = 60
ALIGNMENT = 64
NOTHING = 0xFFFFFFFF  # where a number may be missing

PORT_KINDS = {"vector": 0, "index": 1}
TENSOR_TYPES = {"f32": 1, "f16": 2, "bf16": 3, "int8": 4}
ATTRIBUTE_ACCURACY, ATTRIBUTE_INPUT_BITS = 1, 2
ATTRIBUTE_NUMBERS = {"stride": 3, "width": 4, "count": 5, "dilation": 6}


def padding(length):
    """The number of zeros up to the next multiple of 64."""
    return -length % ALIGNMENT
