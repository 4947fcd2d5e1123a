"""A case of the battery: a network, the rows that it learns from, and what is to be said of it."""

from dataclasses import dataclass

from tests.training.health.battery_rows import fashion, rows

#: What a network has, where its case does not say otherwise: of pictures and of other rows.
PICTURES = {"epochs": 5, "samples_per_epoch": 6000, "batch_size": 64}
OTHERS = {"epochs": 25, "batch_size": 64}

ONE, TWO, FOUR, EIGHT = [784, 128, 10], [784, 256, 128, 10], [784, *[64] * 4, 10], [784, *[50] * 8, 10]
DIGITS, NUMBER = [64, 32, 10], [784, 128, 1]
FASHION = rows(fashion)
STOPPING = {"early_stopping": "patience(5)"}

#: Any layer may be named.
ANY = -1

#: The options that are the network's.
OF_NETWORK = (
    *("activation", "initializer", "bias_initializer", "batch_norm", "dropout", "loss", "output_activation"),
    *("output_scale", "dtype"),
)

#: Kinds that are as right as another: to clip the gradients too much is to learn slowly.
AS_RIGHT = {
    "clipped": ("over-regularised", "slow-learning"),
    "outlying-inputs": ("outlying-inputs", "unscaled-inputs"),
}


@dataclass(frozen=True)
class Case:
    """A network, and what is to be said of it.

    A sick one has kinds, of which one is to be named, the layer (None: all of the network), and the family of
    remedies that is likely to help. A healthy one may have the kind of a `remark` that is due. What no setting can
    repair is neither: it has the state "told", as a remark or as sickness.
    """

    data: str
    layers: list
    network: dict
    options: dict
    kinds: tuple = ()
    layer: int | None = ANY
    family: str = ""
    remark: str = ""
    state: str = "healthy"

    def __str__(self):
        options = {"layers": self.layers[1:-1], **self.network, **self.options}
        what = ", ".join(f"{name} {value}" for name, value in options.items())
        return f"{self.kind}: {self.data}, {what}"

    @property
    def kind(self):
        """What it is called in tables."""
        return self.kinds[0] if self.kinds else self.remark or "healthy"


def case(layers, data=FASHION, **settings):
    """Build a healthy case; settings are the network's, training's or the case's own."""
    network = {name: settings.pop(name) for name in OF_NETWORK if name in settings}
    own = {name: settings.pop(name) for name in Case.__dataclass_fields__ if name in settings}
    return Case(data, layers, network, settings, **own)


def sick(kind, layer, family, layers, data=FASHION, **settings):
    """Build a case of a sick network."""
    kinds = AS_RIGHT.get(kind, (kind,))
    return case(layers, data, kinds=kinds, layer=layer, family=family, state="sick", **settings)


def number(data, hidden=(32,), columns=4, outputs=1, **settings):
    """Return what `case` and `sick` take for a network that regresses."""
    return {"layers": [columns, *hidden, outputs], "data": data, "loss": "half_squared_error", **settings}


def classes(data, count=2, hidden=(16,), columns=8, **settings):
    """Return what they take for one that tells classes: two by a single output."""
    loss = {"loss": "binary_cross_entropy"} if count == 2 else {}
    return {"layers": [columns, *hidden, 1 if count == 2 else count], "data": data, **loss, **settings}
