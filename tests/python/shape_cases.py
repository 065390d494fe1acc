"""The table of ops, continued: shapes, indexing, and what only derivatives use."""

import numpy as np
from op_case import Case, distinct, normal

from tapegrad._core import apply

SHAPE_CASES: list[Case] = []


def row(name, f, make, *ops, **options):
    SHAPE_CASES.append(Case(name, f, make, ops or (name.split()[0],), **options))


# Shapes
row("reshape", lambda x: np.reshape(x, (4, -1)), normal((2, 6)), errors=((np.ones(3),),))
row("reshape F", lambda x: np.reshape(x, (3, 4), order="F"), normal((2, 6)))
row("reshape to scalar", lambda x: np.reshape(x, ()), normal((1, 1)))
row("ravel", lambda x: apply("ravel", (x,)), normal((2, 3)), reference=np.ravel)
row(
    "part_of_pair",
    lambda x: 2.0 * apply("part_of_pair", (x,)),
    normal((2, 3)),
    reference=lambda x: 2.0 * x,
)
row("transpose", np.transpose, normal((2, 3, 4)))
row(
    "transpose axes",
    lambda x: np.transpose(x, (1, -1, 0)),
    normal((2, 3, 4)),
    errors=((np.ones(3),),),
)
row("swapaxes", lambda x: np.swapaxes(x, 0, -1), normal((2, 3, 4)), errors=((np.float64(1.0),),))
row("moveaxis", lambda x: np.moveaxis(x, (0, 1), (-1, 0)), normal((2, 3, 4)))
row("rollaxis", lambda x: np.rollaxis(x, 2, 1), normal((2, 3, 4)), "transpose")
row("expand_dims", lambda x: np.expand_dims(x, (0, 2)), normal((2, 3)))
row("squeeze", lambda x: np.squeeze(x, (0, 2)), normal((1, 3, 1)), errors=((np.ones((2, 3, 1)),),))
row("squeeze all", np.squeeze, normal((1, 3, 1)))
row(
    "broadcast_to",
    lambda x: np.broadcast_to(x, (4, 2, 3)),
    normal((2, 1)),
    "broadcast_to",
    "sum_to_shape",
    errors=((np.ones(2),),),
)
row(
    "sum_to_shape",
    lambda x: apply("sum_to_shape", (x,), ((3, 1),)),
    normal((2, 3, 4)),
    reference=lambda x: x.sum(axis=(0, 2))[:, None],
)
row(
    "concatenate",
    lambda x, y: np.concatenate((x, y), axis=1),
    normal((2, 3), (2, 1)),
    errors=((np.ones((2, 3)), np.ones((3, 3))), (np.ones(2), np.ones(2))),
)
row("concatenate flat", lambda x, y: np.concatenate((x, y), axis=None), normal((2, 3), (2,)))
row("concatenate with plain", lambda x: np.concatenate((x, np.ones(2), [3.0])), normal((3,)))
row(
    "stack",
    lambda x, y: np.stack((x, y, x), axis=1),
    normal((2, 3), (2, 3)),
    errors=((np.ones(2), np.ones(3)),),
)
row("vstack", lambda x, y: np.vstack((x, y)), normal((3,), (2, 3)), "concatenate")
row("hstack", lambda x, y: np.hstack((x, y)), normal((2, 1), (2, 3)), "concatenate")
row("dstack", lambda x, y: np.dstack((x, y)), normal((2, 3), (2, 3)), "concatenate")
row("column_stack", lambda x, y: np.column_stack((x, y)), normal((3,), (3, 2)), "concatenate")
row("block", lambda x, y: np.block([[x, y], [y, x]]), normal((2, 2), (2, 2)), "concatenate")
row(
    "unstack",
    lambda x: tuple(apply("unstack", (x,), (1,))),
    normal((2, 3)),
    reference=lambda x: tuple(x.T),
)
row(
    "split op",
    lambda x: tuple(apply("split", (x,), (1, (1, 3)))),
    normal((2, 5)),
    "split",
    reference=lambda x: tuple(np.split(x, [1, 3], axis=1)),
)
row("split", lambda x: tuple(np.split(x, 3)), normal((6, 2)), "slice", errors=((np.ones(5),),))
row("array_split", lambda x: tuple(np.array_split(x, 3)), normal((5, 2)), "slice")
row("flip", np.flip, normal((2, 3)))
row("flip axis", lambda x: np.flip(x, 1), normal((2, 3)), errors=((np.ones(3),),))
row("rot90", lambda x: np.rot90(x, 3), normal((2, 3)), "flip")
row("roll", lambda x: np.roll(x, 2), normal((2, 3)))
row("roll axes", lambda x: np.roll(x, (1, -4), axis=(0, 1)), normal((3, 3)))
row("tile", lambda x: np.tile(x, (2, 1, 3)), normal((2, 3)))
row("tile longer", lambda x: np.tile(x, 2), normal((2, 3)))
row("repeat", lambda x: np.repeat(x, 2), normal((2, 3)))
row(
    "repeat axis",
    lambda x: np.repeat(x, [0, 2, 1], axis=1),
    normal((2, 3)),
    errors=((np.ones((2, 4)),),),
)
for mode in ("constant", "edge", "reflect", "symmetric", "wrap"):
    ops = {
        "constant": ("pad", "pad_constant", "crop"),
        "edge": ("pad", "gather_axis", "scatter_axis"),
    }.get(mode, ("pad", "slice_copy"))
    row(
        f"pad {mode}",
        lambda x, mode=mode: np.pad(x, ((1, 2), (0, 3)), mode=mode),
        normal((3, 4)),
        *ops,
    )
row("pad value", lambda x: np.pad(x, 2, constant_values=3.0), normal((2, 3)))
row("pad values", lambda x: np.pad(x, 1, constant_values=((1.0, 2.0), (3.0, 4.0))), normal((2, 3)))
row(
    "crop",
    lambda x: apply("crop", (x,), ((1, 0), (2, 2))),
    normal((4, 3)),
    reference=lambda x: x[1:3, 0:2],
)
row(
    "gather_axis",
    lambda x: apply("gather_axis", (x,), (1, (2, 0, 0))),
    normal((2, 3)),
    reference=lambda x: x[:, [2, 0, 0]],
)
row(
    "scatter_axis",
    lambda x: apply("scatter_axis", (x,), (0, (2, 0, 0), 4)),
    normal((3, 2)),
    reference=lambda x: np.stack([x[1] + x[2], 0 * x[0], x[0], 0 * x[0]]),
)
row(
    "diagonal_scatter",
    lambda x: apply("diagonal_scatter", (x,), ((3, 4), 1, 0, 1)),
    normal((3,)),
    reference=lambda x: np.vstack([np.insert(np.zeros(3), i + 1, x[i]) for i in range(3)]),
)
for k in (0, 1, -1):
    row(f"tril {k}", lambda x, k=k: np.tril(x, k), normal((2, 3, 3)), "tril")
    row(f"triu {k}", lambda x, k=k: np.triu(x, k), normal((3, 4)), "triu")
row("tril vector", np.tril, normal((3,)))
row("diag", lambda x: np.diag(x, 1), normal((3,)), "diagonal_scatter")
row("diag of a matrix", lambda x: np.diag(x, -1), normal((3, 3)), "diagonal")
row("diff", lambda x: np.diff(x, 2, axis=0), normal((4, 2)), "slice", "slice_add", "diff")
row("diff edges", lambda x: np.diff(x, prepend=0.0, append=x[-1:]), normal((4,)), "slice")
row("meshgrid", lambda x, y: tuple(np.meshgrid(x, y)), normal((2,), (3,)), "gather")
row(
    "atleast",
    lambda x: (np.atleast_1d(x[0]), np.atleast_2d(x), np.atleast_3d(x)),
    normal((3,)),
    "reshape",
)
row("cast", lambda x: np.astype(x, np.float64), normal((3,)))

# Indexing
KEYS = {
    "int": 1,
    "negative": -2,
    "slice": slice(1, None),
    "steps": slice(None, None, -2),
    "ellipsis": (Ellipsis, 1),
    "newaxis": (slice(1, 3), None, 0),
    "pair": (2, 1),
    "empty": slice(2, 2),
    "array": np.array([2, 0, 0, -1]),
    "two arrays": ([0, 2, 2], [1, 1, 3]),
    "broadcast arrays": (np.array([[0], [2]]), np.array([1, 3])),
    "array and slice": (slice(None), [3, 1]),
    "mask": np.array([True, False, True]),
    "mask of an axis": (slice(None), np.array([True, False, False, True])),
    "mask of all": np.arange(12).reshape(3, 4) % 3 == 0,
    "list and int": ([0, 2], 1),
    "split arrays": ([0, 2], None, [1, 3]),
    "np.int64": np.int64(1),
    "nothing": (),
}


def is_advanced(key):
    return any(
        isinstance(k, list | np.ndarray) for k in (key if isinstance(key, tuple) else (key,))
    )


for label, key in KEYS.items():
    ops = ("gather", "gather_add") if is_advanced(key) else ("slice", "slice_add")
    row(f"getitem {label}", lambda x, key=key: x[key], normal((3, 4)), *ops)


def assigned(key):
    def f(x, y):
        z = x * 1.0
        z[key] = y
        return z

    return f


for label, key in KEYS.items():
    shape = np.zeros((3, 4))[key].shape
    if label in ("array", "two arrays"):
        continue  # repeated positions: below
    op = "gather_set" if is_advanced(key) else "slice_set"
    row(f"setitem {label}", assigned(key), normal((3, 4), shape), op)
    row(f"setitem scalar {label}", assigned(key), normal((3, 4), ()), op)
row("setitem repeated", assigned([2, 0, 2]), normal((3, 4), (3, 4)), "gather_set")
row("take", lambda x: np.take(x, [[2, 0], [1, 1]], axis=1), normal((2, 3)), "gather")
row("take flat", lambda x: np.take(x, [5, -1]), normal((2, 3)), "gather", errors=((np.ones(2),),))
row("take wrap", lambda x: np.take(x, [7, -9], mode="wrap"), normal((2, 3)), "gather")
row(
    "take_along_axis op",
    lambda x: apply("take_along_axis", (x, np.array([[2, 0], [1, 1]])), (1,)),
    normal((2, 3)),
    "take_along_axis",
    reference=lambda x: np.take_along_axis(x, np.array([[2, 0], [1, 1]]), 1),
)
row(
    "take_along_axis",
    lambda x: np.take_along_axis(x, np.array([[2, 0], [1, 1]]), 1),
    normal((2, 3)),
)


def put(x, y):
    z = np.array(x)
    np.put_along_axis(z, np.array([[2, 0], [1, 2]]), y, 1)
    return z


row(
    "put_along_axis",
    lambda x, y: apply("put_along_axis", (x, np.array([[2, 0], [1, 2]]), y), (1,)),
    normal((2, 3), (2, 2)),
    reference=put,
)
row("sort", lambda x: np.sort(x, axis=0), distinct((3, 2)), "sort", "take_along_axis")
row("median", lambda x: np.median(x, axis=1), distinct((3, 4)), "take_along_axis")
row("select", lambda x: np.select([x > 1, x > 0], [x**2, 3 * x], x), normal((5,)), "where")
row("choose", lambda x, y: np.choose([0, 1, 1], [x, y]), normal((3,), (3,)), "where")
row("insert", lambda x, y: np.insert(x, [1, 3], y), normal((4,), (2,)), "gather", "concatenate")
row("delete", lambda x: np.delete(x, 1, axis=0), normal((3, 2)), "gather")
row("nan_to_num", np.nan_to_num, normal((3,)), "where")
row("linspace", lambda x, y: np.linspace(x, y, 4), normal((2,), (2,)), "multiply")
row("polyval", np.polyval, normal((4,), (3,)), "multiply")

# Positions and whole numbers, which have no derivative: what they choose has
INT64 = 4  # its number in cpp/tapegrad/base/dtype.h
row(
    "argsort",
    lambda x: np.cos(x[apply("argsort", (x,), (-1,))]),
    distinct((5,)),
    reference=lambda x: np.cos(np.sort(x)),
)
for name, extreme in (("argmax", np.max), ("argmin", np.min)):
    row(
        name,
        lambda x, name=name: x[apply(name, (x,), (0,))] * x,
        distinct((4,)),
        reference=lambda x, extreme=extreme: extreme(x) * x,
    )
row(
    "searchsorted",
    lambda x: x[apply("searchsorted", (np.array([-9.0, 0.0, 9.0]), x), (False,))],
    lambda rng: (np.array([0.5, -0.5, 0.7]),),
    reference=lambda x: x[[2, 1, 2]],
)
row(
    "middle",
    lambda x: x[apply("middle", (x,))] * 2.0,
    normal((4,)),
    reference=lambda x: x[1:3] * 2.0,
)
for name, operands, positions in (
    ("int_add", ([0, 1], [2, -1]), [2, 0]),
    ("int_subtract", ([0, 1], [2, -1]), [-2, 2]),
    ("int_multiply", ([1, 2], [2, 1]), [2, 2]),
    ("int_floor_divide", ([5, -1], [2, 2]), [2, -1]),
    ("int_remainder", ([5, -1], [2, 3]), [1, 2]),
    ("int_minimum", ([5, -1], [2, 2]), [2, -1]),
    ("int_maximum", ([1, -1], [2, 2]), [2, 2]),
    ("int_positive", ([1, -1],), [1, -1]),
    ("to_integers", ([1.9, -1.9],), [1, -1]),
    ("int_negative", ([1, -1],), [-1, 1]),
    ("int_absolute", ([1, -2],), [1, 2]),
):
    row(
        name,
        lambda x, name=name, operands=operands: x[
            apply(name, tuple(np.array(i) for i in operands), (INT64,))
        ],
        normal((3,)),
        reference=lambda x, positions=positions: x[positions],
    )

# What only derivatives use
row(
    "last_writes",
    lambda x: np.where(
        apply("last_writes", (np.array([2, 0, 2]),), ((3, 0, 0, 0), 0, (3,))), x**2, 3.0 * x
    ),
    normal((3,)),
    reference=lambda x: np.where([False, True, True], x**2, 3.0 * x),
)
row("tie_shares", lambda x: np.max(x, axis=0) ** 2, distinct((3, 2)), "max", "tie_shares")
row(
    "linear_recurrence",
    lambda c, x: apply("linear_recurrence", (c, x), (0, False)),
    normal((4,), (4,)),
    reference=lambda c, x: np.array(
        [
            c[0],
            c[0] * x[1] + c[1],
            (c[0] * x[1] + c[1]) * x[2] + c[2],
            ((c[0] * x[1] + c[1]) * x[2] + c[2]) * x[3] + c[3],
        ]
    ),
)
row(
    "shift",
    lambda x: apply("shift", (x,), (0, 1, 0.0)),
    normal((4,)),
    reference=lambda x: np.concatenate([[0.0], x[:-1]]),
)
row("zmul", lambda c, p: apply("zmul", (c, p)), normal((3,), (3,)), reference=np.multiply)
row("zproduct", lambda a, b: apply("zproduct", (a, b)), normal((3,), (3,)), reference=np.multiply)
row(
    "prefer",
    lambda x, y: apply("maximum", (x, y)),
    normal((4,), (4,)),
    "maximum",
    "prefer",
    reference=np.maximum,
)
row(
    "with_value",
    lambda x, y: apply("with_value", (np.array([True, False, True]), x, +x)) * y,
    normal((3,), (3,)),
    reference=np.multiply,
)
row("slice_copy", lambda x: x[1:3] * 1.0, normal((500,)), "slice", "slice_copy")
