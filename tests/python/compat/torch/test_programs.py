"""Whole programs, as people write them, give PyTorch's numbers with another import alone."""

import numpy as np
import pytest
from torch_agreement import agree, give, needs_torch, numbers, ours, run

X = np.array([3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59, 2.167, 7.042, 10.791, 5.313,
              7.997, 5.654, 9.27, 3.1])  # fmt: skip
Y = np.array([1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53, 1.221, 2.827, 3.465, 1.65,
              2.904, 2.42, 2.94, 1.3])  # fmt: skip


def regression(torch):
    w = torch.tensor(0.5, requires_grad=True)
    b = torch.tensor(-0.5, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.01)
    for _ in range(20):
        for x, y in zip(X, Y, strict=True):
            optimizer.zero_grad()
            loss = (w * x + b - y) ** 2 / (2 * len(X))
            loss.backward()
            optimizer.step()
    return [w, b, loss]


def classifier(torch):
    nn, F = torch.nn, torch.nn.functional

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
            self.norm = nn.BatchNorm2d(4)
            self.conv2 = nn.Conv2d(4, 8, 3, padding=1, bias=False)
            self.fc = nn.Linear(8 * 2 * 2, 10)

        def forward(self, x):
            x = F.max_pool2d(F.relu(self.norm(self.conv1(x))), 2)
            x = F.max_pool2d(F.relu(self.conv2(x)), 2)
            return self.fc(torch.flatten(x, 1))

    model = give(torch, Net())
    data = torch.utils.data.TensorDataset(torch.tensor(numbers(24, 1, 8, 8)), torch.arange(24) % 10)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
    losses = []
    for _ in range(3):
        model.train()
        for images, labels in torch.utils.data.DataLoader(data, batch_size=10):
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
    model.eval()
    with torch.no_grad():
        scores = model(data.tensors[0])
    right = (scores.argmax(1) == data.tensors[1]).sum().item()
    return [losses, scores, right, model.state_dict()]


def letters(torch):
    nn, text = torch.nn, "hello world hello"
    known = sorted(set(text))
    ids = torch.tensor([known.index(c) for c in text])

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(len(known), 6)
            self.lstm = nn.LSTM(6, 10, num_layers=2, batch_first=True)
            self.out = nn.Linear(10, len(known))

        def forward(self, x, state=None):
            x, state = self.lstm(self.embed(x), state)
            return self.out(x), state

    model = give(torch, Model())
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.01)
    for _ in range(6):
        optimizer.zero_grad()
        scores, _ = model(ids[None, :-1])
        loss = nn.functional.cross_entropy(scores.view(-1, len(known)), ids[1:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
    state, letter, written = None, ids[:1].unsqueeze(0), []
    with torch.no_grad():
        for _ in range(5):
            scores, state = model(letter, state)
            letter = scores[:, -1].argmax(-1, keepdim=True)
            written.append(letter.item())
    return [loss, written, list(state), list(model.parameters())]


def adversaries(torch):
    nn = torch.nn
    g = give(torch, nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 2), nn.Tanh()))
    d = give(torch, nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1)), 1)
    loss = nn.BCEWithLogitsLoss()
    g_step = torch.optim.Adam(g.parameters(), lr=2e-3, betas=(0.5, 0.999))
    d_step = torch.optim.Adam(d.parameters(), lr=2e-3, betas=(0.5, 0.999))
    real, z = torch.tensor(numbers(6, 2)), torch.tensor(numbers(6, 4, seed=3))
    for _ in range(4):
        d.zero_grad()
        labels = torch.full((6,), 1.0)
        loss(d(real).view(-1), labels).backward()
        fake = g(z)
        labels.fill_(0.0)
        loss(d(fake.detach()).view(-1), labels).backward()
        between = (0.3 * real + 0.7 * fake.detach()).requires_grad_(True)
        score = d(between)
        (slope,) = torch.autograd.grad(score, between, torch.ones_like(score), create_graph=True)
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean() + 0.0 * score.mean()
        penalty.backward()
        d_step.step()
        g.zero_grad()
        loss(d(fake).view(-1), torch.ones(6)).backward()
        g_step.step()
    return [list(g.parameters()), list(d.parameters()), penalty]


def attention(torch):
    nn, F = torch.nn, torch.nn.functional

    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.key, self.query, self.value = (nn.Linear(8, 4, bias=False) for _ in range(3))
            self.register_buffer("tril", torch.tril(torch.ones(6, 6)))

        def forward(self, x):
            _, t, c = x.shape
            weights = self.query(x) @ self.key(x).transpose(-2, -1) * c**-0.5
            weights = weights.masked_fill(self.tril[:t, :t] == 0, float("-inf"))
            return F.softmax(weights, dim=-1) @ self.value(x)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.token, self.place = nn.Embedding(10, 8), nn.Embedding(6, 8)
            self.heads = nn.ModuleList([Head() for _ in range(2)])
            self.norm, self.out = nn.LayerNorm(8), nn.Linear(8, 10)

        def forward(self, ids, targets):
            b, t = ids.shape
            x = self.token(ids) + self.place(torch.arange(t))
            x = x + torch.cat([h(self.norm(x)) for h in self.heads], dim=-1)
            return F.cross_entropy(self.out(x).view(b * t, 10), targets.view(b * t))

    model = give(torch, Model())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    ids = torch.arange(12).view(2, 6) % 10
    for _ in range(4):
        loss = model(ids, (ids + 1) % 10)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return [loss, list(model.parameters())]


def learning_to_learn(torch):
    w = torch.tensor(numbers(3), requires_grad=True)
    x = torch.tensor(numbers(5, 3, seed=1))
    y = x.sum(1)
    fast = w
    for _ in range(3):
        loss = ((x @ fast - y) ** 2).mean()
        (g,) = torch.autograd.grad(loss, fast, create_graph=True)
        fast = fast - 0.1 * g
    ((x @ fast - y) ** 2).mean().backward()
    return [w.grad, fast]


def physics(torch):
    nn = torch.nn
    net = give(torch, nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)))
    t = torch.linspace(0, 1, 9).view(-1, 1).requires_grad_(True)
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=5, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        u = net(t)
        (du,) = torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)
        (ddu,) = torch.autograd.grad(du, t, torch.ones_like(du), create_graph=True)
        loss = torch.mean((ddu + 4 * du + 4 * u) ** 2) + (net(torch.zeros(1, 1)).squeeze() - 1) ** 2
        loss.backward()
        return loss

    return [optimizer.step(closure) for _ in range(3)]


def truncated(torch):
    nn = torch.nn
    rnn, out = give(torch, nn.GRU(2, 4, batch_first=True)), give(torch, nn.Linear(4, 1), 1)
    params = [*rnn.parameters(), *out.parameters()]
    optimizer = torch.optim.SGD(params, lr=0.05, momentum=0.9, nesterov=True)
    x, h = torch.tensor(numbers(1, 12, 2)), torch.zeros(1, 1, 4)
    shadow = {n: p.data.clone() for n, p in rnn.named_parameters()}
    for k in range(0, 12, 4):
        h = h.detach()
        y, h = rnn(x[:, k : k + 4], h)
        (out(y).pow(2).mean() / 2).backward()
        if k != 4:
            optimizer.step()
            optimizer.zero_grad()
        for n, p in rnn.named_parameters():
            shadow[n] = 0.9 * shadow[n] + 0.1 * p.data
    return [h, shadow, params]


def factors(torch):
    a = torch.tensor(numbers(6, 5))
    u = (torch.tensor(numbers(6, 2, seed=1)) * 0.1).requires_grad_()
    v = (torch.tensor(numbers(5, 2, seed=2)) * 0.2).requires_grad_()
    optimizer = torch.optim.Adagrad([{"params": [u], "lr": 0.3}, {"params": [v]}], lr=0.5)
    for _ in range(10):
        optimizer.zero_grad()
        loss = torch.norm(a - u @ v.t()) ** 2 + 0.1 * (u.norm() ** 2 + v.norm() ** 2)
        loss.backward()
        optimizer.step()
    near = ((a[:, None] - a[None]) ** 2).sum(-1).topk(3, largest=False)
    clusters = [a[near.indices[k]].mean(0) for k in range(2)]
    return [loss, u, v, near.values, near.indices, torch.stack(clusters), torch.linalg.svdvals(a)]


PROGRAMS = [
    regression, classifier, letters, adversaries, attention, learning_to_learn, physics, truncated,
    factors,
]  # fmt: skip


@needs_torch
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_programs(program):
    agree(program, rtol=1e-8 if program in (classifier, letters, physics) else 1e-9, atol=1e-10)


def test_the_regression_is_that_of_plain_code():
    w, b = 0.5, -0.5
    for _ in range(20):
        for x, y in zip(X, Y, strict=True):
            e = (w * x + b - y) / len(X)
            w, b = w - 0.01 * e * x, b - 0.01 * e
    found = run(ours, regression)
    np.testing.assert_allclose([float(found[0]), float(found[1])], [w, b], rtol=1e-12)


def test_training_learns():
    losses, *_ = run(ours, classifier)
    assert sum(losses[-3:]) < sum(losses[:3])


def test_a_loop_holds_its_memory():
    from tapegrad import _core

    model = ours.nn.Sequential(ours.nn.Linear(4, 8), ours.nn.ReLU(), ours.nn.Linear(8, 1))
    optimizer = ours.optim.Adam(model.parameters())
    total, live = 0.0, []
    for k in range(60):
        loss = model(ours.ones(3, 4)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach()
        if k in (20, 59):
            live.append(_core.live_nodes())
    assert live[0] == live[1]
