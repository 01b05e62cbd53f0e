"""Products with a matrix of bands, such as of mel filters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

COLUMNS = 16
"""Columns of a block; narrower ones are slow, in wider ones more is 0."""


class BandedProduct(nn.Module):
    """Multiply by a matrix whose columns are nonzero in neighboring rows, further down from column to column.

    A few columns at a time, without the rows that are 0 in them: of 128 mel filters that is an eighth of the matrix,
    and takes a quarter of the time.
    """

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.rows = []
        for start in range(0, matrix.shape[1], COLUMNS):
            block = matrix[:, start : start + COLUMNS]
            used = block.any(dim=1).nonzero().flatten().tolist() or [0]
            rows = slice(used[0], used[-1] + 1)
            self.rows.append(rows)
            self.register_buffer(f"block{start}", block[rows].contiguous(), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Map (…, rows) to (…, columns)."""
        blocks = zip(self.rows, self.buffers(), strict=True)
        return torch.cat([values[..., rows] @ block for rows, block in blocks], dim=-1)
