"""A real OpenID Connect provider (npm's oidc-provider) as a process of its own, and people signing in at it."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
MAX_STEPS = 12


@dataclass(frozen=True)
class Provider:
    """Where it answers."""

    issuer: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """The settings of a service whose people may sign in there, under two names."""
        known = {"issuer": self.issuer, "client_id": "karman", "client_secret": "a secret of this test"}
        providers = [{"id": "city", "name": "Город", **known}]
        return ("--providers", json.dumps(providers), "--private-hosts", urlsplit(self.issuer).netloc)

    def signed_in(self, url: str, subject: str) -> dict[str, str]:
        """Sign in as `subject` where the service sent the browser, agree, and give what comes back in the query."""
        with httpx.Client(timeout=60) as browser:
            answer = browser.get(url)
            for _ in range(MAX_STEPS):
                if answer.is_redirect:
                    target = urljoin(str(answer.url), answer.headers["location"])
                    if not target.startswith(self.issuer):
                        return dict(parse_qsl(urlsplit(target).query))
                    answer = browser.get(target)
                    continue
                form = re.search(r'action="([^"]+)"', answer.text)
                assert form, answer.text
                prompt = "login" if 'value="login"' in answer.text else "consent"
                answer = browser.post(form[1], data={"prompt": prompt, "login": subject, "password": "any"})
        raise AssertionError("The provider does not let go.")


@contextmanager
def provider(*redirect_uris: str) -> Iterator[Provider]:
    """A provider that sends people back to these addresses only."""
    command = ["node", "provider.mjs", *redirect_uris]
    process = subprocess.Popen(command, cwd=SCRIPTS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        issuer = process.stdout.readline().strip()
        assert issuer, "The provider did not start: run `make setup-tests`."
        yield Provider(issuer)
    finally:
        process.kill()
        process.communicate()
