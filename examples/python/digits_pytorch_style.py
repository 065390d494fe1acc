"""Recognise digits with a small convolutional network, as a PyTorch program does.

The digits are scikit-learn's: pip install scikit-learn

Run it: python examples/python/digits_pytorch_style.py
"""

import tapegrad.compat.torch as torch
import tapegrad.compat.torch.nn.functional as F  # noqa: N812 - PyTorch's habit
from tapegrad.compat.torch import nn, optim
from tapegrad.compat.torch.utils.data import DataLoader, TensorDataset, random_split

try:
    from sklearn.datasets import load_digits
except ImportError:
    raise SystemExit("the digits are scikit-learn's: pip install scikit-learn") from None


class Net(nn.Module):
    """Two convolutions and two linear layers."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=3, padding=1)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, kernel_size=3, padding=1)
        self.drop = nn.Dropout(0.2)
        self.fc1 = nn.Linear(16 * 2 * 2, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        """Scores of the ten digits."""
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = self.drop(F.relu(self.fc1(torch.flatten(x, 1))))
        return self.fc2(x)


torch.manual_seed(0)
images, labels = load_digits(return_X_y=True)
images = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) / 16
dataset = TensorDataset(images, torch.tensor(labels, dtype=torch.long))
train, test = random_split(dataset, [1437, 360])

model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=3e-3)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)

for epoch in range(8):
    model.train()
    total = 0.0
    for x, y in DataLoader(train, batch_size=64, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    scheduler.step()
    print(f"epoch {epoch}: loss {total / len(train):.4f}")

model.eval()
correct = 0
with torch.no_grad():
    for x, y in DataLoader(test, batch_size=360):
        correct += (model(x).argmax(dim=1) == y).sum().item()
accuracy = correct / len(test)
print(f"accuracy above 95 %: {accuracy > 0.95} ({100 * accuracy:.1f} %)")
