"""A program as the trainer, one process a trial: fits y = 3x by gradient descent.

Windrow passes each parameter as --name=value, the seed and the checkpoint folder in the
environment; each printed {"epoch": n, ...} is a row of the study. It needs no package.
"""
import argparse, json, os, random

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
arguments = parser.parse_args()
random.seed(int(os.environ["WINDROW_SEED"]))
xs = [random.gauss(0, 1) for _ in range(200)]
state = os.path.join(os.environ["WINDROW_CHECKPOINT_DIR"], "after-{}.json").format
done = int(os.environ["WINDROW_RESUME"])  # epochs that are recorded: go on after them
w = json.load(open(state(done))) if done else random.gauss(0, 1)
for epoch in range(done + 1, arguments.epochs + 1):
    w -= arguments.lr * sum(2 * (w - 3) * x * x for x in xs) / len(xs)
    json.dump(w, open(state("new"), "w"))
    os.replace(state("new"), state(epoch))  # first the checkpoint, whole; then the row
    print(json.dumps({"epoch": epoch, "loss": sum(((w - 3) * x) ** 2 for x in xs) / len(xs)}))
