"""Which public names the API reference shows under which heading: read off the package, not kept by hand."""

from __future__ import annotations

import glassnet

#: The headings of docs/api.md, and where the names under them live: packages or modules of glassnet. Of several
#: that hold a name, the longest decides.
PURPOSES = {
    "Networks": ("nn", "training.model", "training.model_file"),
    "Data": ("data",),
    "Training": ("training",),
    "scikit-learn's estimators": ("estimators",),
    "Optimizers": ("nn.optimizer", "nn.optimizers", "nn.update_rules", "nn.schedules", "training.range_test"),
    "Health": ("training.health", "errors"),
    "The computation graph": ("graph", "nn.gradient_check"),
    "Studies": ("study", "searches", "reproductions"),
}


def purpose_of(name: str) -> str:
    """Return the heading that a public name belongs under.

    Raises
    ------
    LookupError
        If its module belongs to no heading.
    """
    module = getattr(glassnet, name).__module__.removeprefix("glassnet.")
    homes = [
        (len(home), purpose)
        for purpose, places in PURPOSES.items()
        for home in places
        if module == home or module.startswith(f"{home}.")
    ]
    if not homes:
        raise LookupError(f"{name} of glassnet.{module} has no heading: add one to PURPOSES in {__file__}")
    return max(homes)[1]


def names_for(purpose: str) -> list[str]:
    """Return the public names under a heading, in alphabetical order."""
    return [name for name in glassnet.__all__ if purpose_of(name) == purpose]
