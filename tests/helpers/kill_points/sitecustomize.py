"""Ends a process at a named point, if this folder is on PYTHONPATH: KILL_POINT=KIND|TEXT|NUMBER|before or after.

KIND is that of a file operation below KILL_ROOT whose path contains TEXT, or `call` for a function, MODULE:NAME. The
file KILL_MARK is created first, with the monotonic time and the CPU time of the process. KILL_SIGNAL is sent instead of
SIGKILL; each call of the function takes KILL_PACE seconds longer.
"""

import importlib.abc
import importlib.machinery
import os
import signal
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))


PACE = float(os.environ.get("KILL_PACE", "0"))


def die() -> None:
    Path(os.environ["KILL_MARK"]).write_text(f"{time.monotonic()} {time.process_time()}")
    os.kill(os.getpid(), signal.Signals[os.environ.get("KILL_SIGNAL", "SIGKILL")])


class KilledCall(importlib.abc.MetaPathFinder):
    """Replaces a function of a module, as soon as it is imported, by one that ends the process at its n-th call."""

    def __init__(self, module: str, name: str, number: int) -> None:
        self.module, self.name, self.left = module, name, number

    def find_spec(self, fullname, path, target=None):
        if fullname != self.module:
            return None
        specification = importlib.machinery.PathFinder.find_spec(fullname, path)
        load = specification.loader.exec_module

        def exec_module(module):
            load(module)
            real = getattr(module, self.name)

            def counted(*arguments, **options):
                self.left -= 1
                if self.left == 0:
                    die()
                time.sleep(PACE)
                return real(*arguments, **options)

            setattr(module, self.name, counted)

        specification.loader.exec_module = exec_module
        return specification


if "KILL_POINT" in os.environ:
    kind, text, number, moment = os.environ["KILL_POINT"].split("|")
    if kind == "call":
        sys.meta_path.insert(0, KilledCall(*text.split(":"), int(number)))
    else:
        import file_operations

        file_operations.end_process = die
        handler = file_operations.Killing(kind, text, int(number), after=moment == "after")
        file_operations.Interceptor(Path(os.environ["KILL_ROOT"]), handler).install()
