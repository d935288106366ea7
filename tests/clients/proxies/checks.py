"""docs/protect-a-service.md as it stands: its settings and commands, and each of its proxies for real."""

import os
import posixpath
import re
import subprocess
import sys
import tempfile
import urllib.parse
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import page
from service import SAID, Service
from standing import PROXIES, Standing

KEYSTEAD = urllib.parse.urlsplit(os.environ["KEYSTEAD_URL"]).netloc
MARK = "---- the end of an answer ----"

# Two programs may read these in two ways. Ada may read the sales report and what lies below it, and nothing else.
ODD = [
    "/reports/sales/../costs", "/reports/sales/%2e%2e/costs", "/reports/sales/..%2fcosts", "/reports/sales%2f..%2fcosts",
    "/reports/costs/../sales", "//reports/sales", "/reports//sales", "/reports/sales/..;/costs", "/reports/sales\\..\\costs",
    "/reports/sales/%252e%252e/costs", "/reports/sales/./../costs", "/reports/costs?/../sales", "/reports/sales/%5c../costs",
    "/reports/%73ales/../%63osts", "/./reports/costs", "/reports/costs%23/../sales", "http://elsewhere/reports/costs", "*",
]  # fmt: skip


class Count:
    passed = 0
    failed = 0

    def that(self, name, true, found=""):
        if true:
            self.passed += 1
            print(f"ok - {name}")
        else:
            self.failed += 1
            print(f"not ok - {name}: {found}")


def shell(script, folder):
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)


def set_up(folder):
    """Runs the page's second step; returns a script that sets what it has set, and its variables."""
    setup = page.mapped(page.block("sh"), {"127.0.0.1:4000": KEYSTEAD})
    near = (
        r'NEAR=$(gql \'{"query": "mutation { generateApiKey(input: {owner: \"\'$ADA_ID\'\", allowedCidrs: [\"127.0.0.2/32\"]}) { secret } }"}\' '
        r"| secret)"
    ).replace("\\'", "'")
    names = "URL KEY ADA BOB ADA_ID BOB_ID NEAR"
    done = shell(f"set -euo pipefail\n{setup}\n{near}\necho\necho '{MARK}'\ndeclare -p {names}\ndeclare -f", folder)
    said, _, declared = done.stdout.partition(MARK)
    if done.returncode != 0 or '"errors"' in said:
        sys.exit(f"setting up failed: {done.stderr}{said}\n0 passed, 1 failed")
    return declared, dict(re.findall(r'^declare -- (\w+)="(.*)"$', declared, re.MULTILINE))


class Asking:
    """Asks a service through its proxy, with all of HTTP at hand."""

    def __init__(self, proxy, service):
        self.address = proxy.address
        self.service = service

    def __call__(self, path="/reports/sales", key="", method="GET", headers=(), body=None, source="127.0.0.1"):
        """The status, the answer and its headers, and whether the service was asked; status 0: the proxy hangs up."""
        before = self.service.asked
        connection = HTTPConnection(self.address, timeout=20, source_address=(source, 0))
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            if key:
                connection.putheader("Authorization", f"Bearer {key}")
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace").strip()
            return answer.status, text, answer.headers, self.service.asked > before
        except (HTTPException, OSError) as error:
            return 0, repr(error), {}, self.service.asked > before
        finally:
            connection.close()


def page_commands(count, proxy, declared, folder):
    """The page's fourth step, with its answers."""
    wanted = list(page.commands())
    script = [declared]
    for command, _ in wanted:
        script += [page.mapped(command, {"127.0.0.1:8080": proxy.address}), f"echo; echo '{MARK}'"]
    answers = shell("\n".join(script), folder).stdout.split(MARK)
    for (command, answer), found in zip(wanted, [*answers, *["(nothing)"] * len(wanted)]):
        count.that(f"{proxy.name}: {command} -> {answer}", found.strip() == answer.strip(), found.strip())


def refuses(count, name, answer):
    status, text, _, asked = answer
    count.that(name, not asked and status not in range(200, 400), f"{status} {text}, the service was {'' if asked else 'not '}asked")


def checks(count, proxy, ask, keys):
    ada, bob, near = keys["ADA"], keys["BOB"], keys["NEAR"]
    by_ada = "GET /reports/sales for ada as READ"

    def name(what):
        return f"{proxy.name}: {what}"

    status, text, headers, asked = ask()
    count.that(name("no key: 401, and how to show one"), (status, asked) == (401, False) and "Bearer" in (headers["WWW-Authenticate"] or ""), text)
    status, text, headers, asked = ask(key=ada[:-1] + ("0" if ada[-1] != "0" else "1"))
    count.that(name("a wrong key: 401"), (status, asked) == (401, False) and "Bearer" in (headers["WWW-Authenticate"] or ""), (status, text))
    status, text, _, asked = ask(key=ada, path="/reports/costs")
    count.that(name("no right: 403 with Keystead's words or the proxy's"), (status, asked) == (403, False), (status, text))

    for form in (str.title, str.lower, str.upper):
        for separate in ("{}", "X_Keystead_{}", "X-Keystead_{}"):
            forged = [(form(header if separate == "{}" else separate.format(header[11:])), "forged") for header in sorted(SAID)] * 2
            status, text, _, _ = ask(key=ada, headers=forged)
            count.that(name(f"what a client says of itself as {forged[0][0]} does not come through"), (status, text) == (200, by_ada), (status, text))
    forged = [("Connection", "close, " + ", ".join(sorted(SAID)))]
    status, text, _, _ = ask(key=ada, headers=forged)
    count.that(name("headers named in Connection: none is lost"), text == by_ada or status not in range(200, 400), (status, text))

    for headers in (
        [("X-Forwarded-Uri", "/reports/sales")], [("X-Original-URI", "/reports/sales")], [("X-Original-URL", "/reports/sales")],
        [("X-Forwarded-Uri", "/reports/sales"), ("X-Forwarded-Uri", "/reports/sales")], [("X-Rewrite-Url", "/reports/sales")],
        [("X-Envoy-Original-Path", "/reports/sales")], [("X-Forwarded-Prefix", "/reports/sales")],
    ):  # fmt: skip
        refuses(count, name(f"another URI in {headers[0][0]}"), ask("/reports/costs", ada, headers=headers))
    for header in ("X-Forwarded-Method", "X-Original-Method"):
        refuses(count, name(f"another method in {header}"), ask(key=ada, method="POST", headers=[(header, "GET")], body=b""))
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        refuses(count, name(f"a method for the service in {header}"), ask(key=ada, headers=[(header, "DELETE")]))
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        refuses(count, name(f"{method} of one who may only read"), ask(key=ada, method=method, body=b""))
    refuses(count, name("two credentials"), ask(key=ada, headers=[("X-API-Key", bob)]))
    refuses(count, name("a credential twice"), ask(key=ada, headers=[("Authorization", f"Bearer {bob}")]))
    refuses(count, name("a query in the place of the rules'"), ask("/elsewhere?privilege=report.read&path=/reports/sales", ada))
    status, text, _, _ = ask("/reports/sales?privilege=report.write&path=/reports/costs&x=%2e", ada)
    count.that(name("the query is the client's own"), text == "GET /reports/sales?privilege=report.write&path=/reports/costs&x=%2e for ada as READ", (status, text))

    for path in ODD:
        status, text, _, asked = ask(path, ada)
        seen = re.match(r"GET (\S+) for ada", text)
        reached = posixpath.normpath(urllib.parse.unquote(seen[1].split("?")[0])) if seen else ""
        count.that(name(f"{path} leads nowhere else"), not asked or re.fullmatch(r"/reports/sales(/.*)?", reached), f"{status} {text}")

    status, text, _, _ = ask(key=bob, method="POST", body=b"x" * 100_000)
    count.that(name("a body goes to the service"), text == "POST /reports/sales for bob as REPORTER with 100000 bytes", (status, text))
    count.that(name("HEAD"), ask(key=ada, method="HEAD")[0] == 200, "not 200")

    status, text, _, _ = ask(key=near, source="127.0.0.2")
    count.that(name("a key from the address that it is bound to"), (status, text) == (200, by_ada), (status, text))
    refuses(count, name("the same key from another address"), ask(key=near))
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Envoy-External-Address", "True-Client-IP"):
        value = "for=127.0.0.2" if header == "Forwarded" else "127.0.0.2"
        refuses(count, name(f"the same with a forged {header}"), ask(key=near, headers=[(header, value)]))

    # What may have been kept open or remembered is used before Keystead goes.
    for _ in range(3):
        ask(key=ada)
    proxy.relay.cut()
    refuses(count, name("Keystead is stopped"), ask(key=ada))
    refuses(count, name("Keystead is stopped, and who asks has no key"), ask())
    proxy.relay.mend()
    status, text, _, _ = ask(key=ada)
    count.that(name("Keystead is back"), (status, text) == (200, by_ada), (status, text))
    proxy.relay.say_busy(True)
    refuses(count, name("Keystead says 503"), ask(key=ada))
    proxy.relay.say_busy(False)
    status, text, _, _ = ask(key=ada)
    count.that(name("Keystead answers again"), (status, text) == (200, by_ada), (status, text))


def main():
    count = Count()
    only = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / ".keystead").mkdir()
        (folder / ".keystead" / "admin.key").write_text(os.environ["KEYSTEAD_KEY"])
        declared, keys = set_up(folder)
        service = Service()
        host, port = KEYSTEAD.split(":")
        for make in PROXIES:
            if only and make.__name__ not in only:
                continue
            try:
                with Standing(make, folder, (host, int(port)), service) as proxy:
                    before = count.failed
                    page_commands(count, proxy, declared, folder)
                    checks(count, proxy, Asking(proxy, service), keys)
                    if count.failed > before:
                        print(proxy.log.read_text()[-4000:])
            except (RuntimeError, OSError) as error:
                count.that(make.__name__, False, error)
    print(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
