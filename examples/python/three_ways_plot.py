"""Numerical, symbolic and automatic derivatives: how exact, how long, how dear. Draws a picture.

The numerical error against the step has the shape of a V; the formula of a symbolic derivative
grows exponentially with the program, the record of a program does not; and a gradient by
differences costs two evaluations for each input.

Run it: python examples/python/three_ways_plot.py [picture.png]
The picture needs matplotlib, and one of its curves SymPy (pip install matplotlib sympy).
"""

import importlib.util
import sys
import time

import numpy as np

import tapegrad as tg
from tapegrad import numerical


def f(x):
    """A function of one number that is evaluated by a loop."""
    total = x
    for _ in range(4):
        total = np.sin(total) + x * np.exp(-total)
    return total


def logistic_map(x, n):
    """N rounds of x -> 4x (1 - x): a short program with a long formula."""
    for _ in range(n):
        x = 4 * x * (1 - x)
    return x


def errors(steps, x=1.3):
    """For each way the relative error of the derivative at each step."""
    exact = tg.grad(f)(x)

    def off(found):
        return max(abs(found - exact) / abs(exact), 1e-17)

    curves = {
        method: [off(numerical.grad(f, step=h, method=method)(x)) for h in steps]
        for method in ("forward", "central", "complex")
    }
    curves["richardson"] = [off(numerical.grad(f, method="richardson")(x))] * len(steps)
    # The two sweeps that are exact know nothing of each other: that is what they differ by.
    curves["automatic"] = [off(tg.jvp(f, (x,), (1.0,))[1])] * len(steps)
    return curves


def lengths(rounds):
    """Operations of the derivative of the logistic map: of its formula, and of its record."""
    recorded = []
    for n in rounds:
        gradient = tg.compile(tg.grad(lambda x, n=n: logistic_map(x, n)))
        for _ in range(2):
            gradient(0.3)
        recorded.append(gradient.inspect().signatures[0].programs[0].n_recorded)
    if importlib.util.find_spec("sympy") is None:
        return recorded, None
    import sympy

    x = sympy.Symbol("x")
    symbolic = [int(sympy.count_ops(sympy.diff(logistic_map(x, n), x))) for n in rounds]
    return recorded, symbolic


def times(sizes, repeats=5):
    """For each way the time of a gradient of n inputs, in evaluations of the function."""

    def energy(x):
        return np.sum(np.sin(x[1:] * x[:-1]) ** 2) + np.sum(np.exp(-(x**2)))

    ways = {
        "numerical (central differences)": numerical.grad(energy),
        "automatic (forward, n sweeps)": tg.jacobian(energy, mode="forward"),
        "automatic (reverse, one sweep)": tg.grad(energy),
    }
    curves = {name: [] for name in ways}
    for n in sizes:
        x = np.linspace(-1.0, 2.0, n)
        for name, gradient in ways.items():
            ratios = []
            for _ in range(repeats):  # in turns: what disturbs one disturbs the other
                start = time.perf_counter()
                for _ in range(20):
                    energy(x)
                middle = time.perf_counter()
                gradient(x)
                ratios.append(20 * (time.perf_counter() - middle) / (middle - start))
            curves[name].append(float(np.median(ratios)))
    return curves


STYLE = {
    "forward": ("#d1495b", "numerical, one-sided"),
    "central": ("#edae49", "numerical, central"),
    "complex": ("#30638e", "complex step"),
    "richardson": ("#8d6a9f", "Richardson"),
    "automatic": ("#1b998b", "automatic"),
}


def draw(path, steps, by_step, rounds, recorded, symbolic, sizes, by_size):
    """The three panels."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 4.4), layout="constrained")

    for name, curve in by_step.items():
        color, label = STYLE[name]
        dashed = "--" if name in ("richardson", "automatic") else "-"
        left.loglog(steps, curve, dashed, color=color, label=label, linewidth=1.8)
    left.set(
        xlabel="step",
        ylabel="relative error (zero is drawn as 1e-17)",
        title="How exact",
        ylim=(2e-18, 10),
    )
    left.text(2e-16, 1e-5, "rounding", color="0.35")
    left.text(1.5e-5, 3e-1, "truncation", color="0.35")
    left.legend(loc="lower left", bbox_to_anchor=(0.0, 0.2), fontsize=8, frameon=False)

    middle.semilogy(rounds, recorded, "o-", color=STYLE["automatic"][0], label="automatic: record")
    if symbolic is None:
        middle.text(
            0.5, 0.6, "SymPy is not installed:\nno formula to measure\n(pip install sympy)",
            transform=middle.transAxes, ha="center", color="0.35",
        )  # fmt: skip
    else:
        middle.semilogy(rounds, symbolic, "s-", color="#d1495b", label="symbolic: formula")
    middle.set(
        xlabel="rounds of x → 4x (1 - x)", ylabel="operations of the derivative", title="How long"
    )
    middle.legend(frameon=False, fontsize=9, loc="upper left")

    colors = ("#edae49", "#30638e", "#1b998b")
    for color, (name, curve) in zip(colors, by_size.items(), strict=True):
        right.loglog(sizes, curve, "o-", color=color, label=name)
    right.loglog(sizes, 2 * np.array(sizes), ":", color="0.6", label="2n evaluations")
    right.set(xlabel="inputs n", ylabel="time / time of f", title="How dear a gradient is")
    right.legend(frameon=False, fontsize=8, loc="upper left")
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    steps = np.logspace(-16, 0, 65)
    by_step = errors(steps)
    for name, curve in by_step.items():
        best = int(np.argmin(curve))
        where = "" if curve[best] == curve[0] else f" at step {steps[best]:.0e}"
        print(f"{STYLE[name][1]:<22}best error {curve[best]:.0e}{where}")

    rounds = range(1, 9)
    recorded, symbolic = lengths(rounds)
    print("operations of the record: ", *recorded)
    print("operations of the formula:", *(symbolic or ["SymPy is not installed"]))

    sizes = [4, 16, 64, 256]
    by_size = times(sizes)
    for name, curve in by_size.items():
        print(f"{name:<33}", *(f"{ratio:8.1f}" for ratio in curve), " evaluations")

    if importlib.util.find_spec("matplotlib") is None:
        print("no picture: matplotlib is not installed (pip install matplotlib)")
    else:
        path = sys.argv[1] if len(sys.argv) > 1 else "three_ways.png"
        draw(path, steps, by_step, rounds, recorded, symbolic, sizes, by_size)
        print("drawn into", path)
