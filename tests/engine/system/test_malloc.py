"""Memory that is freed stays with the process, until it forks."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")

PROGRAM = """
import resource, torch
from pathlib import Path
from ftaug.engine.system import device, malloc

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

def step():
    before = faults()
    torch.ones(40_000_000), torch.ones(20_000_000)
    return faults() - before

device.prepare_process(device.choose("cpu", "fp32"))
start = resident()
steps = [step() for _ in range(12)]  # the first few find what is free in pieces
kept = resident()
malloc.give_back()
print(steps[0], min(steps), kept - start, resident() - start)
"""


def test_what_a_step_frees_the_next_one_takes_without_asking_the_system():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    first, least, kept, left = map(int, done.stdout.split())
    assert first > 10_000  # 240 MB in pages of 4 KB
    assert least < 100
    assert kept > 200e6
    assert left < 20e6
