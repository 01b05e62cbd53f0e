"""The script beside an export: it reads files, runs the artifact, and prints what is predicted, without this package.

One template; what differs is how a sample is read (by the modality), how the artifact runs (by the format), and how
the answer is decided (by the task).
"""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import NamedTuple

from ftaug.interfaces.export import Bundle, PipelineTask, ScriptSource
from ftaug.interfaces.model import Construction

METADATA_FILE = "ftaug.json"
"""File name of the metadata in a folder."""

SCRIPT = Template('''\
"""Predict with $artifact: python $script $argument...

Install before: pip install $packages
Prints a line for each sample: its name$columns. Ends with 65 if files could not be read.
"""

import csv
import json
import sys
from pathlib import Path

$imports

FOLDER = Path(__file__).parent
$load
classes = metadata["classes"]


$read

def run(inputs):
    """The model's answer to a batch: $answer."""
    $run


def decide(answer):
    """What is predicted for a sample, as columns of text."""
$decide


if __name__ == "__main__":
    table = csv.writer(sys.stdout, "excel-tab", lineterminator="\\n")
    code = 0
    for path in sys.argv[1:]:
        try:
            for name, inputs in read(path):
                table.writerow([name, *decide(run(inputs)[0])])
        except (OSError, RuntimeError, ValueError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            code = 65
    sys.exit(code)
''')

SINGLE_LABEL = """\
    best = answer.argmax()
    return classes[best], f"{answer[best]:.6f}\""""
MULTI_LABEL = """\
    thresholds = metadata.get("thresholds") or [0.5] * len(classes)
    labels = [name for name, is_present in zip(classes, answer > np.array(thresholds)) if is_present]
    return "|".join(labels), *(f"{name}={probability:.6f}" for name, probability in zip(classes, answer))"""
REGRESSION = """\
    return [f"{name}={value:.9g}" for name, value in zip(classes, answer)]"""


class Runner(NamedTuple):
    """Source code that loads and runs a format: sets `metadata`, and the body of `run`."""

    imports: tuple[str, ...]
    packages: tuple[str, ...]
    load: str
    run: str


def onnx_runner(input_name: str | None = None) -> Runner:
    """Generate code that runs an ONNX file with ONNX Runtime."""
    inputs = "inputs" if input_name is None else f"dict.fromkeys([{input_name!r}], *inputs.values())"
    return Runner(
        ("import onnxruntime",),
        ("onnxruntime",),
        'session = onnxruntime.InferenceSession(str(FOLDER / "$artifact"))\n'
        "properties = session.get_modelmeta().custom_metadata_map\n"
        'keys = properties.keys() & {"classes", "preprocessing", "thresholds"}\n'
        "metadata = {key: json.loads(properties[key]) for key in keys}",
        f'return session.run(["$output"], {inputs})[0]',
    )


TORCH_EXPORT = Runner(
    ("import torch",),
    ("torch",),
    'extra = {"ftaug.json": ""}\n'
    'module = torch.export.load(FOLDER / "$artifact", extra_files=extra).module()\n'
    'metadata = json.loads(extra["ftaug.json"])',
    "return module(*(torch.from_numpy(array) for array in inputs.values()))[0].numpy(force=True)",
)


FUNCTIONS = {"softmax": "softmax", "sigmoid": "sigmoid", "identity": "none"}
"""What a pipeline of transformers calls the function from logits to probabilities."""


def pipeline_runner(task: PipelineTask, activation: str, *, is_calibrated: bool = False) -> Runner:
    """Generate code that runs a folder with a transformers pipeline; calibrated, it takes logits from it."""
    # The function is named because older pipelines take the wrong one for `problem_type`.
    function = "none" if is_calibrated else FUNCTIONS[activation]
    arguments = ", ".join(("top_k=len(classes)", f'function_to_apply="{function}"', *task.options))
    scores = "np.array([scores[name] for name in classes])"
    return Runner(
        ("from transformers import pipeline",),
        ("torch", "transformers", *task.packages),
        f'classifier = pipeline("{task.name}", model=str(FOLDER / "$artifact"), device="cpu")\n'
        f'metadata = json.loads((FOLDER / "$artifact" / "{METADATA_FILE}").read_text(encoding="utf-8"))',
        f"entries = classifier([inputs], {arguments})[0]\n"
        '    scores = {entry["label"]: entry["score"] for entry in entries}\n'
        f"    {_calibrated(scores, activation) if is_calibrated else f'return [{scores}]'}",
    )


def _calibrated(logits: str, activation: str) -> str:
    """Generate code that returns the probabilities of a sample from its logits, by the calibration of the metadata."""
    return (
        'scale, bias = (np.array(metadata["calibration"][key]) for key in ("scale", "bias"))\n'
        f"    logits = {logits} * scale + bias\n"
        f"    {LOGITS_TO_PROBABILITIES[activation]}"
    )


LOGITS_TO_PROBABILITIES = {
    "softmax": "shifted = np.exp(logits - logits.max())\n    return [shifted / shifted.sum()]",
    "sigmoid": "return [np.exp(-np.logaddexp(0, -logits))]",
}


def construction_runner(construction: Construction, activation: str, *, is_calibrated: bool = False) -> Runner:
    """Generate code that loads weights into a network built by its library."""
    load = (
        f"{construction.code}\n"
        'load_model(network, str(FOLDER / "$artifact"))\n'
        "network.eval()\n"
        'with safe_open(FOLDER / "$artifact", "pt") as file:\n'
        '    metadata = json.loads(file.metadata()["ftaug"])\n'
        'mean, std = (torch.tensor(metadata["preprocessing"][key]).view(1, 3, 1, 1) for key in ("mean", "std"))'
    )
    calibrate = '    answer = answer * torch.tensor(metadata["calibration"]["scale"])'
    calibrate += ' + torch.tensor(metadata["calibration"]["bias"])\n'
    run = (
        "with torch.inference_mode():\n"
        '        answer = network((torch.from_numpy(inputs["pixels"]).float() / 255 - mean) / std)\n'
        f"{calibrate if is_calibrated else ''}"
        f"    {ACTIVATIONS[activation]}"
    )
    imports = ("import torch", "from safetensors import safe_open", "from safetensors.torch import load_model")
    packages = ("torch", "safetensors", *construction.packages)
    return Runner((*imports, *construction.imports), packages, load, run)


ACTIVATIONS = {
    "softmax": "return answer.softmax(1).numpy()",
    "sigmoid": "return answer.sigmoid().numpy()",
    "identity": 'scale = metadata["scale"] or {"mean": 0, "std": 1}\n'
    '    return answer.double().numpy() * np.array(scale["std"]) + np.array(scale["mean"])',
}


def write_script(bundle: Bundle, path: Path, runner: Runner, input_name: str) -> None:
    """Write the inference script of an artifact beside it, named like it plus `.py`."""
    if bundle.reading is None:
        return
    source = bundle.reading.source(input_name)
    path.with_name(f"{path.name}.py").write_text(_script(bundle, path.name, runner, source), encoding="utf-8")


def _script(bundle: Bundle, artifact: str, runner: Runner, source: ScriptSource) -> str:
    task = bundle.task
    output = "values" if task.regression else "probabilities"
    names = {"artifact": artifact, "output": output}
    return SCRIPT.substitute(
        names,
        script=f"{artifact}.py",
        argument=source.argument,
        packages=" ".join(sorted({*source.packages, *runner.packages, "numpy"})),
        columns=_columns(bundle),
        imports="\n".join(sorted({*source.imports, *runner.imports, "import numpy as np"}, key=_import_order)),
        load=Template(runner.load).substitute(names),
        read=source.code,
        answer=f"{output}, float32 (batch, {'targets' if task.regression else 'classes'})",
        run=Template(runner.run).substitute(names),
        decide=REGRESSION if task.regression else MULTI_LABEL if task.multi_label else SINGLE_LABEL,
    )


def _columns(bundle: Bundle) -> str:
    if bundle.task.regression:
        return " and the values"
    if bundle.task.multi_label:
        return ", the labels, and the probability of each"
    return ", the class and its probability"


def _import_order(line: str) -> tuple[bool, str]:
    return line.startswith("from "), line.split()[1]
