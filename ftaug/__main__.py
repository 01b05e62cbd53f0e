"""`python -m ftaug`, and the `ftaug` command."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line; a signal during its imports ends it as one that comes later does."""
    try:
        if next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None) == "train":
            from ftaug.engine.system.signals import hold

            hold()
        from ftaug import cli

        cli.main()
    except KeyboardInterrupt:
        os._exit(130)


if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path[0] != str(Path(__file__).parents[1]):
        del sys.path[0]  # the working folder, put there by `python -m`: its files must not replace modules
    main()
