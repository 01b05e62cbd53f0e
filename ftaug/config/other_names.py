"""Map names of components and settings in other libraries to those of ftaug."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from ftaug.config.renamed import COMPONENTS

SPELLINGS = {
    "augmentation": {"colour_jitter": "color_jitter", "neighbours": "neighbors", "greyscale": "grayscale"},
}
"""By kind, British spellings of components: they work in a file as the American ones do, which is what is recorded."""

NAMES = {
    "augmentation": {
        "hflip": "horizontal_flip",
        "flip_horizontal": "horizontal_flip",
        "fliplr": "horizontal_flip",
        "flip": "horizontal_flip",
        "vflip": "vertical_flip",
        "flip_vertical": "vertical_flip",
        "flipud": "vertical_flip",
        "rotation": "rotate",
        "safe_rotate": "rotate",
        "rotate_90": "rotate90",
        "shift_scale_rotate": "affine",
        "translation": "translate",
        "color": "color_jitter",
        "colour": "color_jitter",
        "color_jiggle": "color_jitter",
        "hue_saturation_value": "hue, saturation and brightness",
        "brightness_contrast": "brightness and contrast",
        "to_gray": "grayscale",
        "gray": "grayscale",
        "grey": "grayscale",
        "to_grey": "grayscale",
        "blur": "gaussian_blur",
        "gauss_noise": "gaussian_noise",
        "jpeg_compression": "jpeg",
        "image_compression": "jpeg",
        "compression": "jpeg",
        "cutout": "coarse_dropout",
        "erasing": "random_erasing",
        "elastic_transform": "elastic",
        "adjust_sharpness": "sharpness",
        "sharpen": "sharpness",
        "adjust_gamma": "gamma",
        "color_temperature": "temperature",
        "trivial_augment_wide": "trivial_augment",
        "autoaug": "auto_augment",
        "choice": "one_of",
        "random_choice": "one_of",
        "random_apply": "apply",
        "compose": "apply",
        "sequential": "apply",
        "random_order": "shuffle",
        "synonym_replacement": "synonyms",
        "random_deletion": "delete",
        "random_swap": "swap",
        "random_insertion": "insert",
        "typos": "keyboard",
    },
    "mix": {"cut_mix": "cutmix", "mix_up": "mixup", "resize_mix": "resizemix", "random_choice": "one_of"},
    "loss": {
        "ce": "cross_entropy",
        "nll": "cross_entropy",
        "softmax": "cross_entropy",
        "categorical_crossentropy": "cross_entropy",
        "sparse_categorical_crossentropy": "cross_entropy",
        "label_smoothing": "cross_entropy: {label_smoothing: 0.1}",
        "bce": "binary_cross_entropy",
        "bce_with_logits": "binary_cross_entropy",
        "binary_crossentropy": "binary_cross_entropy",
        "multi_label_soft_margin": "binary_cross_entropy",
        "sigmoid_focal": "binary_focal",
        "l2": "mse",
        "mean_squared_error": "mse",
        "l1": "mae",
        "mean_absolute_error": "mae",
        "smooth_l1": "huber",
        "ordinal_regression": "ordinal",
    },
    "metric": {
        "acc": "accuracy",
        "top1": "accuracy",
        "multiclass_accuracy": "accuracy",
        "top5": "top_k: {k: 5}",
        "top5_accuracy": "top_k: {k: 5}",
        "topk_accuracy": "top_k",
        "roc_auc": "auroc",
        "auc": "auroc",
        "roc_auc_score": "auroc",
        "map": "average_precision",
        "m_ap": "average_precision",
        "ap": "average_precision",
        "mean_average_precision": "average_precision",
        "f1_score": "f1",
        "macro_f1": "f1: {average: macro}",
        "f1_macro": "f1: {average: macro}",
        "micro_f1": "f1: {average: micro}",
        "f1_micro": "f1: {average: micro}",
        "expected_calibration_error": "ece",
        "kappa": "quadratic_kappa",
        "qwk": "quadratic_kappa",
        "cohen_kappa": "quadratic_kappa",
        "mse": "rmse, its square root",
        "mean_squared_error": "rmse, its square root",
        "root_mean_squared_error": "rmse",
        "mean_absolute_error": "mae",
        "r2_score": "r2",
        "pearsonr": "pearson",
        "spearmanr": "spearman",
    },
    "optimizer": {
        "adam_w": "adamw",
        "adamw_torch": "adamw",
        "adamw_hf": "adamw",
        "momentum": "sgd: {momentum: 0.9}",
        "nesterov": "sgd: {momentum: 0.9, nesterov: true}",
        "rms_prop": "rmsprop",
    },
    "schedule": {
        "cosine_annealing": "cosine",
        "cosine_with_warmup": "cosine: {warmup: 5%}",
        "cosine_schedule_with_warmup": "cosine: {warmup: 5%}",
        "linear_schedule_with_warmup": "linear: {warmup: 5%}",
        "linear_with_warmup": "linear: {warmup: 5%}",
        "constant_with_warmup": "constant: {warmup: 5%}",
        "none": "constant",
        "multi_step": "multistep",
        "reduce_on_plateau": "plateau",
        "reduce_lr_on_plateau": "plateau",
        "poly": "polynomial",
        "wsd": "warmup_stable_decay",
        "trapezoidal": "warmup_stable_decay",
    },
    "sampler": {"weighted": "balanced", "weighted_random": "balanced", "class_balanced": "balanced"},
    "dataset": {
        "csv": "image_table, or text_table for texts",
        "table": "image_table, or text_table for texts",
        "folder": "image_folder, or text_folder for texts",
        "imagefolder": "image_folder",
        "directory": "image_folder, or text_folder for texts",
        "flowers": "flowers102",
        "pets": "oxford_iiit_pet",
    },
    "backbone": {
        "bert": "hf: {path: bert-base-uncased}",
        "bert_base_uncased": "hf: {path: bert-base-uncased}",
        "roberta_base": "hf: {path: roberta-base}",
        "distilbert_base_uncased": "hf: {path: distilbert-base-uncased}",
        "vit": "vit_b_16",
        "vit_base": "vit_b_16",
        "vit_base_patch16_224": "vit_b_16, or timm/vit_base_patch16_224",
        "swin_tiny": "swin_t",
        "efficientnet": "efficientnet_b0",
        "convnext": "convnext_tiny",
    },
    "exporter": {"pt": "torch_export", "torchscript": "torch_export", "huggingface": "transformers"},
}
"""By kind, names in snake case that a message answers with ours."""

ADVICE = {
    "augmentation": {
        "normalize": "pictures are normalized as the backbone's weights expect; leave it out",
        "normalise": "pictures are normalized as the backbone's weights expect; leave it out",
        "to_tensor": "pictures become tensors without it; leave it out",
        "to_tensor_v2": "pictures become tensors without it; leave it out",
        "to_image": "pictures become tensors without it; leave it out",
        "to_dtype": "pictures become tensors without it; leave it out",
        "convert_image_dtype": "pictures become tensors without it; leave it out",
        "rescale": "pictures are scaled as the backbone's weights expect; leave it out",
    }
}
"""By kind, names of what ftaug has no component for."""

SETTINGS = {
    "p": "probability",
    "prob": "probability",
    "angle": "degrees",
    "limit": "degrees",
    "lr": "lr.peak, a key of the experiment",
    "learning_rate": "lr.peak, a key of the experiment",
    "warmup_steps": "warmup",
    "warmup_epochs": "warmup",
    "warmup_ratio": "warmup",
    "weight": "class_weights",
    "pos_weight": "positive_weight",
    "smoothing": "label_smoothing",
    "pretrained": "weights",
    "checkpoint": "weights",
    "model": "path",
    "name": "path",
    "root": "path",
    "dir": "path",
    "folder": "path",
    "file": "path",
    "transforms": "ops",
    "column": "label",
    "sep": "labels_separator",
    "delimiter": "labels_separator",
}
"""Settings of components."""


def spelled(kind: str, name: str) -> str:
    """Normalize a component's name to ftaug's spelling."""
    return SPELLINGS.get(kind, {}).get(name, name)


def same_name(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that differs only in case, dashes and underscores."""
    return next((ours for ours in known if _compact(ours) == _compact(_snake(name))), None)


def hint(kind: str, name: str, components: Iterable[str]) -> str:
    """Return a hint such as `; in ftaug it is rotate` for a component name of another library."""
    snake, known = _snake(name), set(components)
    if advice := ADVICE.get(kind, {}).get(snake):
        return f"; {advice}"
    compact = {_compact(ours): ours for ours in known}
    if present := COMPONENTS.get(kind, {}).get(snake):
        return f"; it was renamed to {present}"
    for form in _forms(snake):
        ours = NAMES.get(kind, {}).get(form) or compact.get(_compact(form)) or spelled(kind, form)
        if _first(ours) in known:
            return f"; in ftaug it is {ours}"
    return ""


def setting_hint(key: str, known: Collection[str]) -> str:
    """Return a hint such as `; in ftaug it is probability` for a setting's name in other libraries."""
    ours = SETTINGS.get(_snake(key), "")
    return f"; in ftaug it is {ours}" if ours in known or " " in ours else ""


def _forms(snake: str) -> list[str]:
    """Return a name, also without the prefixes and suffixes that libraries use for a kind."""
    forms = [snake]
    for affix in ("random_", "torchvision.", "nn.", "torch."):
        forms += [form.removeprefix(affix) for form in forms]
    for affix in ("_loss", "_lr", "_transform", "_score", "_sampler", "_scheduler", "_metric"):
        forms += [form.removesuffix(affix) for form in forms]
    return list(dict.fromkeys(forms))


def _snake(name: str) -> str:
    """`RandomHorizontalFlip` and `random-horizontal-flip` → `random_horizontal_flip`."""
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[-_ ]+", "_", separated).lower().strip("_")


def _compact(name: str) -> str:
    return name.replace("_", "").lower()


def _first(ours: str) -> str:
    """Return the first component that a hint names."""
    return re.split(r"[:, ]", ours, maxsplit=1)[0]
