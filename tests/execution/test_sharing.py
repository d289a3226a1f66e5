"""How simulations and executions of services share the nodes of a cluster."""

import pytest

from qumulus.cluster.sharing import Size, actor_name, node_for, share, sizes

GiB = 1 << 30
TWO = {"a": Size(2, 8 * GiB), "b": Size(2, 8 * GiB)}
SMALL, WIDE, LARGE = Size(1, GiB), Size(2, GiB), Size(1, 5 * GiB)


def members(count: int) -> list[str]:
    return [f"driver-{number}" for number in range(count)]


def actors(**on: list[Size]) -> list[str]:
    return [actor_name(node, size, f"{number:x}") for node, each in on.items() for number, size in enumerate(each)]


@pytest.mark.parametrize(
    ("nodes", "there", "places"),
    [
        (TWO, {}, [4]),
        (TWO, {}, [2, 2]),
        (TWO, {}, [2, 2, 2]),  # two of them get one less: Ray says who
        (TWO, {"a": [SMALL]}, [3]),
        (TWO, {"a": [SMALL]}, [2, 1]),
        (TWO, {"a": [SMALL], "b": [SMALL]}, [1, 1]),
        (TWO, {"a": [WIDE]}, [2]),
        (TWO, {"a": [WIDE], "b": [WIDE]}, [0]),
        ({"a": Size(8, 6 * GiB)}, {"a": [LARGE]}, [1]),
        ({"a": Size(8, 6 * GiB)}, {"a": [LARGE, LARGE]}, [0]),
        ({"a": Size(2, 8 * GiB)}, {"gone": [WIDE]}, [2]),
    ],
)
def test_what_rooms_take_is_left_to_them_and_drivers_share_the_rest(nodes, there, places):
    drivers = members(len(places))
    names = drivers + actors(**there)
    shares = [share(nodes, names, member) for member in drivers]
    assert [wanted for wanted, _ in shares] == places
    if there:
        assert [sum(each.values()) for _, each in shares] == places
        assert all(shares[0][1][node] <= nodes[node].cores for node in nodes)
    else:
        assert all(each == {} for _, each in shares)


def test_a_driver_whose_member_is_not_known_yet_counts_itself():
    assert share(TWO, ["driver-a"], "driver-b") == (2, {})


@pytest.mark.parametrize(
    ("actor", "nodes", "there", "drivers", "node"),
    [
        (SMALL, TWO, {"a": [SMALL]}, 1, "b"),
        (WIDE, TWO, {"b": [SMALL]}, 1, "a"),
        (WIDE, TWO, {"a": [SMALL], "b": [SMALL]}, 1, None),
        (WIDE, TWO, {"a": [WIDE]}, 1, None),  # a place is left to simulations
        (WIDE, TWO, {"a": [WIDE]}, 0, "b"),
        (SMALL, TWO, {"a": [WIDE]}, 1, "b"),
        (SMALL, TWO, {"a": [WIDE]}, 2, None),
        (WIDE, {"a": Size(2, 2 * GiB)}, {}, 1, "a"),  # but for the only actor there is
        (LARGE, {"a": Size(8, 9 * GiB)}, {"a": [LARGE]}, 1, None),
        (SMALL, {}, {}, 1, None),
    ],
)
def test_a_room_is_made_where_it_need_not_wait_for_another_one(actor, nodes, there, drivers, node):
    assert node_for(actor, nodes, members(drivers) + actors(**there), fit=nodes.keys()) == node


def test_a_room_is_made_on_a_node_that_is_fit_for_it():
    assert node_for(SMALL, TWO, members(1) + actors(b=[SMALL]), fit=["b"]) == "b"


def test_nodes_without_cores_and_those_that_are_gone_do_not_count():
    told = [
        {"NodeID": "head", "Alive": True, "Resources": {"memory": 1.0}},
        {"NodeID": "gone", "Alive": False, "Resources": {"CPU": 1.0, "memory": 1.0}},
        {"NodeID": "a", "Alive": True, "Resources": {"CPU": 2.0, "memory": 8.0 * GiB}},
    ]
    assert sizes(told) == {"a": Size(2, 8 * GiB)}
