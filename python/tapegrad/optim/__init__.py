"""Optimisers: `SGD` on Variables, update rules as pure functions, and whole epochs of training."""

from tapegrad._core import SGD
from tapegrad.optim.rules import Rule, adagrad, adam, adamw, rmsprop, sgd
from tapegrad.optim.train_loop import train

__all__ = ["SGD", "Rule", "adagrad", "adam", "adamw", "rmsprop", "sgd", "train"]
