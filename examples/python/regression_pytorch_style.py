"""Fit a line as a PyTorch program does: only its imports were changed.

Run it: python examples/python/regression_pytorch_style.py
"""

import numpy as np

import tapegrad.compat.torch as torch
from tapegrad.compat.torch import nn, optim

train_x = torch.tensor([3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59,
                        2.167, 7.042, 10.791, 5.313, 7.997, 5.654, 9.27, 3.1])  # fmt: skip
train_y = torch.tensor([1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53,
                        1.221, 2.827, 3.465, 1.65, 2.904, 2.42, 2.94, 1.3])  # fmt: skip
n_samples = len(train_x)


class Line(nn.Module):
    """y = weight * x + bias."""

    def __init__(self):
        super().__init__()
        rng = np.random.RandomState(0)
        self.weight = nn.Parameter(torch.tensor(rng.randn()))
        self.bias = nn.Parameter(torch.tensor(rng.randn()))

    def forward(self, x):
        """The line at x."""
        return x * self.weight + self.bias


model = Line()
optimizer = optim.SGD(model.parameters(), lr=0.01)

for _epoch in range(100):
    for x, y in zip(train_x, train_y, strict=True):
        optimizer.zero_grad()
        loss = (model(x) - y) ** 2 / (2 * n_samples)
        loss.backward()
        optimizer.step()

with torch.no_grad():
    train_error = ((model(train_x) - train_y) ** 2).sum() / (2 * n_samples)
print(
    f"weight = {model.weight.item():.5f}, bias = {model.bias.item():.5f}, "
    f"train error = {train_error.item():.5f}"
)
