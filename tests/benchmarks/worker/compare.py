"""windrow-trainer's training steps against eager PyTorch's, as JSON objects, one a line.

    compare.py --bench windrow-bench-worker --torch FOLDER [--seconds S] [--rounds N] [NAME...]

FOLDER is a full `pip install --target FOLDER torch numpy` (the light install of the CPU trainer can't be
imported); without --torch, the installed torch is used. Both programs run in turns and the best
round of each counts, so that other load on the machine meets both alike. Exit code 1: a goal is
missed.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

SETNETS = ["setnet-3x100", "setnet-3x200", "setnet-3x10", "setnet-2x10", "setnet-2x200",
           "setnet-2x100", "setnet-3x5", "setnet-5x2"]
CNNS = ["cnn5x5-1-thread", "cnn5x5-2-threads", "cnn5x5-two-trainers"]
MODELS = ["cnn5x5", "cnn3", "resnet9", "resnet20"]
STUDIES = [f"{model}-study" for model in MODELS]
GPU = [f"{model}-gpu" for model in MODELS]
SHARES = {"augmentation": (10, "a training step of resnet20, 1 thread"),
          "evaluation": (50, "a P1 epoch, 1 thread")}
NAMES = SETNETS + CNNS + STUDIES + list(SHARES)  # and those of GPU, where there is one
EAGER = pathlib.Path(__file__).with_name("eager.py")


class Programs:
    """The two programs under comparison."""

    def __init__(self, arguments):
        self.ours_command = [arguments.bench]
        # Without warnings: PyTorch's of a missing NumPy, which none of this needs, come a dozen times.
        self.eager_command = [sys.executable, "-W", "ignore", str(EAGER)]
        self.seconds = arguments.seconds
        self.environment = dict(os.environ)
        if arguments.torch:
            self.environment["PYTHONPATH"] = arguments.torch

    def begin(self, command, name, threads, *more):
        return subprocess.Popen(
            [*command, "--threads", str(threads), "--seconds", str(self.seconds), *more, name],
            env=self.environment, stdout=subprocess.PIPE, text=True)

    @staticmethod
    def end(process):
        output, _ = process.communicate()
        if process.returncode:
            sys.exit(f"compare.py: {process.args[0]} failed with exit code {process.returncode}")
        return json.loads(output)["value"]

    def ours(self, name, threads=1, device="cpu"):
        return self.end(self.begin(self.ours_command, name, threads, "--device", device))

    def eager(self, name, threads=1, style="tuned", device="cpu"):
        return self.end(
            self.begin(self.eager_command, name, threads, "--style", style, "--device", device))

    def tuned(self, name, threads):
        """The better of the two memory formats, with the fused optimizer."""
        return max(self.eager(name, threads, style) for style in ("fused", "tuned"))

    def two_of_ours(self, name):
        """The sum over two that run at the same time, with a thread each."""
        both = [self.begin(self.ours_command, name, 1) for _ in range(2)]
        return sum(map(self.end, both))


def best_of_turns(rounds, best, *measures):
    """The best of each, measured in turns."""
    turns = [[measure() for measure in measures] for _ in range(rounds)]
    return [best(values) for values in zip(*turns)]


def report(name, ratio, unit, goal, met, against):
    print(json.dumps({"benchmark": name, "value": round(ratio, 3), "unit": unit, "goal": goal,
                      "met": met, "against": against}), flush=True)
    return met


def compare(name, programs, rounds):
    if name.startswith("setnet-"):
        ours, eager = best_of_turns(rounds, min, lambda: programs.ours(name),
                                    lambda: programs.eager(name))
        ratio = ours / eager
        return report(name, ratio, "x its time a step", "<= 0.5", ratio <= 0.5,
                      f"eager PyTorch, 1 thread: {eager:.0f} us (here {ours:.0f} us)")
    if name in SHARES:
        limit, whole = SHARES[name]
        share = min(programs.ours(name) for _ in range(rounds))
        return report(name, share, "%", f"< {limit}", share < limit, f"its share of {whole}")
    if name in STUDIES:
        return compare_study(name.removesuffix("-study"), programs, rounds)
    if name in GPU:
        return compare_gpu(name.removesuffix("-gpu"), programs, rounds)
    if name == "cnn5x5-two-trainers":
        two, one = best_of_turns(rounds, max, lambda: programs.two_of_ours("cnn5x5"),
                                 lambda: programs.ours("cnn5x5", 2))
        ratio = two / one
        return report(name, ratio, "x its images/s", "> 1", ratio > 1,
                      f"one trainer of 2 threads: {one:.0f}/s (two of 1 thread: {two:.0f}/s)")
    threads = 2 if name.endswith("2-threads") else 1
    ours, eager = best_of_turns(rounds, max, lambda: programs.ours("cnn5x5", threads),
                                lambda: programs.tuned("cnn5x5", threads))
    ratio = ours / eager
    return report(name, ratio, "x its images/s", ">= 1", ratio >= 1,
                  f"eager PyTorch, {threads} thread(s): {eager:.0f}/s (here {ours:.0f}/s)")


def compare_study(model, programs, rounds):
    """A study on 2 cores: two trainers of a thread each, against one PyTorch loop of 2 threads."""
    ours, plain, tuned = best_of_turns(rounds, max, lambda: programs.two_of_ours(model),
                                       lambda: programs.eager(model, 2, "plain"),
                                       lambda: programs.tuned(model, 2))
    met = [report(f"{model}-vs-{style}", ours / eager, "x its images/s", f">= {goal}",
                  ours / eager >= goal,
                  f"{what}, 2 threads: {eager:.0f}/s (two trainers here: {ours:.0f}/s)")
           for style, eager, goal, what in (
               ("plain", plain, 1.5, "plain eager PyTorch"),
               ("tuned", tuned, 1.15, "channels-last and fused Adam"))]
    return all(met)


def compare_gpu(model, programs, rounds):
    """A trainer on a GPU against one PyTorch loop there, written three ways."""
    styles = {"plain": ("plain eager PyTorch", 1.5),
              "tuned": ("channels-last and fused Adam", 1.15),
              "compiled": ("torch.compile of that", 1)}
    ours, *theirs = best_of_turns(
        rounds, max, lambda: programs.ours(model, device="cuda"),
        *(lambda style=style: programs.eager(model, 1, style, "cuda") for style in styles))
    met = [report(f"{model}-gpu-vs-{style}", ours / eager, "x its images/s", f">= {goal}",
                  ours / eager >= goal, f"{what}: {eager:.0f}/s (here: {ours:.0f}/s)")
           for eager, (style, (what, goal)) in zip(theirs, styles.items())]
    return all(met)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bench", required=True, help="path of windrow-bench-worker")
    parser.add_argument("--torch", help="folder of a full pip --target install of torch")
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("names", nargs="*", default=NAMES)
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES + GPU)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(NAMES + GPU)}")
    programs = Programs(arguments)
    met = [compare(name, programs, arguments.rounds) for name in arguments.names]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
