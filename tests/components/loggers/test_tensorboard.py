"""TensorBoard's event files hold scalars at their steps, settings and plots; a continued run purges what came after."""

import numpy as np
from logged_runs import logged_run
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ftaug.components.loggers.tensorboard import tensorboard


def events(folder):
    return EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0}).Reload()


def test_scalars_settings_and_plots(tmp_path):
    logger = tensorboard(logged_run(tmp_path))
    logger.log(1, {"train/loss": 2.5, "lr": 0.1})
    logger.log(2, {"train/loss": 1.5, "lr": 0.05})
    Image.new("RGB", (7, 5), (255, 0, 0)).save(tmp_path / "curves.png")
    logger.image("curves", tmp_path / "curves.png")
    logger.close("finished")
    shown = events(tmp_path)
    assert [(event.step, event.value) for event in shown.Scalars("train/loss")] == [(1, 2.5), (2, 1.5)]
    assert shown.Scalars("lr")[1].value == np.float32(0.05)
    (picture,) = shown.Images("curves")
    assert (picture.step, picture.width, picture.height) == (2, 7, 5)
    (text,) = shown.Tensors("settings/text_summary")
    assert b"epochs: 3" in text.tensor_proto.string_val[0]


def test_a_continued_run_purges_later_events(tmp_path):
    for step, values in ((0, {1: 9.0, 2: 8.0, 3: 7.0}), (2, {3: 1.0, 4: 0.5})):
        logger = tensorboard(logged_run(tmp_path, step))
        for number, value in values.items():
            logger.log(number, {"train/loss": value})
        logger.close("stopped")
    scalars = [(event.step, event.value) for event in events(tmp_path).Scalars("train/loss")]
    assert scalars == [(1, 9.0), (2, 8.0), (3, 1.0), (4, 0.5)]
