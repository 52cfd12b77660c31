"""Letters: typed models, each with a template from which plain text and HTML are made.

The two forms share one source: the template speaks of paragraphs, buttons and facts, and either
set of parts (`parts.txt`, `parts.html`) says how they look. Knows nothing of sending.
"""

import inspect
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, SecretStr

from offhook.mail.rules import one_line

FOLDER = Path("templates") / "letters"


class Letter(BaseModel):
    """What a mail says; a subclass documents its fields, and its template is named after it.

    `name` is unique in the installation. `useful_for` bounds the attempts to send it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: ClassVar[str]
    useful_for: ClassVar[timedelta] = timedelta(days=2)

    @classmethod
    def sample(cls) -> Self:
        """A letter with made-up values, for the preview."""
        raise NotImplementedError

    def plain(self) -> dict[str, Any]:
        """The fields that may be stored as they are."""
        return self.model_dump(mode="json", exclude=self.secret_fields())

    def secrets(self) -> dict[str, str]:
        """The fields that may not."""
        return {key: getattr(self, key).get_secret_value() for key in sorted(self.secret_fields())}

    @classmethod
    def secret_fields(cls) -> set[str]:
        """The names of the fields of the type SecretStr."""
        return {key for key, field in cls.model_fields.items() if field.annotation is SecretStr}


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str


def letters() -> dict[str, type[Letter]]:
    """Every letter that an imported room declares, by its name."""
    found: dict[str, type[Letter]] = {}
    waiting = list(Letter.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if "name" in vars(kind):
            found[kind.name] = kind
    return found


def render(letter: Letter, base_url: str) -> Rendered:
    """The letter's subject, plain text and HTML, its paths below `base_url`."""
    text = _render(letter, base_url, "txt")
    return Rendered(
        subject=one_line(_render(letter, base_url, "txt", block="subject")),
        text=re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n",
        html=_render(letter, base_url, "html"),
    )


def _render(letter: Letter, base_url: str, form: str, *, block: str = "") -> str:
    environment = _environment(form)
    context = {key: getattr(letter, key) for key in type(letter).model_fields} | letter.secrets()
    context |= {"base_url": base_url.rstrip("/"), "layout": f"layout.{form}"}
    context["m"] = environment.get_template(f"parts.{form}").make_module(context)
    template = environment.get_template(letter.name)
    if block:
        return "".join(template.blocks[block](template.new_context(context)))
    return template.render(context)


@lru_cache(maxsize=2)
def _environment(form: str) -> Environment:
    return Environment(
        loader=ChoiceLoader(
            [FileSystemLoader(Path(__file__).parent / FOLDER), FunctionLoader(_source)]
        ),
        autoescape=form == "html",  # noqa: S701 - plain text is the other form
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(name: str) -> str | None:
    kind = letters().get(name)
    if kind is None:
        return None
    return (Path(inspect.getfile(kind)).parent / FOLDER / f"{name}.jinja").read_text()
