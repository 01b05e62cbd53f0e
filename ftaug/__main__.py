"""`python -m ftaug`."""

from ftaug.cli import main

if __name__ == "__main__":
    main()
