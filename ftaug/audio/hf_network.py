"""What `ftaug init` needs to know of a network of transformers for sounds, from its files alone."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ftaug.audio.hf_preprocessing import AST, ON_WAVEFORMS, fixed_window, unsupported
from ftaug.errors import BadData, MissingInput
from ftaug.hub.model_folder import has_weights, json_file, refuse_code

FILES = ("config.json", "preprocessor_config.json")


class HfNetwork(NamedTuple):
    """What a network takes."""

    rate: int  # sampling rate in Hz
    seconds: float | None  # how much of a sound it sees at once; None: any length
    takes_waveforms: bool
    normalizes: bool  # whether each sound is scaled to the same variance

    @classmethod
    def read(cls, path: str) -> HfNetwork:
        """Read the files of a folder or, from the Hub, of a name; raises BadData, MissingInput, Unavailable."""
        config, extractor = (json_file("--backbone", path, file) for file in FILES)
        refuse_code(f"--backbone: {path}", dict(zip(FILES, (config, extractor), strict=True)))
        if reason := unsupported(config):
            raise BadData(f"--backbone: {path} {reason}")
        rate = int(extractor.get("sampling_rate", 16_000))
        if config["model_type"] in ON_WAVEFORMS:
            return cls(rate, None, takes_waveforms=True, normalizes=bool(extractor.get("do_normalize", True)))
        if config["model_type"] == AST:
            samples = fixed_window("ast", rate, config.get("num_mel_bins", 128), config.get("max_length", 1024))
        else:
            samples = fixed_window("whisper", rate, 80, 2 * config.get("max_source_positions", 1500))
        return cls(rate, samples / rate, takes_waveforms=False, normalizes=False)


def check_weights(path: str) -> None:
    """Raise MissingInput for a folder without weights."""
    if Path(path).is_dir() and not has_weights(str(Path(path).resolve())):
        raise MissingInput(
            f"--backbone: {path} has no model.safetensors; write it with save_pretrained, or name --weights"
        )
