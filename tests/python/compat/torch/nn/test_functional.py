"""Functions of torch.nn.functional have PyTorch's values and gradients."""

import numpy as np
import pytest
from torch_agreement import (
    agree,
    needs_torch,
    numbers,
    ours,
    value_and_gradient,
    value_and_gradients,
)

X, Y = numbers(3, 6), numbers(3, 6, seed=1)
P, Q = numbers(3, 6, low=0.05, high=0.95), numbers(3, 6, seed=1, low=0.05, high=0.95)
IMAGE, SIGNAL = numbers(2, 4, 7, 6), numbers(2, 4, 9)
KINKS = np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0])
CLASSES = np.array([1, 0, 5])

ACTIVATIONS = {
    "relu": lambda F, x: F.relu(x),
    "relu6": lambda F, x: F.relu6(x * 4),
    "leaky_relu": lambda F, x: F.leaky_relu(x, 0.1),
    "elu": lambda F, x: F.elu(x, 0.7),
    "selu": lambda F, x: F.selu(x),
    "celu": lambda F, x: F.celu(x, 0.7),
    "gelu": lambda F, x: F.gelu(x) + F.gelu(x, approximate="tanh"),
    "silu": lambda F, x: F.silu(x),
    "mish": lambda F, x: F.mish(x),
    "softplus": lambda F, x: F.softplus(x) + F.softplus(x, beta=15),
    "logsigmoid": lambda F, x: F.logsigmoid(x * 5),
    "softsign": lambda F, x: F.softsign(x),
    "tanhshrink": lambda F, x: F.tanhshrink(x),
    "shrink": lambda F, x: F.softshrink(x) + F.hardshrink(x),
    "hard": lambda F, x: F.hardtanh(x) + F.hardsigmoid(x) + F.hardswish(x),
    "threshold": lambda F, x: F.threshold(x, 0.1, 20.0),
    "softmax": lambda F, x: F.softmax(x, dim=-1) + F.softmin(x, dim=-1) + F.log_softmax(x, -1),
    "normalize": lambda F, x: F.normalize(x, dim=-1),
    "glu": lambda F, x: F.glu(x),
}


@needs_torch
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    f = ACTIVATIONS[name]
    gradients = value_and_gradient if name == "hard" else value_and_gradients  # PyTorch has no more
    # PyTorch has 1 / alpha of celu and 1 / 6 of hardsigmoid in single precision.
    atol = 1e-7 if name in ("celu", "hard") else 1e-12
    agree(gradients, lambda t, x: f(t.nn.functional, x), X, atol=atol)
    agree(value_and_gradient, lambda t, x: f(t.nn.functional, x), KINKS, atol=atol)


REDUCED = {
    "mse": lambda F, t, x, y, r: F.mse_loss(x, y, reduction=r),
    "l1": lambda F, t, x, y, r: F.l1_loss(x, y, reduction=r),
    "smooth_l1": lambda F, t, x, y, r: F.smooth_l1_loss(x, y, reduction=r, beta=0.7),
    "huber": lambda F, t, x, y, r: F.huber_loss(x, y, reduction=r, delta=0.7),
    "bce logits": lambda F, t, x, y, r: F.binary_cross_entropy_with_logits(
        x, t.sigmoid(y), reduction=r
    ),
    "bce logits weighted": lambda F, t, x, y, r: F.binary_cross_entropy_with_logits(
        x, t.sigmoid(y), reduction=r, pos_weight=t.tensor(P[0]), weight=t.tensor(Q)
    ),
    "kl": lambda F, t, x, y, r: F.kl_div(x.log_softmax(1), y.softmax(1), reduction=r),
    "kl log": lambda F, t, x, y, r: F.kl_div(
        x.log_softmax(1), y.log_softmax(1), reduction=r, log_target=True
    ),
    "poisson": lambda F, t, x, y, r: F.poisson_nll_loss(
        x, y.detach().abs().round(), reduction=r, full=True
    ),
    "gaussian": lambda F, t, x, y, r: F.gaussian_nll_loss(x, y, y.exp(), reduction=r),
    "soft margin": lambda F, t, x, y, r: F.soft_margin_loss(x, y.detach().sign(), reduction=r),
    "triplet": lambda F, t, x, y, r: F.triplet_margin_loss(x, y, x * y, reduction=r),
    "ranking": lambda F, t, x, y, r: F.margin_ranking_loss(
        x, y, t.ones(3, 6), margin=0.3, reduction=r
    ),
    "cosine": lambda F, t, x, y, r: F.cosine_embedding_loss(
        x, y, t.tensor([1, -1, 1]), reduction=r
    ),
    "hinge": lambda F, t, x, y, r: F.hinge_embedding_loss(x, t.tensor(np.sign(Y)), reduction=r),
    "cross_entropy": lambda F, t, x, y, r: F.cross_entropy(x, t.tensor(CLASSES), reduction=r),
    "cross_entropy weights": lambda F, t, x, y, r: F.cross_entropy(
        x,
        t.tensor(CLASSES),
        weight=t.tensor(P[0]),
        label_smoothing=0.1,
        ignore_index=0,
        reduction=r,
    ),
    "cross_entropy shares": lambda F, t, x, y, r: F.cross_entropy(
        x, y.softmax(1), weight=t.tensor(P[0]), label_smoothing=0.2, reduction=r
    ),
    "nll": lambda F, t, x, y, r: F.nll_loss(
        x.log_softmax(1), t.tensor(CLASSES), t.tensor(P[0]), reduction=r
    ),
}


@needs_torch
@pytest.mark.filterwarnings("ignore:reduction")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", REDUCED)
def test_losses(name, reduction):
    f = REDUCED[name]
    agree(value_and_gradients, lambda t, x, y: f(t.nn.functional, t, x, y, reduction), X, Y)


@needs_torch
def test_more_losses():
    def f(t, p, q, image):
        F = t.nn.functional
        labels = t.tensor(np.arange(2 * 7 * 6).reshape(2, 7, 6) % 4)
        return (
            F.binary_cross_entropy(p, q),
            F.binary_cross_entropy(p, q, weight=q.detach(), reduction="none"),
            F.cross_entropy(image, labels),
            F.nll_loss(image.log_softmax(1), labels),
            F.cross_entropy(image[0, :, 0, 0], t.tensor(2)),
            F.kl_div(p.log(), q, reduction="batchmean"),
            F.pairwise_distance(p, q),
            F.cosine_similarity(p, q),
            F.cosine_similarity(p, q, dim=0),
        )

    agree(value_and_gradients, f, P, Q, IMAGE, rtol=1e-9)


CONVOLUTIONS = {
    "plain": {},
    "stride": {"stride": 2},
    "padding": {"padding": 1},
    "pairs": {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 2)},
    "dilation": {"dilation": 2, "padding": 2},
    "same": {"padding": "same"},
    "groups": {"groups": 2, "padding": 1},
    "depthwise": {"groups": 4},
}


@needs_torch
@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_conv2d(name):
    options = CONVOLUTIONS[name]
    w = numbers(8, 4 // options.get("groups", 1), 3, 2, seed=5)

    def f(t, x, w, b):
        return t.nn.functional.conv2d(x, w, b, **options)

    agree(value_and_gradients, f, IMAGE, w, numbers(8, seed=6))
    agree(value_and_gradients, lambda t, x, w: t.nn.functional.conv2d(x, w, **options), IMAGE[0], w)


@needs_torch
@pytest.mark.parametrize(
    "options", [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "groups": 2}, {"padding": "same"}]
)
def test_conv1d(options):
    w = numbers(6, 4 // options.get("groups", 1), 3, seed=5)

    def f(t, x, w, b):
        return t.nn.functional.conv1d(x, w, b, **options)

    agree(value_and_gradients, f, SIGNAL, w, numbers(6, seed=6))


@needs_torch
@pytest.mark.parametrize(
    "options", [{}, {"stride": 2, "padding": 1, "output_padding": 1}, {"groups": 2, "dilation": 2}]
)
def test_conv_transpose(options):
    w = numbers(4, 3, 3, 2, seed=5)
    b = numbers(3 * options.get("groups", 1), seed=6)
    agree(
        value_and_gradients,
        lambda t, x, w, b: t.nn.functional.conv_transpose2d(x, w, b, **options),
        IMAGE,
        w,
        b,
    )
    agree(
        value_and_gradients,
        lambda t, x, w, b: t.nn.functional.conv_transpose1d(x, w, b, **options),
        SIGNAL,
        w[..., 0],
        b,
    )


@needs_torch
def test_conv3d():
    x, w = numbers(2, 2, 4, 5, 4), numbers(3, 2, 2, 3, 2, seed=1)
    agree(value_and_gradients, lambda t, x, w: t.nn.functional.conv3d(x, w, padding=1), x, w)


POOLS = {
    "max": lambda F, x: (
        F.max_pool2d(x, 2),
        F.max_pool2d(x, 3, 2, padding=1),
        F.max_pool2d(x, 2, ceil_mode=True),
    ),
    "max indices": lambda F, x: (
        *F.max_pool2d(x, (3, 2), stride=1, return_indices=True),
        F.max_pool2d(x, 2, dilation=2, stride=1),
    ),
    "avg": lambda F, x: (
        F.avg_pool2d(x, 2),
        F.avg_pool2d(x, 3, 2, padding=1),
        F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    ),
    "avg ceil": lambda F, x: (
        F.avg_pool2d(x, 3, 2, ceil_mode=True),
        F.avg_pool2d(x, (2, 3), divisor_override=5),
    ),
    "adaptive": lambda F, x: (
        F.adaptive_avg_pool2d(x, 1),
        F.adaptive_avg_pool2d(x, (3, 4)),
        F.adaptive_max_pool2d(x, (2, 5)),
    ),
    "one axis": lambda F, x: (
        F.max_pool1d(x[0], 2),
        F.avg_pool1d(x[0], 3, 2),
        F.adaptive_avg_pool1d(x[0], 4),
    ),
    "lp": lambda F, x: (F.lp_pool2d(x.abs() + 0.1, 2, 2),),
    "unfold": lambda F, x: (F.unfold(x, (2, 3), padding=1, stride=2),),
    "pad": lambda F, x: (
        F.pad(x, (1, 2)),
        F.pad(x, (1, 0, 2, 1), value=3.0),
        F.pad(x, (-1, 1)),
        F.pad(x, (1, 1, 2, 2), mode="reflect"),
    ),
    "pad modes": lambda F, x: (
        F.pad(x, (1, 1, 2, 2), mode="replicate"),
        F.pad(x, (1, 1, 2, 2), mode="circular"),
    ),
    "interpolate": lambda F, x: (
        F.interpolate(x, scale_factor=2),
        F.interpolate(x, size=(3, 9)),
        F.interpolate(x, size=5, mode="area"),
    ),
    "bilinear": lambda F, x: (
        F.interpolate(x, scale_factor=2, mode="bilinear"),
        F.interpolate(x, size=(4, 9), mode="bilinear", align_corners=True),
    ),
    "shuffle": lambda F, x: (F.pixel_shuffle(x, 2),),
}


@needs_torch
@pytest.mark.parametrize("name", POOLS)
def test_pools_and_borders(name):
    agree(value_and_gradients, lambda t, x: POOLS[name](t.nn.functional, x), IMAGE)


@needs_torch
def test_max_pool_of_ties():
    flat = np.round(IMAGE)
    agree(value_and_gradients, lambda t, x: t.nn.functional.max_pool2d(x, 2), flat)


LAYERS = {
    "layer_norm": lambda t, F, x: (
        F.layer_norm(x, (6,)),
        F.layer_norm(x, (7, 6), x[0, 0], x[0, 1], 1e-3),
    ),
    "batch_norm": lambda t, F, x: F.batch_norm(x, None, None, x[0, :, 0, 0], x[1, :, 0, 0], True),
    "group_norm": lambda t, F, x: (
        F.group_norm(x, 2),
        F.group_norm(x, 4, x[0, :, 0, 0], x[1, :, 0, 0]),
        F.instance_norm(x),
    ),
    "rms_norm": lambda t, F, x: F.rms_norm(x, (6,), x[0, 0, 0]),
    "lrn": lambda t, F, x: F.local_response_norm(x, 3),
    "linear": lambda t, F, x: (
        F.linear(x, x[0, 0]),
        F.linear(x, x[0, 0], x[0, 0, :, 0]),
        F.linear(x[0, 0, 0], x[0, 0]),
    ),
    "bilinear": lambda t, F, x: F.bilinear(
        x[0, 0], x[0, 1], x[:, 0, :6].contiguous(), x[0, 0, 0, :2]
    ),
    "embedding": lambda t, F, x: F.embedding(t.tensor([[0, 2], [1, 2]]), x[0, 0]),
    "padding_idx": lambda t, F, x: F.embedding(t.tensor([0, 2, 1]), x[0, 0], padding_idx=2),
    "attention": lambda t, F, x: (
        F.scaled_dot_product_attention(x, x * 2, x),
        F.scaled_dot_product_attention(x, x, x, is_causal=True),
    ),
    "mask": lambda t, F, x: (
        F.scaled_dot_product_attention(x, x, x, x[..., :1] * t.ones(7)),
        F.scaled_dot_product_attention(x, x, x, t.ones(7, 7).tril().bool()),
    ),
}


@needs_torch
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    more = name not in ("attention", "mask")  # whose second derivatives PyTorch lacks
    gradients = value_and_gradients if more else value_and_gradient
    agree(gradients, lambda t, x: LAYERS[name](t, t.nn.functional, x), IMAGE, rtol=1e-9)


def test_dropout():
    x = ours.ones(1000)
    ours.manual_seed(1)
    y = ours.nn.functional.dropout(x, 0.25)
    assert set(np.unique(y.numpy())) == {0.0, np.float32(1 / 0.75)}
    assert abs(float(y.mean()) - 1) < 0.1
    assert ours.nn.functional.dropout(x, 0.25, training=False) is x
    ours.manual_seed(1)
    assert ours.equal(ours.nn.functional.dropout(x, 0.25), y)


def test_known_values():
    x = ours.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    loss = ours.nn.functional.cross_entropy(x, ours.tensor([2]))
    loss.backward()
    p = np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum()
    assert loss.item() == pytest.approx(-np.log(p[2]), rel=1e-6)
    np.testing.assert_allclose(x.grad.numpy()[0], p - [0, 0, 1], rtol=1e-5)


def test_errors():
    F = ours.nn.functional
    with pytest.raises(
        RuntimeError, match=r"takes a last axis of 3, and the input has shape \[2\]"
    ):
        F.linear(ours.ones(2), ours.ones(2, 3))
    with pytest.raises(RuntimeError, match="classes are integers, and the target is Float"):
        F.cross_entropy(ours.ones(2, 3), ours.ones(2))
    with pytest.raises(IndexError, match="target 3 is none of the 3 classes"):
        F.cross_entropy(ours.ones(2, 3), ours.tensor([0, 3]))
    with pytest.raises(
        ValueError, match=r"is a batch of 2, and the target, of shape \[3\], one of 3"
    ):
        F.cross_entropy(ours.ones(2, 3), ours.tensor([0, 1, 2]))
    with pytest.raises(
        RuntimeError, match=r"is for 2 channels, and the input, of shape \[1, 3, 5, 5\], has 3"
    ):
        F.conv2d(ours.ones(1, 3, 5, 5), ours.ones(4, 2, 3, 3))
    with pytest.warns(UserWarning, match="they broadcast"):
        F.mse_loss(ours.ones(3, 1), ours.ones(3))
    with pytest.raises(IndexError, match="an index outside the 3 rows, 5 to 5"):
        F.embedding(ours.tensor([5]), ours.ones(3, 2))
    with pytest.raises(
        AttributeError,
        match=r"functional\.cross_entopy is not there: near it there is cross_entropy",
    ):
        _ = F.cross_entopy
