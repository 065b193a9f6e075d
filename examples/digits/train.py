#!/usr/bin/python3
"""Trains the demo's digit classifier and writes digits.onnx, images.npy and labels.npy beside this file.

A small residual CNN on scikit-learn's handwritten digits (1797 grey images of 8 x 8). 1437 images train it, 360
are held out and become the demo's input. Nothing is chosen by looking at the held-out images: epochs and rates are
fixed below. Runs in under a minute on one core; needs torch, scikit-learn, onnx and numpy (README.md).
"""
import pathlib

import numpy
import onnx
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

SEED = 20
EPOCHS = 60
BATCH = 64
HERE = pathlib.Path(__file__).resolve().parent


def conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))


class Digits(nn.Module):
    """Stem, one residual block, a second convolution, two linear layers; max pooling halves the image twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(1, 8)
        self.first = conv(8, 8)
        self.second = conv(8, 8)
        self.third = conv(8, 16)
        self.hidden = nn.Linear(16 * 2 * 2, 32)
        self.logits = nn.Linear(32, 10)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.stem(image))
        y = torch.relu(self.first(x))
        x = torch.relu(self.second(y) + x)
        x = torch.max_pool2d(x, 2)
        x = torch.relu(self.third(x))
        x = torch.max_pool2d(x, 2)
        x = torch.flatten(x, 1)
        x = torch.relu(self.hidden(x))
        return self.logits(x)


def shifted(images: torch.Tensor) -> torch.Tensor:
    """Each image moved by -1, 0 or 1 pixel in both directions, zeros moving in: more data for nothing."""
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    moves = torch.randint(0, 3, (len(images), 2))
    return torch.stack([p[:, dy : dy + 8, dx : dx + 8] for p, (dy, dx) in zip(padded, moves.tolist())])


def main() -> None:
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    data = load_digits()
    images = (data.images / 16.0).astype(numpy.float32).reshape(-1, 1, 8, 8)
    labels = data.target.astype(numpy.int64)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=360, random_state=SEED, stratify=labels
    )
    x, y = torch.from_numpy(train_x), torch.from_numpy(train_y)

    model = Digits()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    steps = EPOCHS * ((len(x) + BATCH - 1) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=steps)
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = nn.functional.cross_entropy(model(shifted(x[rows])), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
        if (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1}: training loss {total / len(x):.4f}")

    model.eval()
    with torch.no_grad():
        right = (model(torch.from_numpy(test_x)).argmax(1).numpy() == test_y).sum()
    print(f"held-out accuracy {right} of {len(test_y)} = {100 * right / len(test_y):.2f} %")

    # PRESERVE keeps BatchNormalization as nodes of the model: folding it is the compiler's work.
    target = HERE / "digits.onnx"
    torch.onnx.export(
        model,
        torch.zeros(1, 1, 8, 8),
        str(target),
        opset_version=13,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
    )
    exported = onnx.load(str(target))
    onnx.checker.check_model(exported)
    print("operators:", " ".join(node.op_type for node in exported.graph.node))
    numpy.save(HERE / "images.npy", numpy.ascontiguousarray(test_x))
    numpy.save(HERE / "labels.npy", test_y)


if __name__ == "__main__":
    main()
