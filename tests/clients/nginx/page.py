"""The blocks of docs/protect-a-service.md, and its commands with their answers.

page.py settings         prints the settings of Keystead
page.py nginx            prints the configuration of nginx
page.py run              runs the commands, and compares what they print; MAP has 'address=address' for the addresses of the page
"""

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "protect-a-service.md"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def mapped(text):
    for pair in os.environ.get("MAP", "").split():
        before, after = pair.split("=", 1)
        assert before in PAGE.read_text(), f"the page does not speak of {before}"
        text = text.replace(before, after)
    return text


def commands():
    """Each command of the console block with the line that follows it."""
    lines = blocks("console")[0].splitlines()
    assert len(lines) % 2 == 0 and len(lines) > 10, lines
    for command, answer in zip(lines[::2], lines[1::2]):
        assert command.startswith("$ "), command
        yield command[2:], answer


def run():
    setup = mapped(blocks("sh")[0])
    # One shell for all: what the first commands set, the later ones use. Answers are told apart by a line of their own.
    mark = "---- the end of an answer ----"
    script = ["set -euo pipefail", setup, f"echo; echo '{mark}'"]
    wanted = []
    for command, answer in commands():
        script += [mapped(command), f"echo; echo '{mark}'"]
        wanted.append((command, answer))
    done = subprocess.run(["bash", "-c", "\n".join(script)], capture_output=True, text=True, check=False)
    answers = done.stdout.split(mark)
    passed, failed = 0, 0
    if done.returncode != 0:
        print(f"not ok - the commands end with {done.returncode}: {done.stderr}{answers[0]}")
        failed += 1
    if '"errors"' in answers[0]:
        print(f"not ok - setting up: {answers[0]}")
        failed += 1
    for index, (command, answer) in enumerate(wanted, 1):
        found = answers[index].strip() if index < len(answers) else "(nothing)"
        if found == answer.strip():
            passed += 1
            print(f"ok - {command} -> {answer}")
        else:
            failed += 1
            print(f"not ok - {command}\n  the page says: {answer}\n  it answered:   {found}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["settings"]:
            print(blocks("toml")[0])
        case ["nginx"]:
            print(mapped(blocks("nginx")[0]))
        case ["run"]:
            sys.exit(run())
        case other:
            sys.exit(f"{__doc__}\nnot: {other}")
