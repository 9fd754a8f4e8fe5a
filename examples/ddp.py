"""Trains with PyTorch's DistributedDataParallel, under `windrow run` (examples/ddp.yaml) or torchrun:

    torchrun --nproc-per-node 2 examples/ddp.py --lr=0.05 --epochs=3
"""

import argparse
import json
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=3)
arguments = parser.parse_args()

gpu = torch.cuda.is_available()
dist.init_process_group("nccl" if gpu else "gloo")  # RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT
device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if gpu else torch.device("cpu")
torch.manual_seed(int(os.environ.get("WINDROW_SEED", 0)))
model = DistributedDataParallel(nn.Linear(8, 1).to(device))
optimizer = torch.optim.SGD(model.parameters(), lr=arguments.lr)

# Each member has its share of the data: every WORLD_SIZE-th example.
x = torch.randn(4096, 8, generator=torch.Generator().manual_seed(1))
y = x.sum(1, keepdim=True)
x, y = (t[dist.get_rank() :: dist.get_world_size()].to(device) for t in (x, y))

for epoch in range(1, arguments.epochs + 1):
    for batch in torch.arange(len(x)).split(64):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x[batch]), y[batch]).backward()  # gradients are averaged here
        optimizer.step()
    loss = nn.functional.mse_loss(model(x), y).detach()
    dist.all_reduce(loss)
    if dist.get_rank() == 0:  # what the others print is kept as their log
        value = loss.item() / dist.get_world_size()
        print(json.dumps({"epoch": epoch, "loss": value}), flush=True)
dist.destroy_process_group()
