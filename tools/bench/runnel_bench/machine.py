"""The machine that figures were taken on."""

import datetime
import os
from pathlib import Path


def cpu_fields():
    """The fields of the first processor in /proc/cpuinfo."""
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if not line.strip():
            break
        name, _, value = line.partition(":")
        fields[name.strip()] = value.strip()
    return fields


def cpu_name():
    return cpu_fields().get("model name", "unknown CPU")


def cpu_key():
    """Vendor, family and model: what a CPU's thresholds go by."""
    fields = cpu_fields()
    return "/".join(fields.get(name, "?") for name in ("vendor_id", "cpu family", "model"))


def has_wide_dot_products():
    """Whether the CPU has what the probe needs: AVX-512 with VNNI and BF16."""
    return {"avx512f", "avx512_vnni", "avx512_bf16"} <= set(cpu_fields().get("flags", "").split())


def today():
    return datetime.date.today().isoformat()


def pin(core):
    """Keeps this process and those that it starts on one core; None for the first that it may use."""
    allowed = sorted(os.sched_getaffinity(0))
    core = allowed[0] if core is None else core
    if core not in allowed:
        raise ValueError(f"found --core {core}, expected one of those that this process may use: {allowed}")
    os.sched_setaffinity(0, {core})
    return core


def pin_to(count):
    """Keeps this process and those that it starts on so many cores, the first that it may use."""
    allowed = sorted(os.sched_getaffinity(0))
    if count > len(allowed):
        raise ValueError(f"found {count} threads, expected at most {len(allowed)}, as many as there are cores to use")
    os.sched_setaffinity(0, allowed[:count])
