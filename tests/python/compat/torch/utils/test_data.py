"""Batches of data sets."""

import numpy as np
import pytest
from torch_agreement import agree, needs_torch, numbers, ours

data = ours.utils.data


@needs_torch
def test_batches_in_order():
    def program(torch):
        D = torch.utils.data
        x, y = torch.tensor(numbers(7, 2)), torch.arange(7)

        class Squares(D.Dataset):
            def __len__(self):
                return 5

            def __getitem__(self, k):
                return {
                    "x": np.array([k, k * k], dtype=np.float32),
                    "y": k,
                    "z": (float(k), f"n{k}"),
                }

        batches = list(D.DataLoader(D.TensorDataset(x, y), batch_size=3))
        dropped = list(D.DataLoader(D.TensorDataset(x, y), batch_size=3, drop_last=True))
        odd = list(D.DataLoader(Squares(), batch_size=2))
        joined = D.ConcatDataset([D.TensorDataset(y), D.TensorDataset(y + 10)])
        own = list(
            D.DataLoader(D.Subset(joined, [9, 0]), batch_size=2, collate_fn=lambda b: len(b))
        )
        lengths = [len(D.DataLoader(joined, batch_size=4)), len(joined), len(dropped)]
        return [batches, dropped, odd, own, lengths, [list(p) for p in (joined[8], joined[-1])]]

    agree(program)


def test_shuffles_repeat_with_a_seed():
    x = ours.arange(20)

    def order(seed):
        loader = data.DataLoader(
            data.TensorDataset(x), 4, shuffle=True, generator=ours.Generator().manual_seed(seed)
        )
        return ours.cat([b for (b,) in loader]).tolist()

    assert order(1) == order(1) != order(2)
    assert sorted(order(1)) == list(range(20))


def test_splits_and_samplers():
    x = ours.arange(10)
    a, b = data.random_split(
        data.TensorDataset(x), [7, 3], generator=ours.Generator().manual_seed(0)
    )
    assert sorted(int(v) for part in (a, b) for (v,) in part) == list(range(10))
    assert [len(p) for p in data.random_split(data.TensorDataset(x), [0.5, 0.25, 0.25])] == [
        6,
        2,
        2,
    ]
    sampler = data.WeightedRandomSampler([0.0, 1.0, 0.0], 5)
    assert list(sampler) == [1] * 5
    assert list(data.BatchSampler(data.SequentialSampler(x), 4, True)) == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
    ]
    with pytest.raises(ValueError, match="both say the order"):
        data.DataLoader(x, sampler=sampler, shuffle=True)
    with pytest.raises(ValueError, match="the first lengths differ"):
        data.TensorDataset(x, x[:3])
