"""The commands, one verb a file. Modules here import what is slow inside functions, for a quick `--help`."""
