import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.errors import UsageError
from glassnet.searches.strategies import STRATEGIES, find_strategy, hyperband, one_epoch


def test_hyperband_has_the_brackets_of_the_paper():
    """Table 1 of Li et al. (2018), R = 81 and eta = 3; by algorithm 1 the second begins with ceil(5/4 27) = 34."""
    brackets = hyperband(81 + 34 + 15 + 8 + 5, 81, 3, 1)
    assert [tuple(rung) for rung in brackets[0]] == [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)]
    assert [tuple(rung) for rung in brackets[1]] == [(34, 3), (11, 9), (3, 27), (1, 81)]
    assert [bracket[0].trials for bracket in brackets] == [81, 34, 15, 8, 5]
    assert [tuple(rung) for rung in brackets[4]] == [(5, 81)]


@given(
    st.sampled_from(sorted(STRATEGIES)),
    st.integers(1, 200),
    st.integers(1, 100),
    st.integers(1, 9),
    st.integers(1, 5),
)
def test_every_strategy_has_all_trials_and_trains_some_of_them_whole(name, trials, epochs, finish, first):
    brackets = find_strategy(name).plan(trials, epochs, finish, min(first, epochs))
    assert sum(bracket[0].trials for bracket in brackets) == trials
    for bracket in brackets:
        assert bracket[-1].epochs == epochs
        numbers, lengths = [rung.trials for rung in bracket], [rung.epochs for rung in bracket]
        assert numbers == sorted(numbers, reverse=True)
        assert min(numbers) >= 1
        assert lengths == sorted(set(lengths))


def test_one_epoch_of_one_epoch_is_all():
    assert one_epoch(7, 1, 3, 1) == [((7, 1),)]
    assert one_epoch(2, 9, 3, 1) == [((2, 1), (2, 9))]


def test_an_unknown_strategy_is_named():
    with pytest.raises(UsageError, match="strategy: unknown name 'hyperbad'; did you mean 'hyperband'"):
        find_strategy("hyperbad")
