"""What a recogniser is told to expect."""

from offhook.knowledge.hints import notable


def test_products_come_first_then_names_then_headings_each_once() -> None:
    assert notable(
        subjects=["Rye loaf", "Sourdough", "Rye loaf", ""],
        texts=["You find us at 22 Mill Street, across from the town hall."],
        headings=["Opening hours"],
    ) == ["Rye loaf", "Sourdough", "Mill Street", "Opening hours"]


def test_figures_and_long_lines_are_no_hints() -> None:
    assert notable(["4.80", "7:00", "x" * 40], [], []) == []
