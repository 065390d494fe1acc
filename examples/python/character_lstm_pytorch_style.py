"""Learn a text letter by letter with an LSTM, as a PyTorch program does.

Run it: python examples/python/character_lstm_pytorch_style.py
"""

import tapegrad.compat.torch as torch
from tapegrad.compat.torch import nn

text = "she sells sea shells by the sea shore, the shells she sells are sea shells for sure. "
letters = sorted(set(text))
number = {letter: k for k, letter in enumerate(letters)}
ids = torch.tensor([number[letter] for letter in text])


class Letters(nn.Module):
    """Scores of the next letter, for each letter of a text."""

    def __init__(self, n_letters, hidden):
        super().__init__()
        self.embed = nn.Embedding(n_letters, 12)
        self.lstm = nn.LSTM(12, hidden, batch_first=True)
        self.out = nn.Linear(hidden, n_letters)

    def forward(self, x, state=None):
        """(scores, state)."""
        x, state = self.lstm(self.embed(x), state)
        return self.out(x), state


torch.manual_seed(0)
model = Letters(len(letters), 48)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
inputs, targets = ids[:-1].unsqueeze(0), ids[1:].unsqueeze(0)

for step in range(80):
    optimizer.zero_grad()
    scores, _ = model(inputs)
    loss = criterion(scores.view(-1, len(letters)), targets.view(-1))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step}: loss {loss.item():.3f}")

model.eval()
written, state = "she ", None
with torch.no_grad():
    letter = ids[:4].unsqueeze(0)
    for _ in range(32):
        scores, state = model(letter, state)
        letter = scores[:, -1].argmax(dim=-1, keepdim=True)
        written += letters[letter.item()]
print(f"it goes on: {written!r}")
