"""`torch.nn`: modules, losses, first values, functions."""

from tapegrad.compat.torch.nn import functional, init, modules, parameter, utils
from tapegrad.compat.torch.nn.modules import *  # noqa: F403 - its __all__ lists them
from tapegrad.compat.torch.nn.parameter import Buffer, Parameter
from tapegrad.compat.torch.refusals import refusing

__all__ = ["Buffer", "Parameter", "functional", "init", "modules", "parameter", "utils"]
__all__ += modules.__all__

__getattr__ = refusing(
    __name__,
    {
        "DataParallel": "there is one processor; call the module itself",
        "SyncBatchNorm": "there is one process; write BatchNorm2d",
        "CTCLoss": "write its recursion with logsumexp in a loop",
    },
)
