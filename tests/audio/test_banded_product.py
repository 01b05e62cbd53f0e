"""Products by blocks of columns against the whole product."""

import pytest
import torch

from ftaug.audio.banded_product import BandedProduct
from ftaug.audio.front_ends import FRONT_ENDS, front_end


@pytest.mark.parametrize("name", FRONT_ENDS)
@pytest.mark.parametrize("mels", [8, 40, 128])
def test_mel_filters(name, mels):
    filters = torch.from_numpy(front_end(name, 16_000, mels).filters)
    product, values = BandedProduct(filters), torch.rand(2, 3, len(filters), dtype=torch.float64)
    torch.testing.assert_close(product(values), values @ filters)
    assert mels == 8 or sum(block.numel() for block in product.buffers()) < filters.numel() / 2


def test_columns_of_zeros_and_full_matrices():
    for matrix in (torch.zeros(20, 40), torch.rand(20, 40), torch.eye(40)[:, :17]):
        values = torch.rand(5, len(matrix))
        torch.testing.assert_close(BandedProduct(matrix)(values), values @ matrix)
