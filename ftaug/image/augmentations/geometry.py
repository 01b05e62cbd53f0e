"""Geometric augmentations: flip, rotate, translate, scale, shear, affine, perspective."""

from __future__ import annotations

import math

import numpy as np

from ftaug.augment.transform import between, happens
from ftaug.config.types import Degrees
from ftaug.image import augmentation
from ftaug.image.augmentations import affine as affine_math
from ftaug.image.augmentations.labels import NO_SWAPS, Classes, LabelMap, NeverMirrored, swaps
from ftaug.image.augmentations.transforms import (
    Border,
    Canvas,
    Distortion,
    Homography,
    OpInterpolation,
    OpProbability,
    Range,
    Share,
    Tilt,
    matrix,
)

SPANS = {"degrees": (0.0, 90.0), "shift": (0.0, 0.5), "factor": ((1.0, 1.0), (0.4, 2.5)), "lean": (0.0, 45.0)}
"""Weakest and strongest parameter of each geometric transform, for the severity levels."""


@augmentation.register(mirrors="horizontally", severity={"probability": (0.0, 1.0)}, standard=True)
def horizontal_flip(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    probability: OpProbability = 0.5,
    label_map: LabelMap = NO_SWAPS,
    except_: NeverMirrored = (),
) -> Homography | None:
    """Flip the picture horizontally, left to right."""
    if not happens(rng, probability) or canvas.shows(except_):
        return None
    mirror = matrix([[-1, 0, canvas.width], [0, 1, 0], [0, 0, 1]])
    return Homography(mirror, canvas.height, canvas.width, relabels=swaps(label_map))


@augmentation.register(mirrors="vertically", severity={"probability": (0.0, 1.0)})
def vertical_flip(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    probability: OpProbability = 0.5,
    label_map: LabelMap = NO_SWAPS,
    except_: NeverMirrored = (),
) -> Homography | None:
    """Flip the picture vertically, top to bottom."""
    if not happens(rng, probability) or canvas.shows(except_):
        return None
    mirror = matrix([[1, 0, 0], [0, -1, canvas.height], [0, 0, 1]])
    return Homography(mirror, canvas.height, canvas.width, relabels=swaps(label_map))


@augmentation.register(turns=180.0, severity={"probability": (0.0, 1.0)})
def rotate90(
    canvas: Canvas, rng: np.random.Generator, *, probability: OpProbability = 0.75, except_: Classes = ()
) -> Homography | None:
    """Rotate the picture by 90, 180 or 270 degrees; height and width may be swapped.

    Settings:
        except: classes that are never turned
    """
    quarters = int(rng.integers(1, 4))
    if not happens(rng, probability) or canvas.shows(except_):
        return None
    return affine_math.quarters_turned(canvas, quarters)


@augmentation.register(turns="degrees", severity={"degrees": SPANS["degrees"]}, standard=True)
def rotate(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    degrees: Degrees = 15.0,
    probability: OpProbability = 1.0,
    border: Border = "constant",
    interpolation: OpInterpolation = None,
    except_: Classes = (),
) -> Homography | None:
    """Rotate the picture by a random angle about its center.

    Settings:
        degrees: the largest angle either way; uniform up to it
        except: classes that are never turned
    """
    angle = between(rng, -degrees, degrees)
    if not happens(rng, probability) or canvas.shows(except_):
        return None
    return affine_math.turned(canvas, angle, border).by(interpolation)


@augmentation.register(severity={"x": SPANS["shift"], "y": SPANS["shift"]})
def translate(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    x: Share = 0.1,
    y: Share = 0.1,
    probability: OpProbability = 1.0,
    border: Border = "constant",
    interpolation: OpInterpolation = None,
) -> Homography | None:
    """Translate the picture by a random share of its width and height.

    Settings:
        x: the largest shift to either side, as a share of the width; uniform up to it
        y: the largest shift up or down, as a share of the height; uniform up to it
    """
    right, down = between(rng, -x, x), between(rng, -y, y)
    return affine_math.shifted(canvas, right, down, border).by(interpolation) if happens(rng, probability) else None


@augmentation.register(severity={"factor": SPANS["factor"]})
def scale(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    factor: Range = (0.8, 1.25),
    probability: OpProbability = 1.0,
    border: Border = "constant",
    interpolation: OpInterpolation = None,
) -> Homography | None:
    """Scale the picture about its center (zoom in or out); the size in pixels stays.

    Settings:
        factor: the smallest and the largest zoom; log-uniform between them
    """
    zoom = math.exp(between(rng, math.log(factor[0]), math.log(factor[1])))
    return affine_math.zoomed(canvas, zoom, border).by(interpolation) if happens(rng, probability) else None


@augmentation.register(severity={"x": SPANS["lean"], "y": SPANS["lean"]})
def shear(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    x: Tilt = 10.0,
    y: Tilt = 0.0,
    probability: OpProbability = 1.0,
    border: Border = "constant",
    interpolation: OpInterpolation = None,
) -> Homography | None:
    """Shear the picture by random angles about its center.

    Settings:
        x: the largest angle, in degrees, by which upright lines lean to either side; uniform up to it
        y: the largest angle, in degrees, by which level lines rise or fall; uniform up to it
    """
    across, along = between(rng, -x, x), between(rng, -y, y)
    return affine_math.slanted(canvas, across, along, border).by(interpolation) if happens(rng, probability) else None


@augmentation.register(
    turns="degrees",
    severity={
        "degrees": SPANS["degrees"],
        "translate": SPANS["shift"],
        "scale": SPANS["factor"],
        "shear": SPANS["lean"],
    },
)
def affine(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    degrees: Degrees = 15.0,
    translate: Share = 0.1,
    scale: Range = (0.8, 1.25),
    shear: Tilt = 5.0,
    probability: OpProbability = 1.0,
    border: Border = "constant",
    interpolation: OpInterpolation = None,
    except_: Classes = (),
) -> Homography | None:
    """Rotate, translate, scale and shear the picture in one affine transform.

    Settings:
        degrees: the largest angle either way; uniform up to it
        translate: the largest shift along either axis, as a share of the width and height; uniform up to it
        scale: the smallest and the largest zoom; log-uniform between them
        shear: the largest angle, in degrees, by which upright lines lean to either side; uniform up to it
        except: classes that are never moved

    Shear, rotation and scaling about the center in this order, then translation, as in torchvision.
    """
    turn, lean = between(rng, -degrees, degrees), between(rng, -shear, shear)
    zoom = math.exp(between(rng, math.log(scale[0]), math.log(scale[1])))
    right, down = between(rng, -translate, translate), between(rng, -translate, translate)
    if not happens(rng, probability) or canvas.shows(except_):
        return None
    whole = affine_math.slanted(canvas, lean, 0, border).then(affine_math.turned(canvas, turn, border))
    whole = whole.then(affine_math.zoomed(canvas, zoom, border)).then(affine_math.shifted(canvas, right, down, border))
    return whole.by(interpolation).with_params(degrees=turn, shear=lean, scale=zoom, x=right, y=down)


@augmentation.register(severity={"distortion": (0.0, 0.6)})
def perspective(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    distortion: Distortion = 0.3,
    probability: OpProbability = 0.5,
    border: Border = "constant",
    interpolation: OpInterpolation = None,
) -> Homography | None:
    """Apply a random perspective transform: each corner moves inwards by a random amount.

    Settings:
        distortion: how far a corner moves at most, as a share of half the width and height
    """
    inwards = rng.uniform(0, distortion / 2, size=(4, 2))
    if not happens(rng, probability):
        return None
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    extent = np.array([canvas.width, canvas.height])
    targets = (corners + inwards * (1 - 2 * corners)) * extent
    values = {"corners": " ".join(f"{x:.3f},{y:.3f}" for x, y in inwards.tolist())}
    tilted = Homography(
        affine_math.homography(corners * extent, targets), canvas.height, canvas.width, border, values=values
    )
    return tilted.by(interpolation)
