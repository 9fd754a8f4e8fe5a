"""What windrow-bench-worker measures, in plain eager PyTorch, with the same arguments and output.

    eager.py [--threads N] [--seconds S] NAME...

Each choice that PyTorch offers is made in its favour: the fused Adam, and for images the faster of
its two memory formats.
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

ROUNDS = 5


class EquivariantLayer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.own = nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, outputs)))
        self.pooled = nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, outputs)))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.own + x.mean(1, keepdim=True) @ self.pooled + self.bias


class Setnet(nn.Module):
    def __init__(self, depth, width):
        super().__init__()
        sizes = [3] + [width] * (depth - 1) + [1]
        self.layers = nn.ModuleList(map(EquivariantLayer, sizes, sizes[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x).squeeze(-1)


class Cnn5x5(nn.Sequential):
    def __init__(self):
        layers, inputs = [], 3
        for outputs in (32, 64, 128):
            layers += [nn.Conv2d(inputs, outputs, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
            inputs = outputs
        super().__init__(*layers, nn.Flatten(), nn.Linear(2048, 1000), nn.ReLU(),
                         nn.Linear(1000, 10))


def seconds_a_step(step, seconds):
    """The median over rounds of the seconds that one call of `step` takes."""
    for _ in range(3):
        step()
    rounds = []
    for _ in range(ROUNDS):
        begin, steps = time.perf_counter(), 0
        while True:
            step()
            steps += 1
            if time.perf_counter() - begin >= seconds / ROUNDS:
                break
        rounds.append((time.perf_counter() - begin) / steps)
    return statistics.median(rounds)


def batches(order, size):
    while True:
        yield from order.split(size)


def setnet_microseconds(depth, width, seconds):
    sets = 180000
    x = torch.randn(sets, 5, 3)
    y = F.one_hot(torch.randint(5, (sets,)), 5).float()
    net = Setnet(depth, width)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4, eps=1e-3, fused=True)
    indices = batches(torch.randperm(sets), 300)

    def step():
        batch = next(indices)
        optimizer.zero_grad()
        F.mse_loss(net(x[batch]), y[batch]).backward()
        optimizer.step()

    return 1e6 * seconds_a_step(step, seconds)


def cnn5x5_images_a_second(memory_format, seconds):
    images = torch.randint(256, (4096, 3, 32, 32), dtype=torch.uint8)
    labels = torch.randint(10, (4096,))
    mean = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
    deviation = torch.tensor([0.2470, 0.2435, 0.2616]).view(1, 3, 1, 1)
    net = Cnn5x5().to(memory_format=memory_format)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4, eps=1e-3, fused=True)
    indices = batches(torch.randperm(4096), 128)

    def step():
        batch = next(indices)
        x = ((images[batch].float() / 255 - mean) / deviation).contiguous(
            memory_format=memory_format)
        optimizer.zero_grad()
        F.cross_entropy(net(x), labels[batch]).backward()
        optimizer.step()

    return 128 / seconds_a_step(step, seconds)


def run(name, seconds):
    if name == "cnn5x5":
        value = max(cnn5x5_images_a_second(f, seconds / 2)
                    for f in (torch.contiguous_format, torch.channels_last))
        unit = "images/s"
    else:
        depth, width = map(int, name.removeprefix("setnet-").split("x"))
        value, unit = setnet_microseconds(depth, width, seconds), "us/step"
    print(json.dumps({"benchmark": name, "value": value, "unit": unit}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("names", nargs="+")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_num_interop_threads(1)
    for name in arguments.names:
        run(name, arguments.seconds)


if __name__ == "__main__":
    main()
