"""Four thousand texts from a seed, and what Twilio's own calculator counts for them.

    npm install --ignore-scripts sms-segments-calculator      # in any folder, FOLDER
    python tests/segment_texts.py FOLDER > tests/messages/segment_counts.txt

A line of the file: G or U (GSM-7, UCS-2), and the segments. Made with version 1.3.0.
"""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

GSM = (
    "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "^{}\\[~]|€"
BEYOND = "’“”–…çêãõłžяжאبहกあ漢字"
ASTRAL = "😎👍🎉🥐𝗦🂡"
WORDS = ("table", "rye", "€4,20", "[menu]", "Straße", "déjà", "señor", "Ωmega", "~6pm", "ok")
SIZES = (1, 69, 70, 71, 133, 134, 135, 152, 153, 154, 159, 160, 161, 200, 305, 306, 307, 460, 900)
COUNTS = Path(__file__).with_name("messages") / "segment_counts.txt"


def texts() -> Iterator[str]:
    """The same every time; half of them are as long as a boundary between segments."""
    dice = random.Random(4)
    for index in range(4_000):
        kind = index % 5
        alphabet = (
            GSM,
            GSM + EXTENDED * 3,
            GSM + EXTENDED + BEYOND,
            GSM + BEYOND + ASTRAL * 2,
            EXTENDED + ASTRAL,
        )[kind]
        size = dice.choice(SIZES) if index % 2 else dice.randint(1, 700)
        if index % 7 == 0:
            yield " ".join(dice.choices(WORDS, k=max(1, size // 5)))
        else:
            yield "".join(dice.choices(alphabet, k=size))


def counted() -> list[tuple[str, int]]:
    """What the calculator said of each of `texts`."""
    return [(line[0], int(line[1:])) for line in COUNTS.read_text("ascii").splitlines()]


COUNT = """
const { SegmentedMessage } = require("sms-segments-calculator");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const text of texts) {
  const found = new SegmentedMessage(text, "auto", false);
  console.log(found.encodingName[0] + found.segmentsCount);
}
"""

if __name__ == "__main__":
    subprocess.run(
        ["node", "-e", COUNT],
        input=json.dumps(list(texts())),
        text=True,
        cwd=sys.argv[1],
        check=True,
    )
