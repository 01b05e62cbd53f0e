"""Train, resume, load and report on runs; shared by the commands."""
