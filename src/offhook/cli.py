"""The command line: `offhook serve` for everything, `offhook call` and `offhook text` to try it.

Each command imports what it needs when it runs: starting a process, or asking for help, must not
load every vendor.
"""

import asyncio
import gc
import importlib
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from offhook.errors import Problem
from offhook.settings import Settings, load

app = typer.Typer(
    help="Phone numbers for AI agents: calls and SMS, answered, metered and kept in one inbox.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
NOISY = ("httpx", "httpcore", "picows", "procrastinate", "sqlalchemy", "alembic", "twilio")
LOG_FORMAT = "%(asctime)s %(levelname)s {process} %(name)s: %(message)s"


@app.command()
def serve() -> None:
    """Start Offhook: database, dashboard, calls, background work, simulated phone network."""
    supervisor: Any = importlib.import_module("offhook.supervisor")
    _log("offhook", logging.WARNING)
    supervisor.Supervisor(load(), _say).run()


@app.command(hidden=True)
def prepare() -> None:
    """Bring the database to the newest schema."""
    _log("prepare", logging.WARNING)
    importlib.import_module("offhook.preparation").prepare(load())


@app.command(hidden=True)
def web() -> None:
    """Run the dashboard, the REST API and the carrier callbacks."""
    _run("web")


@app.command(hidden=True)
def media() -> None:
    """Run the media process: live calls."""
    _run("media")


@app.command(hidden=True)
def worker() -> None:
    """Run background work."""
    _run("worker")


@app.command(hidden=True)
def zygote(socket: Annotated[int, typer.Argument(help="Where programs are asked for.")]) -> None:
    """Read the application once, and be forked for each of its programs."""
    _read(ahead=True)
    supervisor: Any = importlib.import_module("offhook.supervisor")
    {"prepare": prepare, "web": web, "media": media, "worker": worker}[
        supervisor.next_program(socket)
    ]()


operators = typer.Typer(help="Who runs this installation: sees all teams, sets prices.")
app.add_typer(operators, name="operator", no_args_is_help=True)
Email = Annotated[str, typer.Argument(help="The address that they sign in with.")]


@operators.command("add")
def operator_add(email: Email) -> None:
    """Make somebody who has signed up an operator; Offhook may be running."""
    _operators(email, add=True)


@operators.command("remove")
def operator_remove(email: Email) -> None:
    """End somebody's being an operator; one always stays."""
    _operators(email, add=False)


@operators.command("list")
def operator_list() -> None:
    """Print who the operators are."""
    _operators("", add=None)


@operators.command("new-password")
def operator_new_password(email: Email) -> None:
    """Print a link by which somebody chooses a new password; it works once, for 30 minutes."""
    settings = load()
    administration: Any = importlib.import_module("offhook.administration")
    _log("operator", logging.WARNING)
    _say(asyncio.run(administration.password_link(settings, _database_url(settings), email)))


def _operators(email: str, *, add: bool | None) -> None:
    administration: Any = importlib.import_module("offhook.administration")
    _log("operator", logging.WARNING)
    changed = administration.change_operators(_database_url(load()), email, add=add)
    for address in asyncio.run(changed):
        _say(address)


def _database_url(settings: Settings) -> str:
    """The database of a running installation, the embedded one included."""
    url = settings.database_url.get_secret_value()
    if url:
        return url
    supervisor: Any = importlib.import_module("offhook.supervisor")
    return str(supervisor.EmbeddedPostgres(settings.home_path / "pg").running_url())


@app.command()
def rotate_secrets() -> None:
    """Wrap every secret in the database with a new key; Offhook goes on running meanwhile."""
    settings = load()
    administration: Any = importlib.import_module("offhook.administration")
    _log("rotate-secrets", logging.WARNING)
    done = asyncio.run(administration.rotate_secrets(settings, _database_url(settings)))
    _say(f"{done.rewrapped} wrapped anew with the key {done.key_id}.")
    for key_id, count in sorted(done.by_key.items()):
        _say(f"{key_id}: {count} secrets")
    if others := sorted(set(done.by_key) - {done.key_id}):
        _say(f"Still needed: {', '.join(others)}. Run this again.")
    else:
        _say("No other key is in use. Older ones open older backups only.")


@app.command()
def audit(
    noted: Annotated[
        list[str] | None, typer.Option(help="A head that was noted: it must still be there.")
    ] = None,
) -> None:
    """Check every audit log: no entry altered, none missing. Ends with 1 where one was."""
    administration: Any = importlib.import_module("offhook.administration")
    _log("audit", logging.WARNING)
    verdicts = asyncio.run(administration.verify_audit(_database_url(load()), noted or []))
    for line in verdicts.lines:
        _say(line)
    if not verdicts.whole:
        raise typer.Exit(1)


@app.command()
def doctor(
    number: Annotated[
        str, typer.Argument(help="One number, such as +12025550123. Empty: all that are enabled.")
    ] = "",
) -> None:
    """Check whether numbers would really answer, each part with its remedy. Ends with 1 if not."""
    settings = load()
    diagnosis: Any = importlib.import_module("offhook.diagnosis")
    _log("doctor", logging.WARNING)
    found = asyncio.run(diagnosis.diagnose(settings, _database_url(settings), number))
    for line in found.lines:
        _say(line)
    if not found.well:
        raise typer.Exit(1)


@app.command()
def text(
    number: Annotated[str, typer.Argument(help="The number to text, such as +12025550123.")],
    body: Annotated[str, typer.Argument(help="What to write.")],
    sender: Annotated[str, typer.Option("--from", help="The handset's own number.")] = "",
    wait: Annotated[float, typer.Option(help="Seconds to wait for a reply; 0 for none.")] = 30.0,
    picture: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="Send this file with it; several times."),
    ] = None,
) -> None:
    """Text a number on the simulated network and print the reply."""
    handset = importlib.import_module("offhook.carriers.simulator.handset")
    asyncio.run(
        handset.send_text(load(), number, body, sender=sender, pictures=picture or [], wait_s=wait)
    )


@app.command()
def call(
    number: Annotated[str, typer.Argument(help="The number to call, such as +12025550123.")],
    say: Annotated[
        list[str] | None,
        typer.Option(help="Speak this sentence; give it several times for several turns."),
    ] = None,
    wav: Annotated[Path | None, typer.Option(help="Play this WAV file to the agent.")] = None,
    save: Annotated[Path | None, typer.Option(help="Save both sides as a WAV file.")] = None,
    sender: Annotated[str, typer.Option("--from", help="The handset's own number.")] = "",
    hidden: Annotated[bool, typer.Option(help="Call with a hidden number.")] = False,
) -> None:
    """Call a number on the simulated network."""
    handset = importlib.import_module("offhook.carriers.simulator.handset")
    asyncio.run(
        handset.place_call(
            load(),
            number,
            say=say or [],
            wav=wav,
            save=save,
            sender=sender,
            hidden=hidden,
            synthesise=_speak,
        )
    )


@app.command()
def listen(
    event: Annotated[
        list[str] | None,
        typer.Option(help="Only this event, such as call.ended; give it several times for more."),
    ] = None,
    forward: Annotated[
        str, typer.Option(help="Pass each on to this address, such as http://localhost:3000/hooks.")
    ] = "",
    *,
    key: Annotated[
        str, typer.Option(envvar="OFFHOOK_API_KEY", help="An API key that may read and change.")
    ],
    url: Annotated[
        str, typer.Option(envvar="OFFHOOK_URL", help="The installation. Empty: this machine's.")
    ] = "",
    text: Annotated[bool, typer.Option(help="With what was said.")] = False,
    brief: Annotated[bool, typer.Option(help="One line for each, without its payload.")] = False,
) -> None:
    """Print webhook deliveries as they come, on a machine that nobody has to reach."""
    listener: Any = importlib.import_module("offhook.webhooks.listener")
    _log("listen", logging.WARNING)
    wanted = listener.Wanted(event or ["*"], text, forward, brief)
    try:
        asyncio.run(listener.listen(url or load().web_url, key, wanted, _say))
    except KeyboardInterrupt:
        _say("No longer listening.")


@app.command()
def simulated_account(
    name: Annotated[str, typer.Option(help="What the account calls itself.")] = "My old account",
    numbers: Annotated[int, typer.Option(help="How many numbers it has.", min=0, max=20)] = 3,
    *,
    trial: Annotated[bool, typer.Option(help="A trial account.")] = False,
) -> None:
    """Make a customer's account at the simulated carrier, to try bringing your own numbers."""
    customers = importlib.import_module("offhook.carriers.simulator.customers")
    asyncio.run(customers.show_new(load(), name=name, numbers=numbers, trial=trial, show=_say))


async def _speak(words: str) -> tuple[bytes, int]:
    """The installation's own voice, as 16-bit mono PCM and its rate."""
    speech = importlib.import_module("offhook.speech")
    numpy = importlib.import_module("numpy")
    codec = importlib.import_module("offhook.media.codec")
    synthesiser = speech.open_synthesiser(load())
    await synthesiser.start()
    try:
        mulaw = b"".join([chunk async for chunk in synthesiser.speak(words)])
    finally:
        await synthesiser.close()
    samples = codec.decode_mulaw(numpy.frombuffer(mulaw, numpy.uint8))
    return samples.tobytes(), speech.SAMPLE_RATE


def _say(line: str) -> None:
    print(f"  {line}", flush=True)  # noqa: T201 - the terminal is where it speaks


def _run(process: str) -> None:
    _log(process)
    _read().run(process, load())


def _read(*, ahead: bool = False) -> Any:
    """The application's processes; `ahead` with what each of them imports on first use."""
    # What is imported stays: the collector looks through it neither meanwhile nor ever again.
    gc.disable()
    running: Any = importlib.import_module("offhook.processes")
    if ahead:
        running.read_ahead(load())
        load.cache_clear()  # each process has an environment of its own
    gc.freeze()
    gc.enable()
    return running


def _log(process: str, level: int = logging.INFO) -> None:
    logging.basicConfig(level=level, format=LOG_FORMAT.format(process=process), stream=sys.stderr)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def main() -> None:
    """Run the command; a problem is a sentence and a remedy, not a traceback."""
    try:
        app()
    except Problem as problem:
        print(f"{problem.sentence}\n{problem.remedy}".strip(), file=sys.stderr)  # noqa: T201 - the terminal
        sys.exit(1)


if __name__ == "__main__":
    main()
