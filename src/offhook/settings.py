"""Every setting, typed, with its default and its environment name (prefix `OFFHOOK_`).

Read once per process by `load()`; passed on as an argument. docs/settings.md is generated from
this module. Knows no room.
"""

import os
import secrets
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

OWNER_ONLY = 0o600


class Settings(BaseSettings):
    """The settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="OFFHOOK_", env_file=".env", extra="ignore")

    # --- Installation ---
    home: str = Field(
        default="",
        description="Where data is kept: database, recordings, caches, the secret key. "
        "Empty: ~/.local/share/offhook, or /var/lib/offhook for root.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the web process listens on.")
    port: int = Field(default=8600, description="Port of the dashboard and the REST API.")
    media_port: int = Field(default=8602, description="Port of the media process.")
    simulator_port: int = Field(default=8601, description="Port of the simulated carrier.")
    public_url: str = Field(
        default="",
        description="Address under which carriers and browsers reach this installation, "
        "such as https://phone.example.com. Empty: the local address.",
    )
    media_url: str = Field(
        default="",
        description="WebSocket address under which carriers reach this media process. "
        "Empty: the local address.",
    )
    environment: Literal["production", "development"] = Field(
        default="production", description="development adds the pages /design and /dev/mail."
    )

    # --- Database ---
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="PostgreSQL 15 with pgvector 0.8, or newer. Empty: the embedded PostgreSQL.",
    )
    database_pool: int = Field(default=10, ge=2, description="Connections per process.")

    # --- Secrets ---
    vault_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys that seal secrets in the database, as id:base64 of 32 bytes, with "
        "commas between; the first one seals, the others open. Empty: a file in OFFHOOK_HOME, "
        "made at first start; keep a copy of it apart from the database's backups.",
    )

    # --- Carriers ---
    carrier: Literal["simulator", "twilio"] = Field(
        default="simulator", description="Who sells numbers and carries calls and messages."
    )
    twilio_account_sid: str = Field(default="", description="Account SID of the Twilio account.")
    twilio_auth_token: SecretStr = Field(
        default=SecretStr(""), description="Auth token: API access and callback signatures."
    )

    # --- Media ---
    media_lines: int = Field(default=200, ge=1, description="Most calls in one media process.")

    # --- Speech ---
    recogniser: Literal["offline", "openai"] = Field(
        default="offline", description="Who turns speech into text."
    )
    synthesiser: Literal["offline", "openai"] = Field(
        default="offline", description="Who turns text into speech."
    )
    speech_base_url: str = Field(
        default="https://api.openai.com/v1",
        description="OpenAI-compatible speech server (recogniser or synthesiser = openai).",
    )
    speech_api_key: SecretStr = Field(default=SecretStr(""), description="Its key.")
    recogniser_model: str = Field(
        default="", description="Model name for the recogniser. Empty: the built-in tiny.en."
    )
    synthesiser_model: str = Field(
        default="", description="Model name for the synthesiser. Empty: the built-in voice."
    )

    # --- Language model ---
    model: str = Field(
        default="",
        description="Language model as provider:name, such as openai:gpt-4.1-mini. "
        "Empty: the offline answerer.",
    )
    model_base_url: str = Field(
        default="", description="Address of an OpenAI-compatible language model server."
    )
    model_api_key: SecretStr = Field(default=SecretStr(""), description="Key of the model.")

    # --- Billing ---
    billing: bool = Field(
        default=True, description="Off: every team is active and prices are shown as cost."
    )
    trial_days: int = Field(
        default=14,
        ge=0,
        description="How long a new team may use everything without a card. With the test gateway "
        "a trial does not end.",
    )
    transfer_minute_price: Decimal | None = Field(
        default=None,
        ge=0,
        le=100,
        decimal_places=6,
        description="What a team pays per started minute of the second leg of a transfer, in the "
        "currency of the price list, such as 0.02. Empty: nothing; the leg is the operator's cost.",
    )
    release_suspended: bool = Field(
        default=False,
        description="Give the numbers of a team that was suspended for 30 days back to the "
        "carrier, after notices 14, 7, 3 and 1 days before. It cannot be undone.",
    )
    invoice_font: str = Field(
        default="",
        description="Path of a TrueType font for what Roboto lacks on an invoice (Chinese, "
        "Japanese, Arabic). Empty: written in Latin letters.",
    )

    # --- Payments ---
    stripe_secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Secret key of the Stripe account (sk_…). Empty: the test gateway, test cards.",
    )
    stripe_publishable_key: str = Field(
        default="", description="Its publishable key (pk_…), for Stripe's form in the browser."
    )
    stripe_webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signing secret (whsec_…) of Stripe's event destination "
        "/billing/stripe/events.",
    )
    stripe_api_url: str = Field(
        default="", description="Another server that speaks Stripe's API. Empty: Stripe."
    )

    # --- Requests to addresses that users give ---
    outgoing_http: bool = Field(
        default=False,
        description="Let webhooks, tasks and knowledge pages use http:// too, not https:// only.",
    )
    outgoing_ports: list[int] = Field(
        default=[443], description="Ports that they may use; with http:// allowed, 80 as well."
    )
    outgoing_private_networks: list[str] = Field(
        default=[],
        description="Private networks that they may reach, such as "
        '["127.0.0.0/8", "10.1.0.0/16"]. Everything else must be a public address.',
    )

    outgoing_ca_file: str = Field(
        default="",
        description="PEM file of certificate authorities that they trust beside the public ones.",
    )

    # --- Mail ---
    smtp_host: str = Field(
        default="", description="Mail server that sends our mail. Empty: none is sent."
    )
    smtp_port: int = Field(default=587, ge=1, le=65_535, description="Its port.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the line is secured: STARTTLS (587), TLS from the start (465), or none.",
    )
    smtp_user: str = Field(default="", description="User name there. Empty: no sign-in.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    mail_from: str = Field(
        default="",
        description="Sender of our mail, such as Offhook <phone@example.com>. "
        "Empty: offhook@ the host of the public address.",
    )

    # --- Contacts ---
    caller_names: bool = Field(
        default=True,
        description="Look up the name of a new contact's number at the carrier, which charges for "
        "it. Carriers know names of US numbers.",
    )

    # --- Messages ---
    settle_ms: int = Field(
        default=1200, ge=0, le=20_000, description="Quiet time before a burst of texts is answered."
    )
    thread_closes_after_h: int = Field(
        default=24, ge=1, description="Hours without a text after which a thread closes."
    )

    @property
    def home_path(self) -> Path:
        """The folder of `home`. As root the database runs under another account, which could not
        enter root's own home.
        """
        usual = "/var/lib/offhook" if os.geteuid() == 0 else "~/.local/share/offhook"
        return Path(self.home or usual).expanduser().resolve()

    @property
    def run_path(self) -> Path:
        """Sockets of the processes; short, since a Unix socket's path holds 107 bytes."""
        return self.home_path / "run"

    @property
    def web_url(self) -> str:
        """The address by which others name us; signatures are checked against it (SEC1)."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def media_socket_url(self) -> str:
        return (self.media_url or f"ws://{self.host}:{self.media_port}").rstrip("/")

    @property
    def simulator_url(self) -> str:
        return f"http://{self.host}:{self.simulator_port}"


@lru_cache(maxsize=1)
def load() -> Settings:
    """The settings of this process, read from the environment once."""
    return Settings()


def secret_key(settings: Settings) -> bytes:
    """32 random bytes that sign sessions, tokens and links; made at first start, mode 0600."""
    path = settings.home_path / "secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".new")
        partial.touch(mode=OWNER_ONLY)
        partial.write_bytes(secrets.token_bytes(32))
        partial.replace(path)
    return path.read_bytes()
