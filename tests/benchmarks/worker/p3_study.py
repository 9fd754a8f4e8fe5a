"""Study P3 as a whole by `windrow run`, against a plain PyTorch loop: one JSON object a line.

    p3_study.py --windrow build/bin/windrow --torch FOLDER [--sets N] [--epochs E]

Both train the eight configurations of sweeps/studies/p3.yaml for E epochs (no more than 5, so that
early stopping ends none of them) on the same number of sets, evaluate the validation sets after
each, keep the best weights, and end with the errors on training, validation and test sets. Ours is
the wall time of the whole `windrow run` on two cores: starting, generating the sets, checkpoints and
database included. PyTorch's is a loop as one writes it: a module, Adam, minibatches by index from a
shuffled tensor (no DataLoader, in its favour), configuration after configuration; imports and data
are not counted, and of each configuration the faster of one and two threads counts. FOLDER is a full
install of PyTorch (compare.py tells more). Exit code 1: the goal is missed.
"""

import argparse
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
STUDY = HERE.parents[2] / "sweeps" / "studies" / "p3.yaml"
CONFIGURATIONS = [(3, 100), (3, 200), (3, 10), (2, 10), (2, 200), (2, 100), (3, 5), (5, 2)]
GOAL = 8
BATCH, HELD_OUT = 300, 0.1
# Two cores as two slots, or both on each trial, one after the other: the largest network is most of
# the study, and in the end a slot of one core works alone; but threads that wait for one another
# suffer from any other load. The faster way counts.
SLOTS = [["--slots", "2"], ["--slots", "1", "--threads-per-slot", "2"]]


def eager_seconds(loop, threads, sets, epochs):
    """Prints the seconds of each configuration in plain PyTorch; a process of its own."""
    import torch
    from torch.nn import functional as F
    from torch.utils.data import DataLoader, TensorDataset

    from eager import Setnet

    torch.set_num_threads(threads)
    torch.manual_seed(0)

    def make():
        return torch.randn(sets, 5, 3), F.one_hot(torch.randint(5, (sets,)), 5).float()

    x, y = make()
    x_test, y_test = make()
    held_out = int(sets * HELD_OUT)
    x_val, y_val = x[-held_out:], y[-held_out:]
    x, y = x[:-held_out], y[:-held_out]

    def batches():
        if loop == "indexed":
            return ((x[batch], y[batch]) for batch in torch.randperm(len(x)).split(BATCH))
        return DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True)

    def error(net, x, y):
        with torch.no_grad():
            return sum(
                F.mse_loss(net(part), target, reduction="sum").item()
                for part, target in zip(x.split(4096), y.split(4096))
            ) / y.numel()

    def train(depth, width):
        net = Setnet(depth, width)
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-4, eps=1e-3)
        best, best_weights = float("inf"), None
        for _ in range(epochs):
            for inputs, targets in batches():
                optimizer.zero_grad()
                loss = F.mse_loss(net(inputs), targets)
                loss.backward()
                optimizer.step()
            val = error(net, x_val, y_val)
            if val < best:
                best, best_weights = val, copy.deepcopy(net.state_dict())
        net.load_state_dict(best_weights)
        return [error(net, *part) for part in ((x, y), (x_val, y_val), (x_test, y_test))]

    seconds = []
    for depth, width in CONFIGURATIONS:
        began = time.perf_counter()
        train(depth, width)
        seconds.append(time.perf_counter() - began)
    print(json.dumps(seconds))


def measure_eager(arguments, loop, threads):
    environment = dict(os.environ)
    if arguments.torch:
        environment["PYTHONPATH"] = arguments.torch
    output = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--eager", loop, str(threads),
         "--sets", str(arguments.sets), "--epochs", str(arguments.epochs)],
        env=environment, check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def measure_ours(arguments, slots):
    with tempfile.TemporaryDirectory(prefix="windrow-p3-") as folder:
        began = time.monotonic()
        summary = subprocess.run(
            [arguments.windrow, "run", STUDY, "--db", f"{folder}/w.db", "--quiet", "--json",
             "--device", "cpu", *slots, "--set", f"epochs={arguments.epochs}",
             "--set", f"train_sets={arguments.sets}", "--set", f"test_sets={arguments.sets}"],
            check=True, capture_output=True, text=True).stdout
        seconds = time.monotonic() - began
    if json.loads(summary)["epochs"] != arguments.epochs * len(CONFIGURATIONS):
        sys.exit(f"p3_study.py: not all epochs were trained: {summary}")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--windrow", help="path of the program windrow")
    parser.add_argument("--torch", help="folder of a full pip --target install of torch")
    parser.add_argument("--sets", type=int, default=200_000, help="for training, and for the test")
    parser.add_argument("--epochs", type=int, default=2, choices=range(1, 6))
    parser.add_argument("--eager", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.eager:
        loop, threads = arguments.eager
        eager_seconds(loop, int(threads), arguments.sets, arguments.epochs)
        return 0
    if not arguments.windrow:
        parser.error("--windrow is missing")
    # In turns, so that other load on the machine meets both alike.
    seconds = [measure_ours(arguments, slots) for slots in SLOTS]
    one, two = (measure_eager(arguments, "indexed", threads) for threads in (1, 2))
    loader = sum(measure_eager(arguments, "loader", 2))
    seconds = [min(s, measure_ours(arguments, slots)) for s, slots in zip(seconds, SLOTS)]
    indexed = sum(map(min, one, two))
    what = f"{arguments.epochs} epochs of {arguments.sets} sets"
    here = f"here {seconds[0]:.1f} s in 2 slots, {seconds[1]:.1f} s in one of 2 threads"
    met = [
        report("p3-study", loader, min(seconds),
               f"a PyTorch loop over a DataLoader, {what}: {loader:.1f} s ({here})"),
        report("p3-study-vs-indexed", indexed, min(seconds),
               f"a PyTorch loop without one, {what}: {indexed:.1f} s ({sum(one):.1f} s on 1 thread, "
               f"{sum(two):.1f} s on 2)")]
    return 0 if all(met) else 1


def report(name, eager, ours, against):
    met = eager / ours >= GOAL
    print(json.dumps({"benchmark": name, "value": round(eager / ours, 2), "unit": "x its speed",
                      "goal": f">= {GOAL}", "met": met, "against": against}), flush=True)
    return met


if __name__ == "__main__":
    sys.exit(main())
