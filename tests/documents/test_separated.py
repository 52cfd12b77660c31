"""CSV files: separator and encoding are found, each price stays with its product (K1, KN1)."""

import pytest

from documents.made import PRICES
from offhook.documents import separated
from offhook.documents.problems import SourceEmpty, SourceUnreadable
from offhook.knowledge.passages import cut

HEADS = ("Product", "Weight", "Price")


def written(separator: str) -> str:
    return "".join(f"{separator.join(row)}\r\n" for row in (HEADS, *PRICES))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_each_row_is_read_under_its_heads_whatever_the_separator(
    separator: str, encoding: str
) -> None:
    text = written(separator).replace("Plum tart", "Zwetschgenküchle")
    found = cut(separated.read(text.encode(encoding), "prices.csv").text)
    assert found[0].text == "Rye sourdough: weight 1 kg, price 6.40"
    assert found[10].text == "Zwetschgenküchle: weight 150 g, price 3.70"
    assert len(found) == len(PRICES)


def test_commas_in_cells_and_a_head_that_is_too_short_do_not_mislead() -> None:
    text = 'Name;Note\r\nRye;dark, dense, long-lived;6,40\r\nSpelt;"mild,\r\nnutty; round";5,80\r\n'
    assert separated.rows_of(text, "a.csv") == [
        ["Name", "Note"],
        ["Rye", "dark, dense, long-lived", "6,40"],
        ["Spelt", "mild,\r\nnutty; round", "5,80"],
    ]


def test_a_separator_that_is_said_on_the_first_line_is_believed() -> None:
    assert separated.rows_of("sep=;\r\nA;B\r\n1,2;3\r\n", "a.csv") == [["A", "B"], ["1,2", "3"]]


def test_a_file_without_heads_has_rows_alone() -> None:
    assert [each.text for each in cut(separated.read(b"Rye,6.40\nSpelt,5.80\n", "a.csv").text)] == [
        "Rye: 6.40",
        "Spelt: 5.80",
    ]


def test_heads_alone_and_a_table_of_thousands_of_columns_are_refused() -> None:
    with pytest.raises(SourceEmpty):
        separated.read(b"Product;Price\r\n", "a.csv")
    with pytest.raises(SourceUnreadable):
        separated.read(b",".join([b"x"] * 5000) + b"\n1,2\n", "a.csv")
