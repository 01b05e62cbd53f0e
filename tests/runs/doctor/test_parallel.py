"""Worker processes compute in order, and a worker that dies is an error."""

import os
import signal

import pytest

from ftaug.errors import OutOfMemory
from ftaug.experiment_file import load
from ftaug.runs.doctor.parallel import CHUNK, parallel, worker_count


def square(number):
    return number * number, os.getpid()


def die(number):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_order_is_that_of_the_numbers(workers):
    count = 3 * CHUNK + 1
    values, processes = zip(*parallel(square, count, workers), strict=True)
    assert [*values] == [number * number for number in range(count)]
    assert (os.getpid() in processes) == (workers == 0)


def test_a_worker_that_dies_is_an_error():
    with pytest.raises(OutOfMemory, match="worker process died"):
        [*parallel(die, 2 * CHUNK, 2)]


def test_the_experiment_sets_the_number_of_workers(write):
    path = write("data: {train: digits, workers: 3}\nbackbone: resnet20\n")
    assert worker_count(load(path)) == 3
    assert 1 <= worker_count(load(path, ["data.workers=auto"])) <= 8
