"""The blocks of docs/protect-a-service.md. `page.py settings` prints the settings of Keystead that it names."""

import re
import sys
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "protect-a-service.md").read_text()


def block(language, heading=""):
    """The first block in that language, below the heading if one is named."""
    text = PAGE
    if heading:
        text = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]
    return re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]


def mapped(text, addresses):
    """The text with other addresses than the page's."""
    for before, after in addresses.items():
        assert before in PAGE, f"the page does not speak of {before}"
        text = text.replace(before, after)
    return text


def commands():
    """Each command of the console block with the line that follows it."""
    lines = block("console").splitlines()
    assert len(lines) % 2 == 0 and len(lines) > 10, lines
    for command, answer in zip(lines[::2], lines[1::2]):
        assert command.startswith("$ "), command
        yield command[2:], answer


if __name__ == "__main__":
    if sys.argv[1:] != ["settings"]:
        sys.exit(__doc__)
    print(block("toml"))
