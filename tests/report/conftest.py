"""Small trained runs, one of each task, and a reader of pages."""

import json
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.locales.catalogue import Message
from glassnet.training.config import configure
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.remedies import Remedy
from glassnet.training.run import run


def layer_vitals(layer, units, **values):
    """What was measured of one layer, as it stands in health.json."""
    plain = {
        "layer": layer,
        "units": units,
        "dead": [],
        "saturated": [],
        "duplicated": [],
        "flat_share": 0.0,
        "pre_activation_mean": 0.0,
        "pre_activation_spread": 1.0,
        "activation_mean": 0.5,
        "activation_spread": 0.5,
        "weight_norm": 4.0,
        "gradient_norm": 0.25,
        "update_ratio": 0.002,
    }
    return plain | values


def examined(step, *layers):
    """What was measured at one step."""
    return {"step": step, "loss": 0.5, "outputs": [0.5], "output_spread": 0.1, "wrong": None, "layers": [*layers]}


HEALTHY = {
    "sick": False,
    "diagnoses": [],
    "vitals": [examined(s, layer_vitals(1, 16), layer_vitals(2, 10)) for s in (0, 1, 16)],
}

#: As a study's rows and a run's health.json record what was found.
OVER_FITTING = Diagnosis(
    "over-fitting",
    False,
    Message("causes.over-fitting", lowest=0.25, epoch=2, last=0.375, train=0.125),
    since=30,
    evidence={"gap": 0.125},
)
DEAD_UNITS = Diagnosis(
    "dead-units",
    True,
    Message("causes.dead-units", dead=4, units=16, why=Message("causes.large-rate", rate=0.5)),
    layer=1,
    units=(0, 1, 2, 7),
    since=12,
    evidence={"share": 0.5, "probe_rows": 256},
    remedy=Remedy(
        "initializer",
        Message("remedies.settings", settings={"initializer": "he_normal"}),
        {"network": {"initializer": "he_normal"}},
    ),
)

SICK = {
    "sick": True,
    "diagnoses": [OVER_FITTING.to_dict(), DEAD_UNITS.to_dict()],
    "vitals": [
        examined(0, layer_vitals(1, 16, update_ratio=None), layer_vitals(2, 10, update_ratio=None)),
        examined(12, layer_vitals(1, 16, dead=[0, 1, 2, 7]), layer_vitals(2, 10)),
    ],
}


class Page(HTMLParser):
    """What a page says: its sections' texts, its tables by caption, its terms."""

    def __init__(self, html):
        super().__init__()
        self.tables, self.terms, self.texts, self.codes, self.images = {}, [], [], [], []
        self._open, self._table, self._caption, self._glued, self._said = [], None, "", False, False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.images.append(dict(attributes))
        if tag in ("img", "meta", "link", "br", "hr", "path"):
            return
        self._open.append((tag, dict(attributes)))
        self._glued = self._said and dict(attributes).get("class") == "term"  # a link within a text
        self._said = False
        if tag == "caption":
            self._table, self._caption = [], ""
        if tag == "tr":
            self._table.append([])
        if tag in ("td", "th"):
            self._table[-1].append("")
        if tag in ("dt", "dd", "p", "h1", "h2", "h3"):
            self.terms.append((tag, ""))

    def handle_endtag(self, tag):
        while self._open:
            name, attributes = self._open.pop()
            self._glued, self._said = attributes.get("class") == "term", False
            if name == tag:
                break
        if tag == "caption":
            self.tables[self._caption] = self._table

    def handle_data(self, data):
        tags = [tag for tag, _ in self._open]
        hidden = any(attributes.get("aria-hidden") == "true" for _, attributes in self._open)
        if not tags or {"script", "style"} & set(tags) or hidden:
            return
        if "caption" in tags:
            self._caption += data
        elif {"td", "th"} & set(tags):
            self._table[-1][-1] += data
        for kind in ("dt", "dd", "p", "h1", "h2", "h3"):
            if kind in tags:
                self.terms[-1] = (self.terms[-1][0], self.terms[-1][1] + data)
        foreign = any(attributes.get("lang") == "en" for tag, attributes in self._open if tag != "html")
        said = self.codes if {"code", "pre"} & set(tags) or foreign else self.texts
        if self._glued and said:
            said[-1] += data
        else:
            said.append(data)
        self._glued, self._said = False, True

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def facts(self):
        """Terms and what is said of each."""
        pairs = zip(self.terms, self.terms[1:], strict=False)
        found = [(name, value.strip()) for (a, name), (b, value) in pairs if (a, b) == ("dt", "dd")]
        return dict(reversed(found))  # what a term means stands at the end


def rows_of(page, caption):
    return page.tables[caption][1:]


def markdown_rows(text, head):
    """The rows below the table whose header begins like that."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {head} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return found
        found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def trained(folder, data, *, layers, epochs=3, health=None, network=None, **training):
    changes = {
        "data": {"dataset": data.name, "scaling": data.scaling},
        "network": {"layers": layers, **(network or {})},
        "training": {"epochs": epochs, "kernels": "numpy", "threads": 1, **training},
    }
    finished = run(configure(changes), data, run_dir=folder, progress=False)
    if health is not None:
        record_health(folder, health)
    return finished


def record_health(folder, health):
    """Have a run's folder say this of its health; nothing where it was "unwatched"."""
    if health == "unwatched":
        (folder / "health.json").unlink()
    else:
        (folder / "health.json").write_text(json.dumps(health), encoding="utf-8")


def labelled(n=90, seed=0):
    """Rows of four numbers with three labels each."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    y = (X @ rng.normal(size=(4, 3)) > 0).astype(np.int64)
    return Dataset.from_arrays(X, y, name="labels", target_names=["red", "round", "ripe"])


@pytest.fixture(scope="session")
def digits():
    return load_dataset("digits")


@pytest.fixture(scope="session")
def saved_run(tmp_path_factory, digits):
    """A run on digits, watched and healthy, and its folder, which no test writes into."""
    folder = tmp_path_factory.mktemp("saved") / "run"
    return trained(folder, digits, layers=[64, 16, 10], health=HEALTHY), folder


@pytest.fixture
def digits_run(tmp_path, saved_run):
    """The same run, with a copy of its folder in tmp_path / "run"."""
    finished, folder = saved_run
    shutil.copytree(folder, tmp_path / "run")
    return finished
