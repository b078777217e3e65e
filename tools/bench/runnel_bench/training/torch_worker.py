"""PyTorch in a process of its own, that trains what its parent tells it, a line of JSON at a time.

It begins with what it is, {"title", "distribution", "version", "ways"}. Then

    {"do": "train", "case": {…}, "way": 0, "text": FILE, "epochs": N, "seed": N}
                                                 gives {"seconds": [of each epoch], "losses": [mean of each epoch]}

or {"error": WHY}. The network is `torch.nn.LSTM` or `GRU`, and `torch.nn.Linear`; the ways are those of the recurrent
layer (oneDNN's, or PyTorch's own) and of Adam's update. One-hot frames are made beforehand.
"""

import json
import os
import sys
import time
import traceback

import torch

from . import task

#: Whether oneDNN may be used, and the options of Adam.
WAYS = {
    f"{'oneDNN' if has_onednn else 'own kernels'}, {kind} Adam": (has_onednn, {kind: True})
    for has_onednn in (True, False)
    for kind in ("fused", "foreach")
}


class Network(torch.nn.Module):
    def __init__(self, case):
        super().__init__()
        size = len(task.VOCABULARY)
        self.embedding = torch.nn.Embedding(size, case.units) if case.input == "index" else None
        width = case.units if self.embedding else size
        self.cell = getattr(torch.nn, case.cell.upper())(width, case.units)
        self.dense = torch.nn.Linear(case.units, size)

    def forward(self, frames, state):
        if self.embedding is not None:
            frames = self.embedding(frames)
        hidden, state = self.cell(frames, state)
        return self.dense(hidden), state


def windows(case, text):
    """[(frames [64, 32] or [64, 32, 65], targets [64 * 32])] of an epoch."""
    numbers = {character: number for number, character in enumerate(task.VOCABULARY)}
    indices = torch.tensor([numbers[character] for character in text])
    inputs = indices[: task.TOKENS].view(task.STREAMS, task.LENGTH).t()
    targets = indices[1 : task.TOKENS + 1].view(task.STREAMS, task.LENGTH).t()
    result = []
    for start in range(0, task.LENGTH, task.WINDOW):
        frames = inputs[start : start + task.WINDOW].contiguous()
        if case.input == "one-hot":
            frames = torch.nn.functional.one_hot(frames, len(task.VOCABULARY)).float()
        result.append((frames, targets[start : start + task.WINDOW].reshape(-1)))
    return result


def detached(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def train(request):
    case = task.Case(**request["case"])
    with open(request["text"]) as file:
        data = windows(case, file.read())
    torch.manual_seed(request["seed"])
    network = Network(case)
    parameters = list(network.parameters())
    has_onednn, options = list(WAYS.values())[request["way"]]
    torch.backends.mkldnn.enabled = has_onednn
    optimizer = torch.optim.Adam(parameters, lr=task.RATE, **options)
    seconds, losses = [], []
    for _ in range(request["epochs"]):
        start = time.perf_counter()
        state, total = None, torch.zeros(())
        for frames, targets in data:
            outputs, state = network(frames, state)
            state = detached(state)
            loss = torch.nn.functional.cross_entropy(outputs.flatten(0, 1), targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, task.CLIP)
            optimizer.step()
            total += loss.detach()
        losses.append(total.item() / len(data))
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "losses": losses}


def main():
    # What libraries print belongs on standard error: standard output is the answers'.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    about = {"title": "PyTorch", "distribution": "torch", "version": torch.__version__, "ways": list(WAYS)}
    print(json.dumps(about), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = train(request)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
