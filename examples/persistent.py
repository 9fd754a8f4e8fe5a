"""A persistent trainer: one process takes trial after trial, over Windrow's line protocol."""
import json, sys


def send(**message):
    print(json.dumps(message), flush=True)


send(event="ready", versions={"python": sys.version.split()[0]}, device="cpu")
for line in sys.stdin:
    start = json.loads(line)
    if start["event"] != "start":
        continue  # stop: this trainer just ends the trial it is at
    at = {"trial": start["trial"], "attempt": start["attempt"]}
    send(event="started", **at)
    for epoch in range(1, start["parameters"]["epochs"] + 1):
        send(event="epoch", epoch=epoch, metrics={"loss": start["parameters"]["x"] / epoch}, **at)
    send(event="finished", epochs=start["parameters"]["epochs"], **at)
