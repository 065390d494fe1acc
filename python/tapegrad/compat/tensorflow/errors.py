"""TensorFlow's errors, as far as a session raises them."""

from __future__ import annotations

from tapegrad.compat.tensorflow.refusals import refusing


class OpError(Exception):
    """The base of the errors of a run."""

    @property
    def message(self) -> str:
        """What is said."""
        return str(self)


class InvalidArgumentError(OpError):
    """A placeholder was not fed."""


class FailedPreconditionError(OpError):
    """A variable is read that was not initialised."""


class NotFoundError(OpError):
    """A file, or a name in it, is not there."""


class OutOfRangeError(OpError):
    """There is nothing left."""


__getattr__ = refusing("errors", globals())
