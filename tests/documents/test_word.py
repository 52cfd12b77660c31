"""DOCX files: everything that a reader of the page sees is read (K1, KN2)."""

from typing import Any

import pytest

from documents.made import PRICES, footnotes, table, text_box, with_part, word
from offhook.documents import reading
from offhook.documents import word as reader
from offhook.documents.problems import (
    SourceEmpty,
    SourceNotText,
    SourceTooLarge,
    SourceUnreadable,
)
from offhook.knowledge.passages import Kind, cut


def read(data: bytes) -> str:
    return reader.read(data, "shop.docx").text


def test_headings_lists_and_paragraphs_in_their_order() -> None:
    def fill(file: Any) -> None:
        file.add_heading("The shop", 1)
        file.add_paragraph("We bake by hand.")
        file.add_paragraph("Bread", style="List Bullet")
        file.add_paragraph("Cake", style="List Bullet")

    assert read(word(fill)) == "## The shop\n\nWe bake by hand.\n\n- Bread\n- Cake"


def test_a_text_box_is_read_once_kn2() -> None:
    def fill(file: Any) -> None:
        file.add_paragraph("Welcome to our bakery at the harbour.")
        text_box(file, "Opening hours", "Monday to Friday: 7:00 to 18:00")

    text = read(word(fill))
    assert text.count("Monday to Friday: 7:00 to 18:00") == 1


def test_a_table_whose_head_is_merged_keeps_each_price_with_its_product_kn2() -> None:
    def fill(file: Any) -> None:
        made = table(file, (("Product", "Sold by us", ""), ("", "Weight", "Price"), *PRICES))
        made.cell(0, 1).merge(made.cell(0, 2))
        made.cell(0, 0).merge(made.cell(1, 0))

    rows = [each for each in cut(read(word(fill))) if each.kind is Kind.ROW]
    assert [each.text for each in rows] == [
        f"{product}: sold by us weight {weight}, sold by us price {price}"
        for product, weight, price in PRICES
    ]


def test_a_head_over_all_columns_is_the_tables_title() -> None:
    def fill(file: Any) -> None:
        made = table(file, (("Bread prices", "", ""), ("Product", "Weight", "Price"), *PRICES[:2]))
        made.cell(0, 0).merge(made.cell(0, 2))

    rows = [each for each in cut(read(word(fill))) if each.kind is Kind.ROW]
    assert rows[0].text == "Rye sourdough: weight 1 kg, price 6.40"
    assert "Bread prices" in read(word(fill))


def test_footnotes_are_read_kn2() -> None:
    data = word(lambda file: file.add_paragraph("Rye sourdough, 6.40 euros."))
    noted = with_part(data, "word/footnotes.xml", footnotes("Rye is baked on Tuesdays only."))
    assert "Rye is baked on Tuesdays only." in read(noted)


def test_what_stands_at_the_foot_of_each_page_is_read_once() -> None:
    def fill(file: Any) -> None:
        file.add_paragraph("Welcome.")
        file.sections[0].footer.paragraphs[0].text = "Harbour Street 12, 24103 Kiel"

    assert read(word(fill)).count("Harbour Street 12") == 1


def test_an_old_word_file_and_other_archives_are_told_apart_kn2() -> None:
    with pytest.raises(SourceNotText) as refused:
        reading.check("hours.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert "old Office document" in refused.value.sentence
    with pytest.raises(SourceNotText):
        reader.read(with_part(b"", "notes.txt", b"hello"), "hours.docx")
    with pytest.raises(SourceEmpty):
        reading.check("hours.docx", b"")
    with pytest.raises(SourceUnreadable):
        reader.read(b"PK\x03\x04....", "hours.docx")


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_unpacked_k1() -> None:
    data = with_part(
        word(lambda file: file.add_paragraph("Hi")), "word/media/a.bin", bytes(201 << 20)
    )
    assert len(data) < 1 << 20
    with pytest.raises(SourceTooLarge) as refused:
        reader.read(data, "bomb.docx")
    assert "200 MB are allowed" in refused.value.sentence
