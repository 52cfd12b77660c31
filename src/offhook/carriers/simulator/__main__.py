"""`python -m offhook.carriers.simulator`: the simulated carrier's process."""

from offhook.carriers.simulator.server import serve
from offhook.settings import load

if __name__ == "__main__":
    serve(load())
