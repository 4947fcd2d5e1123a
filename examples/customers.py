"""Write customers.csv and new-customers.csv: invented customers of a gym, some of whom have left.

python examples/customers.py FOLDER

The files are as a spreadsheet in many countries writes them: semicolons between the columns, a comma in numbers,
days before months. Who leaves depends on the contract, on the visits, on the fee, and on how long a customer has
been there.
"""

import math
import random
import sys
from datetime import date, timedelta
from pathlib import Path

NAMES = ("id", "joined", "contract", "city", "fee", "visits")
CONTRACTS = {"monthly": 1.2, "yearly": -1.2, "student": 0.0}  # and how much each adds to the log-odds of leaving
CITIES = ("Ghent", "Graz", "Lyon", "Porto")


def draw_customer(chance: random.Random, number: int) -> tuple[list[str], str]:
    """Return the columns of one customer as text, and whether this customer left."""
    joined = date(2021, 1, 1) + timedelta(days=chance.randrange(1_400))
    contract = chance.choice(list(CONTRACTS))
    fee = round(chance.uniform(19, 59), 2)
    visits = chance.randrange(13)
    years = (date(2025, 1, 1) - joined).days / 365
    odds = 2.5 * (CONTRACTS[contract] + (fee - 39) / 12 - (visits - 6) / 2.5 - 1.5 * (years - 2))
    left = "yes" if chance.random() < 1 / (1 + math.exp(-odds)) else "no"
    seen = "" if chance.random() < 0.06 else str(visits)  # the door did not count
    paid = "" if chance.random() < 0.03 else f"{fee:.2f}".replace(".", ",")
    return [f"{number:05d}", f"{joined:%d.%m.%Y}", contract, chance.choice(CITIES), paid, seen], left


def write_files(folder: Path) -> None:
    """Write 400 customers of whom is known who left, and 4 new ones."""
    chance = random.Random(7)
    lines = [";".join((*NAMES, "churned"))]
    for number in range(1, 401):
        customer, left = draw_customer(chance, number)
        lines.append(";".join((*customer, left)))
    (folder / "customers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = [";".join(NAMES), *(";".join(draw_customer(chance, number)[0]) for number in range(401, 405))]
    (folder / "new-customers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_files(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
