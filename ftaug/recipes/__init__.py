"""First experiment files, as `ftaug init` writes them: the facts, the chosen settings with reasons, and their YAML."""
