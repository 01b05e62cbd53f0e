"""Forked processes."""

import os


def in_child(action) -> int:
    """Run in a forked process; return its exit code, or the signal's number negated."""
    child = os.fork()
    if child == 0:
        try:
            code = action() or 0
        except BaseException as error:
            code = getattr(error, "exit_code", 99)
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
