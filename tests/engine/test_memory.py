"""Freed memory is kept."""

import subprocess
import sys

import pytest

FAULTS_OF_LARGE_TENSORS = """
import resource, sys
import torch
from ftaug.engine.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
for _ in range(5):
    torch.ones(16_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(16_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(mode: str) -> int:
    code = [sys.executable, "-c", FAULTS_OF_LARGE_TENSORS, mode]
    return int(subprocess.run(code, capture_output=True, check=True, text=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_a_large_tensor_is_not_asked_from_the_kernel_twice() -> None:
    assert page_faults("default") > 200_000
    assert page_faults("keep") < 50_000
