"""Records, sweeps, optimisers and threads."""

from remedy_cases.case import Case

W = "w = tg.Variable(X); "
HELD = (
    "data = np.ones(100_000); v = tg.Variable(2.0); loss = np.sum(v * data); data[0] = 5.0; "
    "loss.backward()"
)
SWEPT = "y = np.sum(w * w); y.backward(free=True); y.backward()"

CASES = [
    # Backward and tg.grad of Variables.
    Case(
        W + "np.sum(w**3).backward(create_graph=True)",
        "write tg.grad(v, w, record=True)",
        W + "v = np.sum(w**3); slope = tg.grad(v, w, record=True); tg.grad(np.sum(slope), w)",
        "6 * x",
    ),
    Case(
        W + "(w * w).backward()",
        "reduce it (for instance with np.sum)",
        W + "np.sum(w * w).backward(); w.grad",
        "2 * x",
    ),
    Case(
        W + "(w * w).backward()",
        "give a seed of that shape",
        W + "(w * w).backward(np.ones(3)); w.grad",
        "2 * x",
    ),
    Case(
        W + "(w * w).backward()",
        "use jacobian",
        "tg.jacobian(lambda w: w * w)(X)",
        "np.diag(2 * x)",
    ),
    Case(
        W + "(w * w).backward()",
        "or use jacobian / elementwise_grad",
        "tg.elementwise_grad(lambda w: w * w)(X)",
        "2 * x",
    ),
    Case(
        W + "y = np.sum(w); tg.grad([y, y], w, [1.0])",
        "pass the same nesting of containers",
        W + "y = np.sum(w); tg.grad([y, y], w, [1.0, 3.0])",
        "4 * np.ones(3)",
    ),
    Case(
        W + "tg.grad(np.sum(w), None)",
        "tg.grad(loss, w)",
        W + "loss = np.sum(w); tg.grad(loss, w)",
        "np.ones(3)",
    ),
    Case(
        W + "tg.grad(np.sum(w), None)",
        "tg.grad(loss, [w, b])",
        W + "b = tg.Variable(1.0); loss = np.sum(w) * b; tg.grad(loss, [w, b])[1]",
        "np.sum(x)",
    ),
    Case(
        W + "tg.grad(np.sum(w), [])",
        "call tg.grad(loss, [w, b])",
        W + "b = tg.Variable(1.0); loss = np.sum(w) * b; tg.grad(loss, [w, b])[0]",
        "np.ones(3)",
    ),
    Case(
        W + "tg.grad(3.0, w)",
        "call tg.grad(outputs, wrt) with recorded Variables",
        W + "tg.grad(3.0 * np.sum(w), w)",
        "3 * np.ones(3)",
    ),
    Case(
        W + "tg.grad(3.0, w)",
        "or tg.grad(f)(x) with a function",
        "tg.grad(lambda w: 3.0 * np.sum(w))(X)",
        "3 * np.ones(3)",
    ),
    Case(
        W + "tg.grad(w * w, w, np.ones(2))",
        "np.broadcast_to makes it so",
        W + "tg.grad(w * w, w, np.broadcast_to(np.ones(1), 3))",
        "2 * x",
    ),
    Case(
        W + "tg.grad(w * w, w, 'one')",
        "pass a float or an array of floats",
        W + "tg.grad(w * w, w, np.ones(3))",
        "2 * x",
    ),
    Case(
        W + "\nwith tg.no_grad(): y = np.sum(w * w)\ny.backward()",
        "compute it outside the no_grad block",
        W + "y = np.sum(w * w); y.backward(); w.grad",
        "2 * x",
    ),
    Case(
        W + SWEPT,
        "compute the output again before differentiating it",
        W + "np.sum(w * w).backward(free=True); np.sum(w * w).backward(); w.grad",
        "4 * x",
    ),
    Case(
        W + SWEPT,
        "keep the recording with backward(free=False)",
        W + "y = np.sum(w * w); y.backward(free=False); y.backward(); w.grad",
        "4 * x",
    ),
    Case(
        HELD,
        "record with a copy (x.copy())",
        HELD.replace("v * data", "v * data.copy()") + "; v.grad",
        "100_000.0",
    ),
    Case(
        HELD,
        "or change the array after the sweep",
        "data = np.ones(100_000); v = tg.Variable(2.0); np.sum(v * data).backward(); "
        "data[0] = 5.0; v.grad",
        "100_000.0",
    ),
    Case(
        "w = tg.Variable(0.0); tg.grad(lambda w: np.log(1 + np.exp(w)))(np.array(1000.0))",
        "np.logaddexp(0, x) for np.log(1 + np.exp(x))",
        "np.logaddexp(0, x)",
        "np.log(1 + np.exp(x))",
    ),
    Case(
        "tg.grad(lambda v: np.log(np.sum(np.exp(v))))(X * 1000)",
        "np.logaddexp.reduce(x) for np.log(np.sum(np.exp(x)))",
        "np.logaddexp.reduce(x)",
        "np.log(np.sum(np.exp(x)))",
    ),
    Case(
        "tg.hessian(lambda v: np.linalg.norm(v) ** 2)(np.zeros(3))",
        "np.sum(v * v) for np.linalg.norm(v)**2",
        "np.sum(x * x)",
        "np.linalg.norm(x) ** 2",
    ),
    Case(
        "tg.hessian(lambda v: np.linalg.norm(v) ** 2)(np.zeros(3))",
        "np.var(v) for np.std(v)**2",
        "np.var(x)",
        "np.std(x) ** 2",
    ),
    Case(
        "tg.hessian(lambda v: np.linalg.norm(v) ** 2)(np.zeros(3))",
        "x * x for np.abs(x)**2, s for np.sqrt(s)**2",
        "x * x",
        "np.abs(x) ** 2",
    ),
    # Threads.
    Case(
        "ended_thread(lambda: x * 2)",
        "pass tg.value(v)",
        "ended_thread(lambda v=tg.value(x): v * 2)",
        "x * 2",
    ),
    Case(
        "ended_thread(lambda: x * 2)",
        "or a leaf Variable",
        W + "ended_thread(lambda: tg.value(tg.grad(lambda e: np.sum(w * e * e))(X)))",
        "2 * x * x",
    ),
    Case(
        "ended_thread(lambda: tg.Variable(X) * 2) * 2",
        "differentiate on the thread that records",
        "ended_thread(lambda: tg.grad(lambda e: np.sum(e * e))(X))",
        "2 * x",
    ),
    Case(
        "ended_thread(lambda: tg.Variable(X) * 2) * 2",
        "pass plain values between threads with tg.value(v)",
        "ended_thread(lambda: tg.value(tg.Variable(X) * 2)) * x",
        "2 * np.array([0.7, 1.9, 2.6]) * x",
    ),
    # tg.SGD.
    Case(
        "tg.SGD([])",
        "give it a list of Variables",
        W + "o = tg.SGD([w], lr=0.5); np.sum(w * w).backward(); o.step(); w.value",
        "0 * x",
    ),
    Case(
        W + "tg.SGD(w)",
        "write SGD([w], lr=...)",
        W + "o = tg.SGD([w], lr=0.5); np.sum(w).backward(); o.step(); w.value",
        "x - 0.5",
    ),
    Case(
        "tg.SGD([1.0])",
        "wrap it with tg.Variable(x)",
        "w = tg.Variable(1.0); o = tg.SGD([w], lr=0.5); w.backward(); o.step(); w.value",
        "0.5",
    ),
    Case(
        "tg.SGD([x])",
        "optimise leaves, made by Variable(value)",
        "w = tg.Variable(tg.value(x)); o = tg.SGD([w], lr=0.5); np.sum(w).backward(); "
        "o.step(); w.value",
        "x - 0.5",
    ),
    Case(
        W + "o = tg.SGD([w]); w[0] = a; o.step()",
        "optimise leaves",
        W + "o = tg.SGD([w], lr=0.5); w[0] = tg.value(a); np.sum(w).backward(); o.step(); w.value",
        "x - 0.5",
    ),
    # tg.optim.
    Case(
        "o = tg.optim.adam(0.1); o.update(1.0, 1.0, {})",
        "start with state = optimizer.init(params)",
        "o = tg.optim.sgd(0.1); state = o.init(X); o.update(X, np.ones(3), state)[0]",
        "x - 0.1",
    ),
    Case(
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), 0.0, (), "
        "optimizer=tg.optim.sgd(0.1), epochs=1)",
        "pass a tuple of arrays, as in (x, y)",
        "tg.optim.train(lambda p, d, y: np.mean((p * d - y) ** 2), 0.0, (X, 2 * X), "
        "optimizer=tg.optim.sgd(0.1), epochs=200)[0]",
        "2.0",
        rtol=1e-6,
    ),
    Case(
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), 0.0, (X, 3.0), "
        "optimizer=tg.optim.sgd(0.1), epochs=1)",
        "and fixed numbers in the loss itself",
        "tg.optim.train(lambda p, d: np.mean((p * d - 3.0 * d) ** 2), 0.0, (X,), "
        "optimizer=tg.optim.sgd(0.1), epochs=200)[0]",
        "3.0",
        rtol=1e-6,
    ),
    Case(
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), 0.0, (X,), optimizer=0.1, epochs=1)",
        "optimizer=tg.optim.sgd(0.01)",
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), 0.0, (X,), "
        "optimizer=tg.optim.sgd(0.01), epochs=2000)[0]",
        "np.mean(x)",
        rtol=1e-6,
    ),
    Case(
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), 0.0, (X[:0],), "
        "optimizer=tg.optim.sgd(0.1), epochs=1)",
        "pass some data",
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), 0.0, (X,), "
        "optimizer=tg.optim.sgd(0.1), epochs=200)[0]",
        "np.mean(x)",
        rtol=1e-6,
    ),
    Case(
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), a, (X,), "
        "optimizer=tg.optim.sgd(0.1), epochs=1)",
        "pass tg.value(params)",
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), tg.value(a), (X,), "
        "optimizer=tg.optim.sgd(0.1), epochs=200)[0]",
        "np.mean(x)",
        rtol=1e-6,
    ),
    Case(
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), 0.0, (X.astype(str),), "
        "optimizer=tg.optim.sgd(0.1), epochs=1)",
        "pass float64, float32, integers or bools",
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), 0.0, (X.astype(str).astype(float),), "
        "optimizer=tg.optim.sgd(0.1), epochs=200)[0]",
        "np.mean(x)",
        rtol=1e-6,
    ),
    Case(
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), 0.0, (X.astype('f2'),), "
        "optimizer=tg.optim.sgd(0.1), epochs=1)",
        "(x.astype(float) converts)",
        "tg.optim.train(lambda p, d: np.mean((p - d) ** 2), 0.0, "
        "(X.astype('f2').astype(float),), optimizer=tg.optim.sgd(0.1), epochs=200)[0]",
        "np.mean(x.astype('f2').astype(float))",
    ),
]
