import numpy as np
import torch

from ftaug.attribution.occlusion import occlude


def test_of_a_sum_it_is_the_sum_of_each_cell():
    sample = torch.arange(2 * 6 * 20, dtype=torch.float32).reshape(1, 2, 6, 20)
    rows, columns = np.array([0, 2, 6]), np.arange(0, 21, 2) // 1
    drops = occlude(
        lambda copies: copies.double().sum(dim=(1, 2, 3)).numpy(), sample, torch.ones(2, 1, 1), rows, columns
    )
    expected = np.add.reduceat(np.add.reduceat(sample.sum(dim=1)[0].numpy() - 2.0, rows[:-1]), columns[:-1], axis=1)
    np.testing.assert_allclose(drops, expected)


def test_more_cells_than_fit_into_memory_at_once():
    sample = torch.rand(1, 1, 20, 20, generator=torch.Generator().manual_seed(0))
    bounds = np.arange(21)
    drops = occlude(lambda copies: copies.sum(dim=(1, 2, 3)).numpy(), sample, torch.zeros(1, 1, 1), bounds, bounds)
    np.testing.assert_allclose(drops, sample[0, 0].numpy(), atol=1e-4)
