"""Texts that look as if they told a remedy, and have no case: each with the reason.

The first key is the file, the second a part of the text.
"""

import graph_remedy_cases

from remedy_cases import scipy_exempt

LABEL = "it names a thing and tells nothing to do"
DOCUMENTATION = "it documents a function"
SCARCE = "tests/python/life/test_exhaustion.py runs it, in a process without memory or threads"
SCIPY = "tests/python/numpy/test_scipy_refusals.py runs it where SciPy is installed"
SPECIAL = "tests/python/scipy runs it where SciPy is installed"
FROM_CPP = "C++ programs reach it; what Python calls answers before"
TORCH = "tests/python/compat/torch runs it"
JAX = "tests/python/compat/jax/lax/test_control_flow.py refuses it"
SCOPES = "the package itself opens and closes these blocks"

EXEMPT: dict[str, dict[str, str]] = {
    **scipy_exempt.EXEMPT,
    **graph_remedy_cases.EXEMPT,
    "cpp/tapegrad/emit/assembler_general.cpp": {"call rax": "an instruction in a listing"},
    "cpp/tapegrad/emit/machine_code.cpp": {
        "': it is 0 (interpret)": "tests/python/compile/test_machine_code.py says it in a process"
    },
    "cpp/tapegrad/program/costs.h": {"to ": "it names what is measured"},
    "cpp/tapegrad/kernels/reduce/reduce_axis.cpp": {"; cast to int64 or float64": FROM_CPP},
    "cpp/tapegrad/kernels/reduce/reduce_scan.cpp": {"; cast to int64 or float64": FROM_CPP},
    "python/tapegrad/compat/torch/autograd/function.py": {
        "return a new tensor": TORCH,
        "backward gets zeros here, never None; leave it out": TORCH,
    },
    "python/tapegrad/compat/torch/creation.py": {"write torch.arange(start, end, step)": TORCH},
    "python/tapegrad/compat/torch/nn/functional/losses.py": {"write reduction=": TORCH},
    "python/tapegrad/compat/torch/nn/functional/padding.py": {"give size=, from which": TORCH},
    "python/tapegrad/compat/torch/optim/lr_scheduler.py": {"give the optimizer first": TORCH},
    "python/tapegrad/compat/torch/optim/optimizer.py": {"; write model.parameters()": TORCH},
    "python/tapegrad/compat/jax/numpy/functions.py": {"convert it first, float(text)": JAX},
    "python/tapegrad/compat/torch/serialization.py": {
        "this file was written by PyTorch itself": TORCH,
        "pass weights_only=False if you trust the file": TORCH,
    },
    "python/tapegrad/compat/jax/variables.py": {"Changed copies: `x.at[i].set(v)`": DOCUMENTATION},
    "python/tapegrad/inspect/drawing.py": {
        "What the passes of tg.compile make of it": DOCUMENTATION,
        "What the passes of tg.compile make of value and gradient": DOCUMENTATION,
    },
    "python/tapegrad/inspect/svg.py": {"loop or call": LABEL},
    "python/tapegrad/symbolic/branches.py": {"give results of the shapes ": LABEL},
    "python/tapegrad/symbolic/solvers.py": {"start has shape ": LABEL, ": start is ": LABEL},
    "cpp/tapegrad/ops/sparse/sparse.cpp": {
        "give vectors of one length": FROM_CPP,
        "pair by pair": DOCUMENTATION,
    },
    "python/tapegrad/compile/states.py": {
        "it is this call's turn to record": LABEL,
        "sweeps that take long to record were left out": LABEL,
    },
    "python/tapegrad/numpy/order.py": {"no elements to take the median of": LABEL},
    "python/tapegrad/numpy/shapes.py": {"and not newshape= beside it": "of NumPy 2.1 to 2.3 alone"},
    "python/tapegrad/numpy/refusals.py": {
        "SciPy's own functions": SCIPY,
        "write a @ v of the sparse array": "tests/python/scipy/sparse/test_operators.py runs it",
        "write v * a for a.multiply(v)": "tests/python/scipy/sparse/test_operators.py runs it",
    },
    "python/tapegrad/scipy/special.py": {
        "polygamma(tg.value(n), x)": SPECIAL,
        "of complex ones write it with np.exp": SPECIAL,
        "leave it out, or call it on plain integers": SPECIAL,
        "scipy.special.gamma(n + 1)": SPECIAL,
    },
    "python/tapegrad/scipy/ufuncs/registry.py": {
        "where that one is to be held constant": SPECIAL,
        "int(n) or n.astype(int)": SPECIAL,
    },
    "python/bindings/numpy_functions/foreign.cpp": {
        "its loops are not where this version": "of a NumPy that is yet to come",
    },
    "cpp/tapegrad/base/buffer.cpp": {"free some arrays": SCARCE},
    "cpp/tapegrad/kernels/blas/blas_library.cpp": {"free some arrays": SCARCE},
    "python/bindings/module.cpp": {
        "free some arrays": SCARCE,
        "The OpenBLAS that products use": DOCUMENTATION,
        "can't be imported in a subinterpreter": "tests/python/life/test_exit.py starts one",
    },
    "cpp/tapegrad/kernels/blas/lapack.cpp": {"make the matrix contiguous": "it needs 64 GB"},
    "cpp/tapegrad/kernels/decompose/matrix.cpp": {"make the matrix smaller": "it needs 64 GB"},
    "cpp/tapegrad/kernels/fused/loop/lane_loop.cpp": {"use row_sum": FROM_CPP},
    "cpp/tapegrad/ops/host/host_function.cpp": {"call it again with these": FROM_CPP},
    "cpp/tapegrad/ops/index/index_gather.cpp": {"which index is the last": DOCUMENTATION},
    "cpp/tapegrad/ops/reduce/reduce_scan.cpp": {"broadcast them first": FROM_CPP},
    "cpp/tapegrad/ops/reduce/order.cpp": {"test x.size first": FROM_CPP},
    "cpp/tapegrad/autodiff/sgd.cpp": {"call zero_grad() after that": FROM_CPP},
    "cpp/tapegrad/ops/shape/shape_join.cpp": {"use x.reshape(1)": FROM_CPP},
    "cpp/tapegrad/ops/shape/shape_repeat.cpp": {"a border; mode constant": DOCUMENTATION},
    "cpp/tapegrad/ops/shape/shape_view.cpp": {
        "transpose that swaps two axes": DOCUMENTATION,
        "transpose that moves axes": DOCUMENTATION,
    },
    "cpp/tapegrad/autodiff/grad.cpp": {
        " seeds; give one seed for each output": FROM_CPP,
        " tangents; give one for each": FROM_CPP,
    },
    "cpp/tapegrad/program/passes/pass_switches.cpp": {"there is no pass named": LABEL},
    "cpp/tapegrad/program/run/executor.cpp": {"record again for another shape": FROM_CPP},
    "cpp/tapegrad/rows/cpu.cpp": {"; unset it to use ": "it is said of an environment variable"},
    "python/bindings/forwarding.cpp": {"made without a target to call": LABEL},
    "python/bindings/functions.cpp": {
        "inputs are a tuple": LABEL,
        "Applies an operation by name": DOCUMENTATION,
        " seeds; give one for each": FROM_CPP,
    },
    "python/bindings/scope.cpp": {"use it inside its with block": SCOPES},
    "python/bindings/program/program.cpp": {"use the tracer inside its with block": SCOPES},
    "python/bindings/program/train.cpp": {"ready to make training steps": DOCUMENTATION},
    "python/bindings/variable/variable_attributes.cpp": {"Pickles a leaf": DOCUMENTATION},
    "python/bindings/variable/variable_type.cpp": {", name=": LABEL},
}

# Tables of remedies, each of which another test runs whole: the test's file, and what it reads.
TABLES: dict[str, tuple[str, str]] = {
    "python/tapegrad/numpy/attributes.py": (
        "tests/python/numpy/test_attributes.py",
        '@pytest.mark.parametrize("name", ATTRIBUTES)',
    ),
    "python/tapegrad/numpy/remedies.py": (
        "tests/python/numpy/test_scipy_refusals.py",
        '@pytest.mark.parametrize("name", scipy_cases.CALLS)',
    ),
}
