"""States are saved and loaded; a file that is not trusted calls nothing."""

import io
import pickle

import pytest
from torch_agreement import needs_torch, ours, theirs


def test_saved_and_loaded(tmp_path):
    model = ours.nn.Linear(2, 3)
    optimizer = ours.optim.Adam(model.parameters())
    model(ours.ones(1, 2)).sum().backward()
    optimizer.step()
    ours.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "a.pt")
    loaded = ours.load(tmp_path / "a.pt", map_location="cpu")
    twin = ours.nn.Linear(2, 3)
    twin.load_state_dict(loaded["model"])
    assert ours.equal(twin.weight, model.weight)
    again = ours.optim.Adam(twin.parameters())
    again.load_state_dict(loaded["optimizer"])
    for m, o in ((model, optimizer), (twin, again)):
        o.zero_grad()
        m(ours.ones(1, 2)).sum().backward()
        o.step()
    assert ours.equal(twin.weight, model.weight)


def test_whole_modules_are_trusted_or_not():
    file = io.BytesIO()
    ours.save(ours.nn.Linear(2, 3), file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="pass weights_only=False if you trust"):
        ours.load(file)
    file.seek(0)
    assert ours.load(file, weights_only=False).weight.shape == (3, 2)


@needs_torch
def test_files_of_pytorch_are_refused():
    file = io.BytesIO()
    theirs.save({"w": theirs.ones(2)}, file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match=r"numpy\.savez"):
        ours.load(file)
