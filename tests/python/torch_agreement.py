"""Programs that run with PyTorch and with tapegrad.compat.torch, and their comparison."""

import numpy as np
import pytest

import tapegrad.compat.torch as ours

try:
    import torch as theirs
except ImportError:
    theirs = None

needs_torch = pytest.mark.skipif(
    theirs is None, reason="PyTorch is not installed: pip install torch"
)


def plain(x):
    """Tensors as arrays, in any nesting; everything else as it is."""
    if hasattr(x, "detach"):
        return x.detach().numpy(force=True).copy()
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return x


def compare(a, b, rtol, atol, where=""):
    """Raises where two results differ in structure, shape, dtype or by more than allowed."""
    if isinstance(b, dict):
        assert list(a) == list(b), where
        for k in b:
            compare(a[k], b[k], rtol, atol, f"{where}[{k!r}]")
    elif isinstance(b, list):
        assert len(a) == len(b), where
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            compare(x, y, rtol, atol, f"{where}[{k}]")
    elif isinstance(b, (np.ndarray, float)):
        assert np.shape(a) == np.shape(b), (where, np.shape(a), np.shape(b))
        if isinstance(b, np.ndarray):
            assert a.dtype == b.dtype, where
        single = isinstance(b, np.ndarray) and b.dtype == np.float32
        least = 1e-6 if single else 0.0
        rtol, atol = max(rtol, least), max(atol, least)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=where)
    else:
        assert a == b, where


def run(torch, program, *args):
    """What a program gives with one of the two, in float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(0)
        return plain(program(torch, *args))
    finally:
        torch.set_default_dtype(before)


def agree(program, *args, rtol=1e-10, atol=1e-12):
    """Runs a program with both, and compares."""
    compare(run(ours, program, *args), run(theirs, program, *args), rtol, atol)


def numbers(*shape, seed=0, low=-2.0, high=2.0):
    """Numbers that no generator of either library makes."""
    return np.random.default_rng(seed).uniform(low, high, shape)


def leaves(torch, arrays):
    """Tensors of arrays; those of floats take a gradient."""
    made = []
    for a in arrays:
        t = torch.tensor(np.asarray(a))
        made.append(t.requires_grad_() if t.is_floating_point() else t)
    return made


def floats_of(torch, out):
    """The float tensors of a result that have a gradient."""
    parts = out if isinstance(out, (list, tuple)) else [out]
    return [x for x in parts if isinstance(x, torch.Tensor) and x.requires_grad]


def value_and_gradient(torch, f, *arrays):
    """A function's results, and the gradients of a weighted sum of them."""
    return value_and_gradients(torch, f, *arrays, twice=False)


def value_and_gradients(torch, f, *arrays, twice=True):
    """A function's results, and the gradients of a weighted sum of them, twice."""
    xs = leaves(torch, arrays)
    out = f(torch, *xs)
    wrt = [x for x in xs if x.requires_grad]
    result = [list(out) if isinstance(out, tuple) else out]
    parts = floats_of(torch, out)
    if not parts:
        return result
    total = 0
    for k, part in enumerate(parts):
        weights = torch.tensor(np.cos(np.arange(part.numel()) + k).reshape(tuple(part.shape)))
        total = total + (part * weights).sum()
    first = torch.autograd.grad(total, wrt, create_graph=twice, allow_unused=True)
    result.append([g if g is not None else "unused" for g in first])
    if not twice:
        return result
    second = sum((g * torch.sin(g.detach() + 1.0)).sum() for g in first if g is not None)
    found = [None] * len(wrt)
    if getattr(second, "requires_grad", False):
        found = torch.autograd.grad(second, wrt, allow_unused=True)
    pairs = zip(found, wrt, strict=True)
    return [*result, [torch.zeros_like(x) if g is None else g for g, x in pairs]]


def give(torch, module, seed=0):
    """Fills a module's parameters and buffers of floats with the same numbers in both."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.tensor(rng.uniform(-0.5, 0.5, tuple(p.shape))))
    return module
