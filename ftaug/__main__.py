"""`python -m ftaug`."""

from ftaug.cli import main

main()
