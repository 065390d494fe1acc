"""First values of parameters that are exact, or drawn within bounds."""

import numpy as np

import tapegrad.compat.torch as torch
from tapegrad.compat.torch import nn


def test_kernels_that_pass_channels_through():
    kernel = nn.init.dirac_(torch.empty(2, 2, 3))
    expected = np.zeros((2, 2, 3))
    expected[0, 0, 1] = expected[1, 1, 1] = 1.0
    np.testing.assert_array_equal(kernel.numpy(), expected)
    x = torch.arange(10.0).reshape(1, 2, 5)
    np.testing.assert_array_equal(nn.functional.conv1d(x, kernel, padding=1).numpy(), x.numpy())


def test_normal_numbers_between_bounds():
    torch.manual_seed(1)
    found = nn.init.trunc_normal_(torch.empty(50, 40), std=2.0, a=-1.0, b=1.5).numpy()
    assert found.min() >= -1.0
    assert found.max() <= 1.5
    assert found.std() > 0.5


def test_a_share_of_each_column_is_zero():
    torch.manual_seed(1)
    found = nn.init.sparse_(torch.empty(10, 6), sparsity=0.25).numpy()
    np.testing.assert_array_equal((found == 0).sum(axis=0), [3] * 6)  # the next whole number


def test_tables_that_are_known():
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    frozen = nn.Embedding.from_pretrained(rows)
    assert not frozen.weight.requires_grad
    assert nn.Embedding.from_pretrained(rows, freeze=False).weight.requires_grad
    np.testing.assert_array_equal(frozen(torch.tensor([1, 0, 1])).numpy(), rows.numpy()[[1, 0, 1]])


def test_weights_of_recurrent_layers():
    layer = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    assert [len(names) for names in layer.all_weights] == [4] * 4
    assert layer.all_weights[1][0] is layer.weight_ih_l0_reverse
    layer.flatten_parameters()


def test_running_statistics_are_forgotten():
    layer = nn.BatchNorm1d(2)
    layer(torch.tensor([[1.0, 5.0], [3.0, 9.0]]))
    assert layer.running_mean.tolist() != [0.0, 0.0]
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0.0, 0.0]
    assert layer.running_var.tolist() == [1.0, 1.0]
    assert int(layer.num_batches_tracked) == 0


def test_sequences_of_several_lengths():
    parts = [torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0])]
    padded = nn.utils.rnn.pad_sequence(parts)
    back = nn.utils.rnn.unpad_sequence(padded, torch.tensor([3, 1]))
    for part, found in zip(parts, back, strict=True):
        np.testing.assert_array_equal(found.numpy(), part.numpy())
