"""Make optimizer_trajectories.json with PyTorch as the independent implementation.

    pip install torch==2.13.0 && python tests/nn/optimizers/make_optimizer_trajectories.py

Ten float64 steps of every optimizer at odd hyper-parameters, on a function of seven variables that is neither
quadratic nor symmetric, so that a wrong rule leaves the path at once. The tests need the JSON file only.
"""

import json
from pathlib import Path

import torch

START = [0.9, -1.3, 0.41, 2.2, -0.07, 1.61, -0.58]
CASES = [
    ("gd", {"learning_rate": 0.0371}),
    ("sgd", {"learning_rate": 0.0371}),
    ("sgd", {"learning_rate": 0.0371, "update_scale": 0.3}),
    ("momentum", {"learning_rate": 0.0213, "momentum": 0.83}),
    ("nesterov", {"learning_rate": 0.0171, "momentum": 0.77}),
    ("adagrad", {"learning_rate": 0.113, "epsilon": 3e-7}),
    ("adagrad", {"learning_rate": 0.113, "epsilon": 0.01}),
    ("rmsprop", {"learning_rate": 0.0137, "rho": 0.87, "epsilon": 2e-6}),
    ("rmsprop", {"learning_rate": 0.0137, "rho": 0.87, "epsilon": 0.01}),
    ("adam", {"learning_rate": 0.0331, "beta1": 0.85, "beta2": 0.971, "epsilon": 4e-6}),
    ("adam", {"learning_rate": 0.0331, "beta1": 0.85, "beta2": 0.971, "epsilon": 0.01}),
    (
        "adamw",
        {"learning_rate": 0.0331, "beta1": 0.85, "beta2": 0.971, "epsilon": 0.01, "weight_decay": 0.13},
    ),
]


def objective(theta):
    k = torch.arange(1, 8, dtype=torch.float64)
    return (0.05 * k * theta**4 + torch.cos(k * theta) + 0.3 * theta * theta.roll(1)).sum()


def optimizer(name, theta, options):
    lr = options["learning_rate"] * options.get("update_scale", 1)
    betas = (options.get("beta1"), options.get("beta2"))
    eps = options.get("epsilon")
    return {
        "gd": lambda: torch.optim.SGD([theta], lr),
        "sgd": lambda: torch.optim.SGD([theta], lr),
        "momentum": lambda: torch.optim.SGD([theta], lr, momentum=options["momentum"]),
        "nesterov": lambda: torch.optim.SGD([theta], lr, momentum=options["momentum"], nesterov=True),
        "adagrad": lambda: torch.optim.Adagrad([theta], lr, eps=eps),
        "rmsprop": lambda: torch.optim.RMSprop([theta], lr, alpha=options["rho"], eps=eps),
        "adam": lambda: torch.optim.Adam([theta], lr, betas, eps),
        "adamw": lambda: torch.optim.AdamW([theta], lr, betas, eps, options["weight_decay"]),
    }[name]()


def trajectory(name, options):
    theta = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    steps = optimizer(name, theta, options)
    gradients, thetas = [], []
    for _ in range(10):
        steps.zero_grad()
        objective(theta).backward()
        gradients.append(theta.grad.tolist())
        steps.step()
        thetas.append(theta.detach().tolist())
    return {"optimizer": name, "options": options, "start": START, "gradients": gradients, "thetas": thetas}


if __name__ == "__main__":
    content = {"source": f"PyTorch {torch.__version__}", "cases": [trajectory(*case) for case in CASES]}
    Path(__file__).with_name("optimizer_trajectories.json").write_text(json.dumps(content, indent=1) + "\n")
