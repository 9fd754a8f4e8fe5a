"""What windrow-bench-worker measures, in plain eager PyTorch, with the same arguments and output.

    eager.py [--device cpu|cuda] [--threads N] [--seconds S] [--style plain|fused|tuned|compiled] NAME...

Of images, "plain" is what a user writes first: PyTorch's defaults. "tuned" has channels-last memory
and the fused Adam, "fused" the latter alone, "compiled" both and torch.compile. Set networks always have the fused Adam.
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

WARM_UP, ROUNDS = 3, 5
# How a loop over images is written: memory format, and whether the optimizer is the fused one.
STYLES = {"plain": (torch.contiguous_format, False), "fused": (torch.contiguous_format, True),
          "tuned": (torch.channels_last, True), "compiled": (torch.channels_last, True)}


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


def conv_norm(inputs, outputs, taps=3, stride=1):
    return [nn.Conv2d(inputs, outputs, taps, stride, taps // 2, bias=False),
            nn.BatchNorm2d(outputs)]


class Cnn3(nn.Sequential):
    def __init__(self):
        layers, inputs = [], 3
        for outputs in (32, 64, 128):
            layers += [*conv_norm(inputs, outputs), nn.ReLU(), *conv_norm(outputs, outputs),
                       nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3)]
            inputs = outputs
        super().__init__(*layers, nn.Flatten(), nn.Linear(2048, 128), nn.ReLU(),
                         nn.Linear(128, 10))


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


class Resnet9(nn.Sequential):
    def __init__(self):
        def block(inputs, outputs):
            return [*conv_norm(inputs, outputs), nn.ReLU()]

        def residual(width):
            return Residual(*block(width, width), *block(width, width))

        super().__init__(*block(3, 64), *block(64, 128), nn.MaxPool2d(2), residual(128),
                         *block(128, 256), nn.MaxPool2d(2), *block(256, 512), nn.MaxPool2d(2),
                         residual(512), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(512, 10))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.layers = nn.Sequential(*conv_norm(inputs, outputs, 3, stride), nn.ReLU(),
                                    nn.Dropout(0.1), *conv_norm(outputs, outputs))
        self.halves = stride == 2

    def forward(self, x):
        y = self.layers(x)
        if self.halves:  # every second pixel, and zeros for the new channels
            added = x.shape[1] // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, added, added))
        return torch.relu(y + x)


class Resnet20(nn.Sequential):
    def __init__(self):
        layers, inputs = [*conv_norm(3, 16), nn.ReLU()], 16
        for outputs in (16, 32, 64):
            for block in range(3):
                layers.append(BasicBlock(inputs, outputs, 2 if block == 0 and outputs > 16 else 1))
                inputs = outputs
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


# Models of images and their batches in the shipped studies.
IMAGE_MODELS = {"cnn5x5": (Cnn5x5, 128), "cnn3": (Cnn3, 32), "resnet9": (Resnet9, 400),
                "resnet20": (Resnet20, 128)}


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def seconds_a_step(step, seconds, device="cpu"):
    """The median over rounds of the seconds that one call of `step` takes.

    Where a step alone takes longer than a round should, there are fewer of them.
    """
    begin = time.perf_counter()
    for _ in range(WARM_UP):
        step()
        if time.perf_counter() - begin > seconds:
            break
    wait(device)
    rounds, start = [], time.perf_counter()
    while len(rounds) < ROUNDS and time.perf_counter() - start < 2 * seconds:
        begin, steps = time.perf_counter(), 0
        while True:
            step()
            steps += 1
            if time.perf_counter() - begin >= seconds / ROUNDS:
                break
        wait(device)
        rounds.append((time.perf_counter() - begin) / steps)
    return statistics.median(rounds)


def batches(order, size):
    while True:
        yield from order.split(size)


def setnet_microseconds(depth, width, seconds, device):
    sets = 180000
    x = torch.randn(sets, 5, 3).to(device)
    y = F.one_hot(torch.randint(5, (sets,)), 5).float().to(device)
    net = Setnet(depth, width).to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4, eps=1e-3, fused=True)
    indices = batches(torch.randperm(sets).to(device), 300)

    def step():
        batch = next(indices)
        optimizer.zero_grad()
        F.mse_loss(net(x[batch]), y[batch]).backward()
        optimizer.step()

    return 1e6 * seconds_a_step(step, seconds, device)


def images_a_second(model, style, seconds, device):
    memory_format, fused = STYLES[style]
    make, size = IMAGE_MODELS[model]
    images = torch.randint(256, (4096, 3, 32, 32), dtype=torch.uint8).to(device)
    labels = torch.randint(10, (4096,)).to(device)
    mean = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1).to(device)
    deviation = torch.tensor([0.2470, 0.2435, 0.2616]).view(1, 3, 1, 1).to(device)
    net = make().to(device, memory_format=memory_format)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4, eps=1e-3, fused=fused or None)
    forward = torch.compile(net, mode="max-autotune") if style == "compiled" else net
    indices = batches(torch.randperm(4096)[:4096 // size * size].to(device), size)

    def step():
        batch = next(indices)
        x = ((images[batch].float() / 255 - mean) / deviation).contiguous(
            memory_format=memory_format)
        optimizer.zero_grad()
        F.cross_entropy(forward(x), labels[batch]).backward()
        optimizer.step()

    return size / seconds_a_step(step, seconds, device)


def run(name, style, seconds, device):
    if name in IMAGE_MODELS:
        value, unit = images_a_second(name, style, seconds, device), "images/s"
    else:
        depth, width = map(int, name.removeprefix("setnet-").split("x"))
        value, unit = setnet_microseconds(depth, width, seconds, device), "us/step"
    print(json.dumps({"benchmark": name, "value": value, "unit": unit}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--style", choices=STYLES, default="tuned")
    parser.add_argument("names", nargs="+")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_num_interop_threads(1)
    if arguments.device == "cuda":  # the precision that is compared: IEEE's, as ours by default
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    for name in arguments.names:
        run(name, arguments.style, arguments.seconds, arguments.device)


if __name__ == "__main__":
    main()
