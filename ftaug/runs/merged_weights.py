"""Export a run's best weights, PEFT weights merged, as a safetensors file to initialize other runs."""

from pathlib import Path

from safetensors.torch import save

from ftaug.engine.system.run_files import MODEL_FILE
from ftaug.engine.system.storage import make_inside, replace, storage_errors
from ftaug.runs.open_run import open_run


def merged_weights(run: Path, *, trust_plugins: bool) -> Path:
    """Write exports/merged.safetensors of a run; return its path."""
    opened = open_run(run, "cpu", trust_plugins=trust_plugins)
    path = (run / "exports" / "merged.safetensors").absolute()
    tensors = {name: tensor.contiguous() for name, tensor in opened.model.network.state_dict().items()}
    with storage_errors(f"{path.parent}: cannot be written"):
        make_inside(path.parent)
        replace(path, save(tensors, {"ftaug": (run / MODEL_FILE).read_text(encoding="utf-8")}))
    return path
