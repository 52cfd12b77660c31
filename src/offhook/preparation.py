"""Before the processes start: folders, the secret, the newest schema."""

from offhook.db.migrate import is_current, migrate
from offhook.settings import Settings, secret_key


def prepare(settings: Settings) -> None:
    """Make the installation ready to run; at once when it is."""
    settings.home_path.mkdir(parents=True, exist_ok=True)
    secret_key(settings)
    url = settings.database_url.get_secret_value()
    if not is_current(url.replace("postgresql+psycopg://", "postgresql://")):
        migrate(url)
