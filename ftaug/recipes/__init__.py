"""Generation of experiment files by `ftaug init`: dataset facts, chosen hyperparameters with reasons, YAML."""
