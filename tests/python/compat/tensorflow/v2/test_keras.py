"""`tf.keras`: its optimisers by every name, and what is said of its other names."""

import pytest

import tapegrad.compat.tensorflow as v1
import tapegrad.compat.tensorflow.v2 as tf


def test_its_optimisers_are_those_of_tf():
    assert tf.keras.optimizers is tf.optimizers is v1.keras.optimizers is v1.optimizers


@pytest.mark.parametrize("names", [v1, tf, v1.compat.v2, tf.compat.v1])
def test_other_names_are_refused_with_what_there_is(names):
    with pytest.raises(AttributeError, match=r"tf\.keras\.Model is not there: .*GradientTape"):
        _ = names.keras.Model
    with pytest.raises(AttributeError, match=r"did you mean optimizers\? there are: optimizers$"):
        _ = names.keras.optimizer
    with pytest.raises(AttributeError, match=r"tf\.keras\.optimizers\.Adm .* did you mean Adam"):
        _ = names.keras.optimizers.Adm
    assert not hasattr(names.keras, "anything")


def test_names_that_are_listed_are_there():
    for module in (v1, tf, v1.compat):
        for name in dir(module):
            assert hasattr(module, name), name
