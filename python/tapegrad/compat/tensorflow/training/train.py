"""`tf.train`: optimisers, rates, the step counter, averages, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.compat.tensorflow.dispatch import apply
from tapegrad.compat.tensorflow.functions.control import group
from tapegrad.compat.tensorflow.refusals import refusing
from tapegrad.compat.tensorflow.tensors import get_default_graph
from tapegrad.compat.tensorflow.training import rules
from tapegrad.compat.tensorflow.training.optimizers import (  # noqa: F401 - names of tf.train
    AdadeltaOptimizer,
    AdagradOptimizer,
    AdamOptimizer,
    FtrlOptimizer,
    GradientDescentOptimizer,
    MomentumOptimizer,
    Optimizer,
    RMSPropOptimizer,
)
from tapegrad.compat.tensorflow.training.saver import (  # noqa: F401 - names of tf.train
    Saver,
    checkpoint_exists,
    export_meta_graph,
    get_checkpoint_state,
    import_meta_graph,
    latest_checkpoint,
)
from tapegrad.compat.tensorflow.variables import GraphKeys, Variable, trainable_variables

# Rates.


def _rate(rule: Callable[..., Any], args: tuple[Any, ...], name: str | None) -> Any:
    return apply(rule, args, name=name, tensors=0)


def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """Rate * decay_rate ** (step / decay_steps)."""
    args = (learning_rate, global_step, decay_steps, decay_rate, staircase)
    return _rate(rules.exponential, args, name)


def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """Rate * exp(-decay_rate * step / decay_steps)."""
    args = (learning_rate, global_step, decay_steps, decay_rate, staircase)
    return _rate(rules.natural_exponential, args, name)


def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """Rate / (1 + decay_rate * step / decay_steps)."""
    args = (learning_rate, global_step, decay_steps, decay_rate, staircase)
    return _rate(rules.inverse_time, args, name)


def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Any:
    """From one rate to another in `decay_steps`."""
    args = (learning_rate, global_step, decay_steps, end_learning_rate, power, cycle)
    return _rate(rules.polynomial, args, name)


def cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    alpha: Any = 0.0,
    name: str | None = None,
) -> Any:
    """Half a cosine."""
    return _rate(rules.cosine, (learning_rate, global_step, decay_steps, alpha), name)


def piecewise_constant(x: Any, boundaries: Any, values: Any, name: str | None = None) -> Any:
    """A rate for each interval of steps."""
    return _rate(rules.piecewise, (x, list(boundaries), list(values)), name)


# The step counter.


def create_global_step(graph: Any = None) -> Any:
    """A variable that counts steps."""
    graph = graph or get_default_graph()
    if graph.get_collection(GraphKeys.GLOBAL_STEP):
        raise ValueError(
            "create_global_step: this graph has one; tf.train.get_or_create_global_step() gives it"
        )
    with graph.as_default():
        made = Variable(np.int64(0), trainable=False, name="global_step")
    graph.add_to_collection(GraphKeys.GLOBAL_STEP, made)
    return made


def get_global_step(graph: Any = None) -> Any:
    """The variable that counts steps, or None."""
    found = (graph or get_default_graph()).get_collection(GraphKeys.GLOBAL_STEP)
    return found[0] if found else None


def get_or_create_global_step(graph: Any = None) -> Any:
    """The variable that counts steps."""
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The number of steps so far."""
    return int(sess.run(global_step_tensor))


class ExponentialMovingAverage:
    """Averages of variables, in which older values count less and less."""

    def __init__(
        self, decay: Any, num_updates: Any = None, zero_debias: bool = False, name: str = "EMA"
    ) -> None:
        if zero_debias:
            raise NotImplementedError("zero_debias=True is not there; divide by 1 - decay**step")
        self._decay = decay
        self._num_updates = num_updates
        self.name = "ExponentialMovingAverage" if name == "EMA" else name
        self._averages: dict[Any, Variable] = {}

    def apply(self, var_list: Any = None) -> Any:
        """The operation that takes the present values into the averages."""
        variables = trainable_variables() if var_list is None else list(var_list)
        graph = variables[0].graph
        decay = self._decay
        if self._num_updates is not None:
            decay = apply(_warm_decay, (decay, self._num_updates), tensors=0)
        for v in variables:
            if v not in self._averages:
                with graph.inside(None), graph.name_scope(None):
                    start = (
                        v.initial_value
                        if isinstance(v, Variable)
                        else np.zeros(tuple(v.shape.as_list()), v.dtype.name)
                    )
                    self._averages[v] = Variable(
                        start, trainable=False, name=f"{v.label}/{self.name}/"
                    )
        updates = [
            self._averages[v].assign(apply(_averaged, (self._averages[v], v, decay)))
            for v in variables
        ]
        return group(*updates, name=self.name)

    def average(self, var: Any) -> Any:
        """The average of a variable, or None."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """The name under which an average is saved."""
        return f"{var.label}/{self.name}"

    def variables_to_restore(self, moving_avg_variables: Any = None) -> dict[str, Any]:
        """For a Saver: trainable variables by the names of their averages, the others by theirs."""
        graph = get_default_graph()
        averaged = moving_avg_variables
        if averaged is None:
            averaged = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
        found = {self.average_name(v): v for v in averaged}
        own = {v.label for v in [*averaged, *self._averages.values()]}
        for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES):
            if v.label not in own:
                found[v.label] = v
        return found


def _averaged(average: Any, value: Any, decay: Any) -> Any:
    return average - (1.0 - decay) * (average - value)


def _warm_decay(decay: Any, updates: Any) -> Any:
    return np.minimum(decay, (1.0 + updates) / (10.0 + updates))


class Coordinator:
    """Says when threads should stop."""

    def __init__(self) -> None:
        self._stop = False

    def should_stop(self) -> bool:
        """Whether they should."""
        return self._stop

    def request_stop(self, *_: Any) -> None:
        """They should."""
        self._stop = True

    def join(self, threads: Any = None, **_: Any) -> None:
        """Waits for them."""
        for thread in threads or ():
            thread.join()


def start_queue_runners(*_: Any, **__: Any) -> list[Any]:
    """There are no queues: no threads are started."""
    return []


__getattr__ = refusing("train", globals())
