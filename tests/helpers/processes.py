"""Forked processes."""

import os
import pickle

from ftaug.engine.system.ranks import joined
from ftaug.engine.system.world import World


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


def in_ranks(folder, size, action):
    """Run an action in so many connected processes; return its results by rank, an error where one was raised."""
    rendezvous = folder / f"rendezvous-{size}-{len(list(folder.iterdir()))}"
    os.environ["FTAUG_RENDEZVOUS"] = str(rendezvous)
    files = [folder / f"{rendezvous.name}-{rank}.pickle" for rank in range(size)]

    def run(rank):
        try:
            with joined(World(rank, size, rank, size)) as ranks:
                result = action(ranks)
        except Exception as error:
            result = error
        files[rank].write_bytes(pickle.dumps(result))
        os._exit(0)

    children = []
    for rank in range(size):
        if (child := os.fork()) == 0:
            run(rank)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    del os.environ["FTAUG_RENDEZVOUS"]
    return [pickle.loads(file.read_bytes()) if file.exists() else None for file in files]
