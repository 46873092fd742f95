"""Charts: what is drawn is what was found."""

from xml.etree import ElementTree

import pytest
from bench.plot import chart

SVG = "{http://www.w3.org/2000/svg}"


def test_each_figure_has_a_dot_further_right_and_higher_where_it_is_larger() -> None:
    drawn = chart("A & B", "ports", "ms", {"ours": [(10, 1), (100, 2)], "theirs": [(10, 5), (100, 50)]})

    picture = ElementTree.fromstring(drawn)
    dots = [(float(each.get("cx", "")), float(each.get("cy", ""))) for each in picture.iter(f"{SVG}circle")]
    assert [x for x, _ in dots] == sorted({x for x, _ in dots}) * 2
    heights = [y for _, y in dots]
    assert heights == sorted(heights, reverse=True)  # the picture's origin is its upper left corner
    assert {"A & B", "ours", "theirs"} <= {each.text for each in picture.iter(f"{SVG}text")}


def test_ten_times_as_much_is_as_far_wherever_it_begins() -> None:
    drawn = chart("", "", "", {"one": [(1, 1), (10, 10), (100, 100)]})

    across = [float(each.get("cx", "")) for each in ElementTree.fromstring(drawn).iter(f"{SVG}circle")]
    assert across[1] - across[0] == pytest.approx(across[2] - across[1], abs=0.2)


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to draw: empty"):
        chart("empty", "", "", {"one": []})
