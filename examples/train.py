"""A program as the trainer, one process a trial: fits y = 3x by gradient descent.

Windrow passes each parameter as --name value, the seed and the checkpoint folder in the
environment; each printed {"epoch": n, ...} is a row of the study. It needs no package.
"""
import argparse, json, os, random

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
arguments = parser.parse_args()
random.seed(int(os.environ["WINDROW_SEED"]))
xs = [random.gauss(0, 1) for _ in range(200)]
saved = os.path.join(os.environ["WINDROW_CHECKPOINT_DIR"], "state.json")
first, w = json.load(open(saved)) if os.path.exists(saved) else (1, random.gauss(0, 1))
for epoch in range(first, arguments.epochs + 1):
    w -= arguments.lr * sum(2 * (w - 3) * x * x for x in xs) / len(xs)
    with open(saved + ".new", "w") as file:
        json.dump((epoch + 1, w), file)
    os.replace(saved + ".new", saved)
    print(json.dumps({"epoch": epoch, "loss": sum(((w - 3) * x) ** 2 for x in xs) / len(xs)}), flush=True)
