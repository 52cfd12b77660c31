"""PDF files: words, headings, tables with their rows whole, and what has no words (K1, KN2)."""

import pytest
from fpdf import FPDF

from documents.made import LOCKED, PRICES, PROSE, aligned, by_column, pdf, ruled, say
from offhook.documents import pdf as reader
from offhook.documents.problems import SourceLocked, SourceScanned, SourceTooLarge, SourceUnreadable
from offhook.knowledge.passages import Kind, cut

ROWS = (("Product", "Weight", "Price"), *PRICES)


def read(data: bytes) -> str:
    return reader.read(data, "menu.pdf").text


def test_large_letters_are_headings_and_wrapped_lines_one_paragraph() -> None:
    def draw(file: FPDF) -> None:
        say(file, "Harbour Bakery", size=22)
        say(file, "When we bake", size=16)
        say(file, PROSE * 3)
        say(file, "What we bake", style="B")
        say(file, PROSE)

    text = read(pdf(draw))
    assert text.startswith("# Harbour Bakery\n\n## When we bake\n\nWe bake every day")
    assert "wakes up.We bake" in text
    assert "\n\n#### What we bake\n\n" in text


@pytest.mark.parametrize("draw_table", [aligned, ruled, by_column])
def test_each_of_twelve_prices_stays_with_its_product_however_the_table_is_drawn_kn2(
    draw_table: object,
) -> None:
    def draw(file: FPDF) -> None:
        say(file, PROSE)
        draw_table(file, ROWS)  # pyright: ignore[reportCallIssue] - one of made.py's
        file.ln(8)
        say(file, PROSE)

    rows = [each for each in cut(read(pdf(draw))) if each.kind is Kind.ROW]
    assert [each.text for each in rows] == [
        f"{product}: weight {weight}, price {price}" for product, weight, price in PRICES
    ]


def test_a_table_that_goes_on_after_a_pages_end_keeps_its_heads() -> None:
    def draw(file: FPDF) -> None:
        aligned(file, ROWS[:7])
        file.add_page()
        aligned(file, ROWS[7:])

    rows = cut(read(pdf(draw)))
    assert rows[-1].text == "Seeded roll: weight 90 g, price 0.95"


def test_two_columns_of_prose_are_no_table() -> None:
    def draw(file: FPDF) -> None:
        with file.text_columns(ncols=2, gutter=12) as columns:
            columns.write(PROSE * 8)

    text = read(pdf(draw))
    assert "|" not in text
    assert "The oven is lit at four in the morning" in text


def test_running_heads_and_page_numbers_are_said_once() -> None:
    def draw(file: FPDF) -> None:
        for number in range(1, 9):
            say(file, "Harbour Bakery, handbook")
            say(file, f"Rule {number} is about shelf {'abcdefgh'[number - 1]}. {PROSE}")
            say(file, f"Page {number}")
            if number < 8:
                file.add_page()

    text = read(pdf(draw))
    assert text.count("handbook") == 1
    assert text.count("Page ") == 1
    assert text.count("is about shelf") == 8


def test_a_word_that_is_divided_at_a_lines_end_is_whole_again() -> None:
    def draw(file: FPDF) -> None:
        for line in ("The bakery is closed on the first Mon-", "day of May, and open again after."):
            file.cell(0, 5, line, new_x="LMARGIN", new_y="NEXT")

    assert "first Monday of May" in read(pdf(draw))


def test_a_picture_of_a_page_is_said_to_be_scanned_kn2() -> None:
    def draw(file: FPDF) -> None:
        file.rect(10, 10, 100, 100, style="F")

    with pytest.raises(SourceScanned) as refused:
        reader.read(pdf(draw), "menu.pdf")
    assert "probably scanned" in refused.value.sentence


def test_a_stamp_on_nine_pictures_is_no_text_kn2() -> None:
    def draw(file: FPDF) -> None:
        for number in range(9):
            say(file, "CONFIDENTIAL")
            if number < 8:
                file.add_page()

    with pytest.raises(SourceScanned) as refused:
        reader.read(pdf(draw), "menu.pdf")
    assert "9 pages" in refused.value.sentence


def test_pages_without_text_are_told_where_others_have_some() -> None:
    def draw(file: FPDF) -> None:
        say(file, PROSE * 4)
        file.add_page()

    assert reader.read(pdf(draw), "menu.pdf").notes == [
        "1 of 2 pages have no text; they are probably pictures."
    ]


def test_a_password_is_asked_for_only_where_reading_needs_one_kn2() -> None:
    free = {**LOCKED, "user_password": ""}
    assert "oven is lit" in read(pdf(lambda file: say(file, PROSE), **free))
    with pytest.raises(SourceLocked):
        read(pdf(lambda file: say(file, PROSE), **LOCKED))


def test_half_a_file_and_rubbish_are_damaged() -> None:
    for data in (b"%PDF-1.7 ...", b"%PDF-1.4\n" + bytes(range(256)) * 20):
        with pytest.raises(SourceUnreadable):
            read(data)


def test_more_than_a_thousand_pages_are_refused() -> None:
    def draw(file: FPDF) -> None:
        for _ in range(1000):
            file.add_page()

    with pytest.raises(SourceTooLarge) as refused:
        read(pdf(draw))
    assert "1,001 pages" in refused.value.sentence
