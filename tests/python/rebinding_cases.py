"""Programs that change a plain array in place by a Variable."""

import collections
import operator
from functools import partial
from types import SimpleNamespace

import numpy as np

X = np.array([1.0, 2.0, 3.0])
of_module = None


def local(x):
    y = np.ones(3)
    for _ in range(3):
        y += x * x
    return y


def local_of_its_own_view(x):
    y = np.ones(9).reshape(3, 3)
    y += x
    return y


def local_without_dimensions(x):
    y = np.array(1.0)
    y += x[0] * x[1]
    return y


def argument_without_another_name(x):
    def add(y, a):
        y += a * a
        return y

    return add(np.ones(3), x)


def closure_cell(x):
    y = np.ones(3)

    def add():
        nonlocal y
        y += x * x

    add()
    add()
    return y


def global_name(x):
    global of_module
    of_module = np.ones(3)
    of_module += x * x
    found, of_module = of_module, None
    return found


def name_of_executed_text(x):
    names = {"x": x, "np": np}
    exec("y = np.ones(3); y += x * x; y += x", names)
    return names["y"]


def attribute(x):
    model = SimpleNamespace(total=np.ones(3))
    model.total += x * x
    model.total += x
    return model.total


class Slots:
    __slots__ = ("total",)


def attribute_in_a_slot(x):
    model = Slots()
    model.total = np.ones(3)
    model.total += x * x
    return model.total


def attribute_of_an_attribute(x):
    model = SimpleNamespace(part=SimpleNamespace(total=np.ones(3)))
    model.part.total += x * x
    return model.part.total


def local_after_an_attribute(x):
    model, y = SimpleNamespace(total=np.ones(3)), np.ones(3)
    model.total += x * x
    y += x * model.total
    return y


def list_entry(x):
    y = [np.ones(3), np.ones(3)]
    for k in range(2):
        y[k] += x * x
    return y[1]


def dict_entry(x):
    y = {"a": np.ones(3)}
    y["a"] += x * x
    return y["a"]


def entry_made_on_demand(x):
    y = collections.defaultdict(lambda: np.ones(3))
    y["a"] += x * x
    return y["a"]


def entry_of_an_attribute(x):
    model = SimpleNamespace(totals=[np.ones(3)])
    model.totals[0] += x * x
    return model.totals[0]


def every_operator(x):
    y = np.full(3, 40.0)
    y += x
    z = np.full(3, 40.0)
    z -= x
    a = np.full(3, 40.0)
    a *= x
    b = np.full(3, 40.0)
    b /= x
    c = np.full(3, 40.0)
    c **= x
    d = np.full(3, 40.5)
    d %= x + 0.2
    e = np.eye(3)
    e @= np.stack([x, x * x, x])
    return y + z * a + b * c + d + e


def single_precision(x):
    y = np.ones(3, np.float32)
    y += x
    return y


RIGHT = [
    local, local_of_its_own_view, local_without_dimensions, argument_without_another_name,
    closure_cell, global_name, name_of_executed_text, attribute, attribute_in_a_slot,
    attribute_of_an_attribute, local_after_an_attribute, list_entry, dict_entry,
    entry_made_on_demand, entry_of_an_attribute, every_operator, single_precision,
]  # fmt: skip


def argument(x):
    def add(out, a):
        out += a

    out = np.ones(3)
    add(out, x)
    return out * x


def argument_by_default(x):
    def add(a, out):
        out += a
        return out

    add.__defaults__ = (np.ones(3),)
    add(x)
    return add(x)


def alias(x):
    y = np.ones(3)
    b = y
    y += x
    return b * x


def view_before(x):
    y = np.ones(3)
    b = y[:2]
    y += x
    return b * x[:2]


def view_of_a_table(x):
    table = np.ones((2, 3))
    row = table[1]
    row += x
    return table * x


def view_of_a_view(x):
    table = np.ones((2, 3))
    row = table[1].reshape(3, 1)[:, 0]
    row += x
    return table * x


def entry_of_a_table(x):
    table = np.ones((2, 3))
    table[0] += x
    return table * x


def slice_of_a_table(x):
    table = np.ones((2, 3))
    table[0:1] += x
    return table * x


def rows_of_a_table(x):
    table = np.ones((2, 3))
    for row in table:
        row += x
    return table * x


def members_of_a_list(x):
    parts = [np.ones(3), np.ones(3)]
    for part in parts:
        part += x
    return parts[0] * x


def attribute_with_an_alias(x):
    y = np.ones(3)
    model = SimpleNamespace(total=y)
    model.total += x
    return y * x


def attribute_of_the_class(x):
    class Model:
        total = np.ones(3)

    Model().total += x
    model = Model()
    model.total += x
    return Model.total * x


def attribute_that_is_a_property(x):
    class Model:
        def __init__(self):
            self.kept = np.ones(3)

        @property
        def total(self):
            return self.kept

        @total.setter
        def total(self, value):
            self.last = value

    model = Model()
    model.total += x
    return model.kept * x


def entry_of_a_chain(x):
    below = {"a": np.ones(3)}
    chain = collections.ChainMap({}, below)
    chain["a"] += x
    return below["a"] * x


def entry_with_an_alias(x):
    parts = [np.ones(3)]
    others = list(parts)
    parts[0] += x
    return others[0] * x


def closure_cell_and_alias(x):
    y = np.ones(3)
    b = y

    def add():
        nonlocal y
        y += x

    add()
    return b * x


def body_of_a_class(x):
    names = {"x": x, "np": np}
    exec("y = np.ones(3)\nclass C:\n    y += x\nz = y * x", names)
    return names["z"]


def memory_of_others(x):
    memory = bytearray(24)
    y = np.frombuffer(memory)
    y += x
    return np.frombuffer(memory) * x


def keyword_out(x):
    y = np.ones(3)
    np.add(y, x, out=y)
    return y * x


def function_of_the_operator(x):
    y = np.ones(3)
    operator.iadd(y, x)
    return y * x


def method(x):
    y = np.ones(3)
    y.__iadd__(x)
    return y * x


def partial_function(x):
    def add(out, a):
        out += a

    y = np.ones(3)
    partial(add, y)(x)
    return y * x


REFUSED = [
    argument, argument_by_default, alias, view_before, view_of_a_table, view_of_a_view,
    entry_of_a_table, slice_of_a_table, rows_of_a_table, members_of_a_list,
    attribute_with_an_alias, attribute_of_the_class, attribute_that_is_a_property,
    entry_of_a_chain, entry_with_an_alias, closure_cell_and_alias, body_of_a_class,
    memory_of_others, keyword_out, function_of_the_operator, method, partial_function,
]  # fmt: skip
