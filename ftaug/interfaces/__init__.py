"""Data types and protocols shared by modalities, components and the engine; imports neither torch nor a modality.

Plugins import what they need from here.
"""

from ftaug.interfaces.data import ClassCounts, MeanLoss, Samples, SplitRows, Task
from ftaug.interfaces.model import Backbone, Stage, TrainingLength

__all__ = ["Backbone", "ClassCounts", "MeanLoss", "Samples", "SplitRows", "Stage", "Task", "TrainingLength"]
