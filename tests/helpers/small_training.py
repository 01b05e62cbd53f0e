"""Small experiments of pictures, texts and sounds, built and trained in seconds."""

from ftaug.engine.loading.split import load_splits
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import Progress, fit
from ftaug.experiment_file import load

EXPERIMENT = """
data: {train: {digits: {per_class: 5}}, val: {split: 20%}, batch_size: 16, workers: 0}
backbone: {resnet20: {weights: letters}}
lr: {peak: 1e-2, schedule: constant}
train: {epochs: 1, precision: fp32}
"""
TEXTS = """
modality: text
data: {train: {docstrings: {per_class: 3}}, val: null, batch_size: 16, workers: 0}
backbone: {tiny_text: {weights: none, max_length: 24}}
lr: {peak: 1e-3, schedule: constant}
train: {epochs: 1, precision: fp32}
"""
SOUNDS = """
modality: audio
data: {train: {audio_folder: {path: ../sounds}}, val: null, batch_size: 8, workers: 0}
backbone: {hf: {path: ../network, seconds: 0.25}}
augment: [gain, noise]
lr: {peak: 1e-3, schedule: constant}
train: {epochs: 1, precision: fp32}
"""


def write_sounds(folder):
    """Write what SOUNDS reads beside the folder of the experiment: sounds and a network of transformers."""
    import sound_networks  # imports transformers, which the others do not need
    from sounds import write_classes

    write_classes(folder / "sounds", count=8)
    sound_networks.write(folder / "network", "wav2vec2")


def state_of(folder, text, *overrides):
    path = folder / "experiment.yaml"
    path.write_text(text)
    experiment = load(path, overrides)
    return build(experiment, "cpu", load_splits(experiment.data, experiment.seed), pretrained=True)


def trained(state):
    losses = [step.loss.item() for step in fit(state, Progress())]
    return losses, {name: tensor.clone() for name, tensor in state.model.network.state_dict().items()}
