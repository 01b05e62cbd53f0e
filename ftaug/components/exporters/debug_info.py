"""Remove from an exported program what only its author's machine can use: stack traces, source paths, a real sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir
    from torch.export import ExportedProgram


def strip_onnx(model: onnx_ir.Model) -> None:
    """Clear the metadata of graphs, nodes and values, in place; that of the model itself stays."""
    for value in model.graph.initializers.values():
        value.metadata_props.clear()
    graphs: list[onnx_ir.Graph | onnx_ir.Function] = [model.graph, *model.functions.values()]
    for graph in graphs:
        graph.metadata_props.clear()
        for value in graph.inputs:
            value.metadata_props.clear()
        for node in graph.all_nodes():
            node.metadata_props.clear()
            node.doc_string = None
            for value in node.outputs:
                value.metadata_props.clear()


def strip_program(program: ExportedProgram) -> None:
    """Drop stack traces, and replace the traced sample by ones (AOTInductor needs an example), in place."""
    import torch

    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                node.meta.pop("stack_trace", None)
    arguments, keywords = program.example_inputs
    program.example_inputs = (tuple(torch.ones_like(tensor) for tensor in arguments), keywords)
