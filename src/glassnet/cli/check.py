"""``glassnet check``."""

from __future__ import annotations

import typer

from glassnet.cli.options import (
    ActivationOption,
    BatchNormOption,
    BatchSizeOption,
    BiasInitializerOption,
    ConfigOption,
    DatasetArgument,
    InitializerOption,
    LayersOption,
    LearningRateOption,
    LossOption,
    OptimizerOption,
    OutputActivationOption,
    OutputScaleOption,
    SeedOption,
    StandardizeOption,
    UpdateScaleOption,
    one_or_more,
    split,
    with_steps,
)
from glassnet.cli.output import (
    DataDirOption,
    ImputeOption,
    JsonOption,
    TargetOption,
    network_fact,
    print_facts,
    print_json,
    tell_remarks,
)


def check(
    dataset: DatasetArgument = None,
    config: ConfigOption = None,
    target: TargetOption = None,
    impute: ImputeOption = None,
    standardize: StandardizeOption = None,
    layers: LayersOption = None,
    activation: ActivationOption = None,
    output_activation: OutputActivationOption = None,
    loss: LossOption = None,
    output_scale: OutputScaleOption = None,
    initializer: InitializerOption = None,
    bias_initializer: BiasInitializerOption = None,
    batch_norm: BatchNormOption = None,
    optimizer: OptimizerOption = None,
    learning_rate: LearningRateOption = None,
    update_scale: UpdateScaleOption = None,
    batch_size: BatchSizeOption = None,
    seed: SeedOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say in seconds whether a network is fit to be trained: its first loss, 32 rows by heart, its learning rate.

    Ends with 1 where it is not. Nothing is saved.

    \b
    Examples:
      glassnet check fashion-mnist --layers 784,256,128,10
      glassnet check fashion-mnist --activation sigmoid --initializer "uniform(-1, 1)" --optimizer "sgd(0.1)"
      glassnet check houses.csv --target price --json
      glassnet check --config runs/2026-11-23_101500_digits_64-32-10/config.toml
    """
    from glassnet.training.config import configure, resolve_names
    from glassnet.training.health.preflight import preflight
    from glassnet.training.run import load_data, network_for

    changes = {
        "seed": seed,
        "data": {"dataset": dataset, "target": target, "impute": impute, "standardize": standardize},
        "network": {
            "layers": split(layers),
            "activation": one_or_more(activation),
            "output_activation": output_activation,
            "loss": loss,
            "output_scale": output_scale,
            "initializer": initializer,
            "bias_initializer": bias_initializer,
            "batch_norm": batch_norm,
        },
        "training": {"optimizer": optimizer, "batch_size": batch_size},
    }
    steps = {"learning_rate": learning_rate, "update_scale": update_scale}
    chosen = with_steps(configure(changes, config), steps)
    resolve_names(chosen)
    data = load_data(chosen, data_dir)
    tell_remarks(data)
    network = network_for(chosen, data)
    found = preflight(
        network,
        data,
        optimizer=chosen.training.optimizer,
        batch_size=chosen.training.batch_size,
        seed=chosen.seed,
    )
    if as_json:
        print_json({"dataset": data.name, "layers": list(network.layers)} | found.to_dict())
    else:
        facts = [network_fact(network), ("optimizer", chosen.training.optimizer)]
        facts += [(one.name, f"{'ok' if one.passed else 'NOT OK'}  {one.finding}") for one in found.checks]
        facts += [(f"layer {one.layer}" if one.layer else "network", f"NOT OK  {one}") for one in found.diagnoses]
        print_facts([*facts, ("conclusion", str(found.conclusion))])
    if not found.sound:
        raise typer.Exit(1)
