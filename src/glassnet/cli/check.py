"""``glassnet check``."""

from __future__ import annotations

from typing import Any

import typer

from glassnet.cli.language import LanguageOption, choose_words
from glassnet.cli.options import ConfigOption, collect_changes, takes
from glassnet.cli.output import DataDirOption, JsonOption, describe_network, print_facts, print_json, print_remarks


@takes("seed", "data", "network", "optimizer", "learning_rate", "update_scale", "batch_size")
def check(
    config: ConfigOption = None,
    lang: LanguageOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Say in seconds whether a network is fit to be trained.

    It looks at the first loss, learns 32 rows by heart, and tries the learning rate. The command ends with 1
    where it is not. Nothing is saved.

    \b
    Examples:
      glassnet check fashion-mnist --layers 784,256,128,10
      glassnet check fashion-mnist --activation sigmoid --initializer "uniform(-1, 1)" --optimizer "sgd(0.1)"
      glassnet check houses.csv --target price --json
      glassnet check --config runs/2026-11-23_101500_digits_64-32-10/config.toml
    """
    from glassnet.nn.optimizers import OPTIMIZERS
    from glassnet.training.config import configure, resolve_names
    from glassnet.training.health.preflight import preflight
    from glassnet.training.run import build_network, load_data

    chosen = configure(collect_changes(options), config)
    resolve_names(chosen)
    data = load_data(chosen, data_dir)
    print_remarks(data)
    network = build_network(chosen, data)
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
        words = choose_words(lang)
        say, passed, failed = words.say, words.say("terminal.ok"), words.say("terminal.not_ok")
        facts = [describe_network(network, words)]
        facts.append((say("terminal.optimizer"), OPTIMIZERS.resolve(chosen.training.optimizer).spec))
        for check in found.checks:
            result = passed if check.passed else failed
            facts.append((words.render(check.title), f"{result}  {words.render(check.finding)}"))
        for one in found.diagnoses:
            place = say("layer_n", n=one.layer) if one.layer else say("network")
            facts.append((place, f"{failed}  {words.render(one.message)}"))
        print_facts([*facts, (say("terminal.conclusion"), words.render(found.conclusion))])
    if not found.sound:
        raise typer.Exit(1)
