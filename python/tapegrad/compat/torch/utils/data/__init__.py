"""`torch.utils.data`: data sets and batches."""

from tapegrad.compat.torch.refusals import refusing
from tapegrad.compat.torch.utils.data.dataset import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)
from tapegrad.compat.torch.utils.data.loader import DataLoader, default_collate
from tapegrad.compat.torch.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "random_split",
]

__getattr__ = refusing(__name__, {"get_worker_info": "batches are loaded in this process"})
