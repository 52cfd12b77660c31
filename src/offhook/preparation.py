"""An installation is made ready before its processes start, which wait for it: imports little."""

from offhook.db.migrate import is_current, migrate
from offhook.settings import Settings, secret_key
from offhook.vault import open_vault


def prepare(settings: Settings) -> None:
    """Make the installation ready to run: folders, the secret, the vault's key, the newest schema;
    at once when it is.
    """
    settings.home_path.mkdir(parents=True, exist_ok=True)
    secret_key(settings)
    _ = open_vault(settings).newest_key_id
    url = settings.database_url.get_secret_value()
    if not is_current(url.replace("postgresql+psycopg://", "postgresql://")):
        migrate(url)
