"""`python -m ftaug`, and the `ftaug` command."""

import os
import sys


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
    main()
