"""Debian's Chromium, and what somebody does with it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from tests.support import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.console import Console

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--force-color-profile=srgb", "--hide-scrollbars",
)  # fmt: skip
HURRIED = "/live - Failed to load resource: the server responded with a status of 503"
"""Whoever runs through pages faster than their streams are found closed gets no further one."""
WIDE = (1280, 900)
NARROW = (360, 740)


def installed() -> bool:
    """Whether there is one on this machine."""
    return bool(shutil.which(CHROMIUM) and shutil.which(DRIVER))


class Chromium:
    """The browser: one for all tests, each of which finds it without cookies and with one tab.

    Selectors are those of CSS, or of XPath if they begin with a slash.
    """

    def __init__(self, folder: Path) -> None:
        options = ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={folder}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options=options, service=Service(DRIVER))
        self.driver.set_script_timeout(60)
        self.origin = ""
        self._forgiven: tuple[str, ...] = ()

    # -- as a whole ------------------------------------------------

    def clear(self) -> None:
        """One tab, as if nobody had been here."""
        first, *others = self.driver.window_handles
        for tab in others:
            self.to_tab(tab)
            self.driver.close()
        self.to_tab(first)
        self.cdp("Network.clearBrowserCookies")
        self.cdp("Emulation.setScriptExecutionDisabled", value=False)
        self.driver.get("about:blank")
        self.size(*WIDE)
        self.theme("light")
        self._log()
        self._forgiven = (HURRIED,)

    def quit(self) -> None:
        """End it."""
        self.driver.quit()

    def cdp(self, command: str, **properties: Any) -> Any:
        """Tell the browser itself."""
        return self.driver.execute_cdp_cmd(command, properties)

    def size(self, width: int, height: int, pixels: int = 1) -> None:
        """Of the page, in points of so many pixels."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=pixels, mobile=False)  # fmt: skip

    def theme(self, name: str) -> None:
        """What the system prefers: light or dark; and nothing moves."""
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        scheme = {"name": "prefers-color-scheme", "value": name}
        self.cdp("Emulation.setEmulatedMedia", features=[scheme, still])

    def forgive(self, *words: str) -> None:
        """What the browser may complain of: something is made to fail."""
        self._forgiven += words

    def complaints(self) -> list[str]:
        """What it complains of since the last look, offences against the CSP included."""
        found = [one["message"] for one in self._log() if one["level"] == "SEVERE"]
        return [one for one in found if not any(word in one for word in self._forgiven)]

    def _log(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium has none
        return found

    # -- tabs ------------------------------------------------

    @property
    def tab(self) -> str:
        """The one in front."""
        return str(self.driver.current_window_handle)

    def to_tab(self, tab: str) -> None:
        """Have it in front."""
        self.driver.switch_to.window(tab)

    def another_tab(self) -> str:
        """In front of the others."""
        self.driver.switch_to.new_window("tab")
        return self.tab

    # -- where ------------------------------------------------

    def visit(self, console: Console) -> Chromium:
        """Its addresses are meant from now on."""
        self.origin = console.origin
        return self

    def login(self, console: Console, role: str = "admin", path: str = "/") -> Chromium:
        """By a one-time link; then go there."""
        self.visit(console).open(f"/login?ticket={console.ticket(role)}")
        self.click("main button.first")
        self.until(lambda: self.path == "/")
        if path != "/":
            self.open(path)
        return self

    def open(self, path: str) -> None:
        """Go there, until it is loaded."""
        self.driver.get(self.origin + path)

    @property
    def path(self) -> str:
        """Where we are, with query."""
        return str(self.driver.current_url).removeprefix(self.origin)

    # -- what is seen ------------------------------------------------

    def script(self, text: str, *arguments: Any) -> Any:
        """What a script returns that the page knows nothing of."""
        return self.driver.execute_script(text, *arguments)

    def text(self, selector: str = "body") -> str:
        """What can be read there, with single spaces; nothing when it is not there."""
        found = self.script(f"return ({FIND})(arguments[0])?.innerText", selector)
        return " ".join((found or "").split())

    def content(self, selector: str) -> str:
        """The same, also of what is out of sight or hidden."""
        found = self.script(f"return ({FIND})(arguments[0])?.textContent", selector)
        return " ".join((found or "").split())

    def there(self, selector: str) -> bool:
        """Whether it can be seen."""
        visible = f"const one = ({FIND})(arguments[0]); return Boolean(one?.checkVisibility())"
        return bool(self.script(visible, selector))

    def count(self, selector: str) -> int:
        """How many there are."""
        return int(self.script("return document.querySelectorAll(arguments[0]).length", selector))

    def attribute(self, selector: str, name: str) -> str:
        """What it says; nothing when it does not."""
        get = f"return ({FIND})(arguments[0])?.getAttribute(arguments[1])"
        return self.script(get, selector, name) or ""

    def until(self, fact: Any, *, within: float = 20.0) -> Any:
        """What it returns once it is true; when it never is, the page is in the error."""
        try:
            return wait_until(lambda: _tried(fact), within=within)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.path}\n{self.text()}") from None

    def shows(self, words: str, selector: str = "body") -> None:
        """Return once these words can be read there."""
        self.until(lambda: words in self.text(selector))

    # -- what is done ------------------------------------------------

    def click(self, selector: str) -> None:
        """Once it is there and nothing is before it."""
        how = By.XPATH if selector.startswith("/") else By.CSS_SELECTOR

        def done() -> bool:
            self.driver.find_element(how, selector).click()
            return True

        self.until(done)

    def button(self, words: str) -> None:
        """Click the one in front that says exactly so."""
        scope = "//dialog[@open]" if self.there("dialog[open]") else "//main"
        self.click(f"{scope}//button[normalize-space()='{words}']")

    def fill(self, selector: str, text: str) -> None:
        """Write into a field, in place of what is there."""
        self.click(selector)
        self.script(f"({FIND})(arguments[0]).select()", selector)
        self.press(text)

    def press(self, *keys: str) -> None:
        """Type these, wherever the focus is."""
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()


FIND = """selector => selector.startsWith("/")
    ? document.evaluate(selector, document, null, 9, null).singleNodeValue
    : document.querySelector(selector)"""


def _tried(fact: Any) -> Any:
    try:
        return fact()
    except WebDriverException:  # it went away while we looked
        return None
