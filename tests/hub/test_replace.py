"""Copies of a model with other submodules share all that is not replaced, and leave the model as it is."""

from torch import nn

from ftaug.hub.replace import with_submodules


def test_replaced_submodules_are_in_the_copy_alone():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)))
    kept, replaced = model[1][0], model[1][1]
    instead = nn.Identity()
    bare = with_submodules(model, {"1.1": instead, "0": instead})
    assert (bare[0], bare[1][0], bare[1][1]) == (instead, kept, instead)
    assert model[1][1] is replaced and isinstance(model[0], nn.Linear)
