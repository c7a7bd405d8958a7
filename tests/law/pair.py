"""Two processes that serve one store over HTTP; a request goes to either, and one of them is killed now and then."""

import random
from pathlib import Path

import httpx

from tests.law.server import Answer, Ask, Crashed, Server
from tests.service import Running, ServiceOptions, start


class Pair(Server):
    """As a Server; what no process is asked for over HTTP is done here beside them."""

    def __init__(self, options: ServiceOptions) -> None:
        super().__init__(options)
        self._pair: list[Running] = []
        self._random = random.Random(20261122)

    async def open(self) -> None:
        """Start both."""
        await super().open()
        self._pair = [start(self.options) for _ in range(2)]
        self._http = httpx.AsyncClient(timeout=60)

    async def close(self) -> None:
        """Kill both."""
        for process in self._pair:
            process.kill()
        await self._http.aclose()
        await super().close()

    async def restart(self) -> None:
        """Kill one and start it again."""
        index = self._random.randrange(2)
        self._pair[index].kill()
        self._pair[index] = start(self.options)

    async def ask(self, ask: Ask) -> Answer:
        """Ask either; raises Crashed where nobody answers."""
        headers = {"Content-Type": "application/json"} | ({"Cookie": f"karman={ask.cookie}"} if ask.cookie else {})
        url = self._random.choice(self._pair).url + ask.url
        try:
            answer = await self._http.request(ask.method, url, content=ask.body or None, headers=headers)
        except httpx.TransportError:
            raise Crashed from None
        cookie = answer.cookies.get("karman", "")
        self._http.cookies.clear()
        return Answer(answer.status_code, answer.content, cookie)

    async def backup(self) -> Path:
        """Nobody may be connected meanwhile, so that it is not done here."""
        raise NotImplementedError
