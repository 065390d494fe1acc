"""`torch.utils`: data in batches, checkpoints of the record."""

from tapegrad.compat.torch.refusals import refusing
from tapegrad.compat.torch.utils import checkpoint, data

__all__ = ["checkpoint", "data"]

__getattr__ = refusing(
    __name__,
    {
        "tensorboard": "write scalars with the csv module, or plot them",
        "_pytree": "torch.func maps over nested dicts, lists and tuples itself",
    },
)
