"""Web pages: what a visitor reads, in the right letters, and what only stands before a page."""

import pytest

from documents.made import PRICES
from offhook.documents import web
from offhook.documents.problems import SourceUnreadable
from offhook.knowledge.passages import cut

UMLAUTS = "Öffnungszeiten Müllerstraße: 9–17 Uhr, Krapfen 2,80 €"
CHINESE = "营业时间：9点至17点"
MANY = "We bake every day but Sunday, and the first loaves are on the shelf at seven. " * 12


OAT_COOKIES = (
    "<h1>Cookies</h1><p>Our oat cookies cost 1.20 each. We bake them on Mondays with raisins "
    "from Samos, butter from the dairy next door and oats that are rolled in the mill.</p>"
)


def page(body: str, head: str = "<title>Shop</title>") -> str:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"


def read(text: str, content_type: str = "text/html; charset=utf-8") -> str:
    return web.read(text.encode(), "https://shop.example/", content_type).text


@pytest.mark.parametrize(
    ("encoding", "content_type", "head"),
    [
        ("windows-1252", "text/html", '<meta charset="iso-8859-1">'),
        ("windows-1252", "text/html; charset=utf-8", '<meta charset="windows-1252">'),
        ("windows-1252", "text/html; charset=iso-8859–1", ""),
        ("windows-1252", "text/html", ""),
        ("utf-8", "text/html; charset=iso-8859-1", ""),
        ("utf-8", "text/html", ""),
        ("utf-16", "text/html", ""),
        ("utf-8-sig", "text/html; charset=windows-1252", ""),
    ],
)
def test_umlauts_are_right_whatever_is_said_of_the_encoding_kn1(
    encoding: str, content_type: str, head: str
) -> None:
    data = page(f"<p>{UMLAUTS}</p>", head).encode(encoding)
    assert web.read(data, "https://shop.example/", content_type).text == UMLAUTS


@pytest.mark.parametrize("encoding", ["utf-8", "gb2312", "big5", "utf-16"])
def test_a_short_chinese_page_is_not_taken_for_another_alphabet_kn1(encoding: str) -> None:
    text = CHINESE.replace("营业时间", "時間") if encoding == "big5" else CHINESE
    text = text.replace("点", "點").replace("至", "至") if encoding == "big5" else text
    data = page(f"<p>{text}</p>", "").encode(encoding)
    assert web.read(data, "https://shop.example/", f"text/html; charset={encoding}").text == text


def test_bytes_of_no_known_encoding_are_refused_and_never_garbage_kn1() -> None:
    with pytest.raises(SourceUnreadable):
        web.read(bytes(range(128, 256)) * 4, "https://shop.example/", "text/html")


def test_headings_lists_definitions_and_paragraphs_in_their_order() -> None:
    text = read(
        page(
            "<nav><a href=/>Home</a></nav><main><h1>Bakery</h1><p>We <b>bake</b>\n by hand.</p>"
            "<ul><li>Bread</li><li>Cake</li></ul><dl><dt>Monday</dt><dd>9 to 17</dd></dl>"
            "<div>Harbour Street 12<br>24103 Kiel</div></main><script>var a = 1</script>"
            "<p hidden>Secret</p><!-- note -->"
        )
    )
    assert text == (
        "# Bakery\n\nWe bake by hand.\n\n- Bread\n- Cake\n- Monday: 9 to 17\n\n"
        "Harbour Street 12\n24103 Kiel"
    )


def test_the_title_heads_a_page_without_a_heading_of_its_own() -> None:
    assert read(page("<p>We bake by hand.</p>")).startswith("# Shop\n\nWe bake")


def test_each_price_stays_with_its_product_also_under_merged_heads_kn2() -> None:
    rows = "".join(
        f"<tr><td>{name}</td><td>{weight}</td><td>{price}</td></tr>"
        for name, weight, price in PRICES
    )
    text = read(
        page(
            "<table><tr><th rowspan=2>Product</th><th colspan=2>Sold by us</th></tr>"
            f"<tr><th>Weight</th><th>Price</th></tr>{rows}</table>"
        )
    )
    assert [each.text for each in cut(text)] == [
        f"{name}: sold by us weight {weight}, sold by us price {price}"
        for name, weight, price in PRICES
    ]


def test_a_cell_over_several_rows_is_told_in_each() -> None:
    text = read(
        page(
            "<table><tr><th>Kind</th><th>Product</th><th>Price</th></tr>"
            "<tr><td rowspan=2>Bread</td><td>Rye</td><td>6.40</td></tr>"
            "<tr><td>Spelt</td><td>5.80</td></tr></table>"
        )
    )
    assert "| Bread | Spelt | 5.80 |" in text


@pytest.mark.parametrize(
    ("body", "head", "words"),
    [
        ("<form><input name=u><input type=password></form>Log in to go on", "", "log in"),
        (
            "<p>We value your privacy. This site uses cookies.</p><button>Accept all</button>",
            "<title>Shop</title>",
            "cookies",
        ),
        (
            "<div class=cookie-banner><p>We use cookies.</p><a>Accept</a></div><div id=app></div>",
            "",
            "cookies",
        ),
        (
            "<noscript>Please enable JavaScript to view this site.</noscript><div id=root></div>",
            "",
            "JavaScript",
        ),
        ("<div id=root></div><script src=/app.js></script>", "<title>Shop</title>", "JavaScript"),
        ("<p>You need to enable JavaScript to run this app.</p>", "", "JavaScript"),
        ("<h1>404</h1><p>Sorry.</p>", "<title>Oops</title>", "not found"),
        ("<h1>Seite nicht gefunden</h1>", "", "not found"),
        ("<p>Verify you are human to go on.</p>", "<title>Just a moment...</title>", "robots"),
    ],
)
def test_what_stands_before_a_page_is_doubted_kn4(body: str, head: str, words: str) -> None:
    document = web.read(page(body, head).encode(), "https://shop.example/", "text/html")
    assert words in document.doubt


@pytest.mark.parametrize(
    "body",
    [
        f"<p>{MANY}</p><form><input type=password></form>",
        f"<p>{MANY}</p><div class=cookie-banner>We use cookies. Accept?</div>",
        f"<p>{MANY}</p><noscript>Please enable JavaScript.</noscript><script></script>",
        "<h1>Hours</h1><p>We are open from nine to five on weekdays, on Saturday until noon.</p>",
        OAT_COOKIES,
    ],
)
def test_a_page_with_text_of_its_own_is_never_doubted(body: str) -> None:
    assert web.read(page(body).encode(), "https://shop.example/", "text/html").doubt == ""
