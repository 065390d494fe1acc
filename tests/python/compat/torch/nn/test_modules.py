"""Layers with PyTorch's weights give its numbers; names, states, modes and hooks are its."""

import copy
import io

import numpy as np
import pytest
from torch_agreement import agree, give, needs_torch, numbers, ours

nn = ours.nn
X, IMAGE, SEQUENCE = numbers(5, 6), numbers(3, 2, 8, 8), numbers(4, 5, 3)

MODULES = {
    "mlp": (
        lambda nn: nn.Sequential(
            nn.Linear(6, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 2, bias=False)
        ),
        X,
    ),
    "norms": (lambda nn: nn.Sequential(nn.BatchNorm1d(6), nn.ELU(), nn.RMSNorm(6), nn.PReLU(6)), X),
    "cnn": (
        lambda nn: nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.GroupNorm(2, 4),
            nn.Conv2d(4, 3, (2, 3), stride=2, padding=1, dilation=1, padding_mode="circular"),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(12, 3),
            nn.LogSoftmax(dim=1),
        ),
        IMAGE,
    ),
    "transposed": (
        lambda nn: nn.Sequential(
            nn.ConvTranspose2d(2, 4, 3, 2, 1, output_padding=1), nn.InstanceNorm2d(4, affine=True)
        ),
        IMAGE,
    ),
    "conv1d": (
        lambda nn: nn.Sequential(
            nn.Conv1d(5, 4, 2, groups=1), nn.ReflectionPad1d(1), nn.ZeroPad2d(1), nn.GELU()
        ),
        SEQUENCE,
    ),
    "lstm": (
        lambda nn: nn.LSTM(3, 4, num_layers=2, batch_first=True, bidirectional=True),
        SEQUENCE,
    ),
    "lstm no bias": (lambda nn: nn.LSTM(3, 4, bias=False), SEQUENCE),
    "gru": (lambda nn: nn.GRU(3, 4, num_layers=2, bidirectional=True), SEQUENCE),
    "rnn": (lambda nn: nn.RNN(3, 4, nonlinearity="relu", batch_first=True), SEQUENCE),
    "rnn unbatched": (lambda nn: nn.RNN(3, 4), SEQUENCE[0]),
    "lstm unbatched": (lambda nn: nn.LSTM(3, 4, 2), SEQUENCE[0]),
    "attention": (
        lambda nn: nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True),
        numbers(2, 4, 6),
    ),
    "encoder": (
        lambda nn: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(6, 3, 8, 0.0, "gelu", norm_first=True, batch_first=True),
            2,
            enable_nested_tensor=False,
        ),
        numbers(2, 4, 6),
    ),
}


@needs_torch
@pytest.mark.parametrize("name", MODULES)
def test_values_and_gradients(name):
    make, x = MODULES[name]

    def program(torch):
        module = give(torch, make(torch.nn))
        inputs = torch.tensor(x, requires_grad=True)
        out = module(inputs)
        parts = (
            [out]
            if isinstance(out, torch.Tensor)
            else [out[0], *(out[1] if isinstance(out[1], tuple) else out[1:])]
        )
        sum((p * torch.cos(p.detach())).sum() for p in parts).backward()
        grads = [(k, p.grad) for k, p in module.named_parameters()]
        module.eval()
        with torch.no_grad():
            again = module(inputs)
        return [parts, inputs.grad, grads, again, module.state_dict()]

    agree(program, rtol=1e-9)


@needs_torch
def test_cells_and_states():
    def program(torch):
        cells = [torch.nn.LSTMCell(3, 4), torch.nn.GRUCell(3, 4), torch.nn.RNNCell(3, 4)]
        lstm, gru, rnn = (give(torch, c, k) for k, c in enumerate(cells))
        x = torch.tensor(SEQUENCE[0], requires_grad=True)
        h, c = lstm(x)
        h, c = lstm(x, (h, c))
        g = gru(x, h)
        r = rnn(x, g)
        (h + c + g * r).sum().backward()
        deep = give(torch, torch.nn.LSTM(3, 4, 2))
        h0, c0 = (torch.tensor(numbers(2, 5, 4, seed=k)) for k in (1, 2))
        out, (hn, cn) = deep(torch.tensor(SEQUENCE), (h0, c0))
        return [h, c, g, r, x.grad, [p.grad for p in lstm.parameters()], out, hn, cn]

    agree(program)


@needs_torch
def test_attention_weights_and_masks():
    def program(torch):
        attention = give(torch, torch.nn.MultiheadAttention(6, 2))
        q, k = torch.tensor(numbers(4, 3, 6)), torch.tensor(numbers(5, 3, 6, seed=1))
        mask = torch.tensor(np.triu(np.ones((4, 5)), 2).astype(bool))
        padding = torch.zeros(3, 5, dtype=torch.bool)
        padding[1, 3:] = True
        parts = [*attention(q, k, k), *attention(q, k, k, attn_mask=mask)]
        parts += [*attention(q, k, k, key_padding_mask=padding, average_attn_weights=False)]
        return [*parts, torch.nn.Transformer.generate_square_subsequent_mask(3)]

    agree(program)


@needs_torch
def test_losses_and_embeddings_as_modules():
    def program(torch):
        nn = torch.nn
        x, y = torch.tensor(X, requires_grad=True), torch.tensor(numbers(5, 6, seed=2))
        classes, weight = torch.tensor([0, 1, 5, 2, 2]), torch.tensor(np.arange(6) + 1.0)
        table = give(torch, nn.Embedding(7, 3, padding_idx=2))
        bag = give(torch, nn.EmbeddingBag(7, 3))
        losses = [
            nn.MSELoss()(x, y),
            nn.L1Loss(reduction="sum")(x, y),
            nn.SmoothL1Loss(beta=0.5)(x, y),
            nn.HuberLoss(delta=0.4)(x, y),
            nn.CrossEntropyLoss(weight, label_smoothing=0.1)(x, classes),
            nn.CrossEntropyLoss(ignore_index=2)(x, classes),
            nn.NLLLoss(weight)(x.log_softmax(1), classes),
            nn.BCEWithLogitsLoss(pos_weight=weight)(x, y.sigmoid()),
            nn.BCELoss()(x.sigmoid(), y.sigmoid()),
            nn.KLDivLoss(reduction="batchmean")(x.log_softmax(1), y.softmax(1)),
            nn.CosineSimilarity()(x, y),
            nn.TripletMarginLoss()(x, y, x * y),
            table(classes),
            bag(classes.view(1, 5)),
            bag(classes, torch.tensor([0, 2])),
        ]
        sum(p.sum() for p in losses).backward()
        return [losses, x.grad, table.weight.grad, bag.weight.grad]

    agree(program)


@needs_torch
def test_hooks():
    def program(torch):
        nn, seen = torch.nn, []
        model = give(torch, nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2)))
        first = model[0]
        first.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
        handle = model[1].register_forward_hook(lambda m, args, out: seen.append(out) or out * 3)
        model[2].register_full_backward_hook(lambda m, gi, go: seen.extend([gi[0], go[0]]))
        first.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
        model[1].register_full_backward_pre_hook(lambda m, go: (go[0] * 0.5,))
        x = torch.tensor(X, requires_grad=True)
        model(x).pow(2).sum().backward()
        handle.remove()
        return [seen, x.grad, [p.grad for p in model.parameters()], model(x)]

    agree(program)


def tiny():
    class Tiny(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(2, 3)
            self.rest = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 1)])
            self.named = nn.ModuleDict({"act": nn.ReLU()})
            self.scale = nn.Parameter(ours.ones(1))
            self.more = nn.ParameterList([ours.zeros(2)])
            self.register_buffer("count", ours.zeros(1))
            self.register_buffer("hidden", ours.zeros(1), persistent=False)

        def forward(self, x):
            for layer in self.rest:
                x = self.named["act"](layer(x if x.shape[-1] == 3 else self.first(x)))
            return x * self.scale

    return Tiny()


def test_names_and_modes():
    m = tiny()
    names = [
        "scale",
        "first.weight",
        "first.bias",
        "rest.0.weight",
        "rest.0.bias",
        "rest.1.weight",
        "rest.1.bias",
        "more.0",
    ]
    assert [n for n, _ in m.named_parameters()] == names
    assert list(m.state_dict()) == ["scale", "count", *names[1:]]
    assert [n for n, _ in m.named_buffers()] == ["count", "hidden"]
    assert [n for n, _ in m.named_children()] == ["first", "rest", "named", "more"]
    assert [n for n, _ in m.named_modules()][:4] == ["", "first", "rest", "rest.0"]
    assert not m.eval().rest[0].training
    assert m.train().rest[0].training
    assert all(p.dtype == ours.float64 for p in m.double().parameters())
    assert m.get_submodule("rest.1") is m.rest[1]
    m.requires_grad_(False)
    assert not any(p.requires_grad for p in m.parameters())
    m.requires_grad_(True)
    m.apply(lambda layer: nn.init.ones_(layer.weight) if isinstance(layer, nn.Linear) else None)
    assert float(m.first.weight.sum()) == 6.0
    m(ours.ones(4, 2, dtype=ours.float64)).sum().backward()
    m.zero_grad()
    assert m.scale.grad is None


def test_states():
    a, b = tiny(), tiny()
    assert b.load_state_dict(a.state_dict()).missing_keys == []
    assert ours.equal(a.first.weight, b.first.weight)
    c = copy.deepcopy(a)
    assert ours.equal(c.first.weight, a.first.weight)
    assert c.first.weight is not a.first.weight
    file = io.BytesIO()
    ours.save(a.state_dict(), file)
    file.seek(0)
    loaded = ours.load(file)
    assert ours.equal(loaded["rest.1.weight"], a.rest[1].weight)
    with pytest.raises(RuntimeError, match=r'the state lacks "bias"(.|\n)*the state has "x"'):
        nn.Linear(3, 2).load_state_dict({"weight": ours.ones(2, 3), "x": ours.ones(1)})
    with pytest.raises(
        RuntimeError, match=r"weight has shape \[2, 2\] in the state, and \[2, 3\] in the module"
    ):
        nn.Linear(3, 2).load_state_dict({"weight": ours.ones(2, 2), "bias": ours.ones(2)})
    found = nn.Linear(3, 2).load_state_dict({"x": ours.ones(1)}, strict=False)
    assert (found.missing_keys, found.unexpected_keys) == (["weight", "bias"], ["x"])


def test_errors():
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'foo'"):
        _ = nn.Linear(1, 1).foo
    with pytest.raises(TypeError, match=r"Linear\.weight: the parameter is .* not int"):
        nn.Linear(1, 1).weight = 3
    with pytest.raises(AttributeError, match="is not there"):
        _ = nn.Liner
    with pytest.raises(RuntimeError, match="available"):
        nn.Linear(1, 1).to("cuda")
    with pytest.raises(ValueError, match="the input is 4D"):
        nn.BatchNorm2d(3)(ours.ones(2, 3))
    with pytest.raises(ValueError, match="one element per channel"):
        nn.InstanceNorm2d(3)(ours.ones(2, 3, 1, 1))
    with pytest.raises(ValueError, match="one value per channel"):
        nn.BatchNorm1d(3)(ours.ones(1, 3))


def test_first_values():
    ours.manual_seed(0)
    w = nn.Linear(100, 50).weight
    assert float(w.abs().max()) <= 0.1
    assert abs(float(w.std()) - 0.1 / np.sqrt(3)) < 0.002
    t = ours.empty(60, 40)
    for fill, std in (
        (nn.init.xavier_uniform_, np.sqrt(2 / 100)),
        (nn.init.xavier_normal_, np.sqrt(2 / 100)),
        (lambda t: nn.init.kaiming_normal_(t, nonlinearity="relu"), np.sqrt(2 / 40)),
        (
            lambda t: nn.init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"),
            np.sqrt(2 / 60),
        ),
    ):
        assert abs(float(fill(t).std()) / std - 1) < 0.08
    q = nn.init.orthogonal_(ours.empty(3, 5, dtype=ours.float64))
    np.testing.assert_allclose((q @ q.T).numpy(), np.eye(3), atol=1e-12)
    assert nn.init.calculate_gain("leaky_relu", 0.2) == pytest.approx(np.sqrt(2 / 1.04))
