"""What modalities, components and the engine pass to each other. Imports neither torch nor any modality.

What a plugin needs can be imported from here.
"""

from ftaug.interfaces.data import ClassCounts, MeanLoss, Samples, SplitRows, Task
from ftaug.interfaces.model import Backbone, Stage, TrainingLength

__all__ = ["Backbone", "ClassCounts", "MeanLoss", "Samples", "SplitRows", "Stage", "Task", "TrainingLength"]
