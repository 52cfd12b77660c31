"""A receiver in three languages, as the page shows it; each is a program that runs as it is."""

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Snippet:
    language: str
    file: str

    @property
    def text(self) -> str:
        return (files("offhook.webhooks") / "receivers" / self.file).read_text("utf-8")


ALL = (
    Snippet("Python", "receiver.py"),
    Snippet("Node", "receiver.mjs"),
    Snippet("Go", "receiver.go"),
)
