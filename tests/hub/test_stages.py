"""Stages of encoders: the layers are the largest list, and tables of embeddings belong to the embeddings."""

from torch import nn

from ftaug.hub.stages import embeddings_of, stack_of


def base():
    network = nn.Module()
    network.convolutions = nn.ModuleList([nn.Linear(2, 2)])
    network.layers = nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 8)])
    network.pooler = nn.Linear(2, 2)
    network.positions = nn.Embedding(3, 2)
    return network


def test_the_stack_is_the_list_with_the_most_parameters():
    assert stack_of(base())[0] == "layers"


def test_embeddings_are_what_stands_before_the_layers_and_every_table():
    network = base()
    first = embeddings_of(network, {id(p) for p in network.layers.parameters()})
    assert {name for name, p in network.named_parameters() if id(p) in first} == {
        "convolutions.0.weight",
        "convolutions.0.bias",
        "positions.weight",
    }
