import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgclean.report import write_html

from .evaluations import digits, photos

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("chromium is not installed: apt install chromium", allow_module_level=True)

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402  needs the browser

pytestmark = pytest.mark.slow

SPLIT = "document.getElementById('split').value"
CLIP = "document.getElementById('half-right').style.clipPath"
PLANE = "document.querySelector('#half-right .plane').style.transform"
ZOOM = "parseFloat(document.getElementById('zoom').textContent)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return write_html(photos(folder), folder, full_pictures=True)


def visit(browser: Browser, path: Path, **options: object) -> tuple[Page, list[str]]:
    """The report in a fresh window, and where its complaints and requests are noted."""
    page = browser.new_page(**({"viewport": {"width": 1280, "height": 900}} | options))  # type: ignore[arg-type]
    notes: list[str] = []
    page.on("console", lambda message: notes.append(message.text))
    page.on("pageerror", lambda error: notes.append(str(error)))
    page.on("request", lambda asked: notes.append(asked.url))
    page.goto(path.as_uri())
    page.locator("#viewer").wait_for()
    notes[:] = [n for n in notes if n != path.as_uri() and not n.startswith("data:")]
    return page, notes


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """A window that must end without complaints and without having fetched anything."""
    opened, notes = visit(browser, report)
    yield opened
    opened.close()
    assert [note for note in notes if not note.startswith("data:")] == []


def centre(page: Page) -> tuple[float, float]:
    page.locator("#stage").scroll_into_view_if_needed()
    box = page.locator("#stage").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def until(page: Page, condition: str) -> None:
    """Wait for what scrolling brings about; the page itself allows no eval."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {condition}")


def test_pictures_decode(page: Page) -> None:
    """Both halves show a decoded picture in the size that the page says it has."""
    sizes = page.eval_on_selector_all(
        ".plane .whole", "images => images.map(i => [i.complete, i.naturalWidth, i.naturalHeight])"
    )
    assert sizes == [[True, 512, 384]] * 2


def test_slider_by_mouse(page: Page) -> None:
    """Dragging the divider uncovers more of the noisy picture."""
    x, y = centre(page)
    assert page.evaluate(SPLIT) == "50"
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=4)
    page.mouse.up()
    box = page.locator("#stage").bounding_box()
    assert box
    expected = 50 + 100 * 100 / box["width"]
    assert float(page.evaluate(SPLIT)) == pytest.approx(expected, abs=1)
    assert float(page.evaluate(CLIP).split()[-1].strip("%)")) == pytest.approx(expected, abs=1)


def test_slider_by_keyboard(page: Page) -> None:
    """The range input moves by arrow keys, and says where it is between what."""
    page.locator("#split").focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate(SPLIT) == "45"
    assert "45%" in page.evaluate(CLIP)
    spoken = page.locator("#split").get_attribute("aria-valuetext")
    assert spoken == "45 % noisy input, the rest median"
    page.locator("#stage").focus()
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(SPLIT) == "47"


def test_zoom(page: Page) -> None:
    """Buttons, keys and the wheel zoom down to pixels; drag and arrows pan; 0 fits again."""
    fitted = page.evaluate(ZOOM)
    page.click("#true")
    assert page.evaluate(ZOOM) == max(100, fitted)
    page.click("#in")
    page.locator("#stage").focus()
    page.keyboard.press("+")
    closer = page.evaluate(ZOOM)
    assert closer > fitted
    assert "sharp" in str(page.locator("#half-right .whole").get_attribute("class"))
    x, y = centre(page)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    until(page, f"{ZOOM} > {closer}")
    before = page.evaluate(PLANE)
    page.keyboard.press("ArrowRight")
    panned = page.evaluate(PLANE)
    assert panned != before
    page.mouse.move(x + 150, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 40, steps=3)
    page.mouse.up()
    assert page.evaluate(PLANE) != panned
    assert page.evaluate(SPLIT) == "50"
    page.keyboard.press("0")
    assert page.evaluate(ZOOM) == fitted


def test_wheel_scrolls_the_page(page: Page) -> None:
    """Before the picture has the focus the wheel scrolls past it and does not zoom."""
    fitted = page.evaluate(ZOOM)
    x, y = centre(page)
    page.mouse.move(x, y)
    top = page.evaluate("scrollY")
    page.mouse.wheel(0, 200)
    until(page, f"scrollY > {top}")
    assert page.evaluate(ZOOM) == fitted


def test_largest_error(page: Page) -> None:
    """One key brings the place of the largest error to the middle, enlarged."""
    fitted = page.evaluate(ZOOM)
    page.locator("#stage").focus()
    page.keyboard.press("e")
    assert page.evaluate(ZOOM) > 2 * fitted


def test_methods_and_residual(page: Page) -> None:
    """Another method and what it removed are a click away, and the factor is stated."""
    source = "document.querySelector('#half-right .whole').src"
    shown = {page.evaluate(source)}
    page.get_by_role("radio", name="nlm").check()
    shown.add(page.evaluate(source))
    page.locator("#removed").check()
    shown.add(page.evaluate(source))
    assert re.fullmatch(r"removed by nlm, × \d+", page.locator("#tag-right").inner_text())
    page.get_by_role("radio", name="clean").check()
    page.locator("#removed").uncheck()
    shown.add(page.evaluate(source))
    assert len(shown) == 4
    alt = page.locator("#half-right .whole").get_attribute("alt")
    assert alt == "photos/day.jpg, gaussian:50: clean"
    page.locator("#left").select_option(label="median")
    assert page.locator("#tag-left").inner_text() == "median"


def test_list(page: Page) -> None:
    """The list orders by any method, keeps to a noise level, and opens what is chosen."""
    assert page.locator("#items li").count() == 4
    page.locator("#level").select_option("gaussian:25")
    assert page.locator("#items li:visible").count() == 2
    page.locator("#order").select_option(label="nlm")
    values = page.locator("#items li:visible .value").all_inner_texts()
    assert [float(v.split()[0]) for v in values] == sorted(float(v.split()[0]) for v in values)
    page.locator("#items li:visible button").last.click()
    chosen = page.locator("#items li:visible .name").last.inner_text()
    assert page.locator("#shown").inner_text() == chosen
    page.click("#next")
    assert page.locator("#shown").inner_text() != chosen
    assert page.locator("#items [aria-current]").count() == 1


def test_flag(page: Page) -> None:
    """A residual that still shows structure is flagged in the list and beside the figures."""
    assert page.locator("#items li:first-child .flag").inner_text() == "structure"
    flagged = page.locator("#figures-head th", has=page.locator(".flag"))
    assert flagged.first.inner_text() == "median structure left"


def test_suspicious_opens(page: Page) -> None:
    """A suspicious image opens in the viewer."""
    page.get_by_role("button", name="photos/night.jpg, gaussian:50").last.click()
    assert page.locator("#shown").inner_text() == "photos/night.jpg, gaussian:50"


def test_touch(browser: Browser, report: Path) -> None:
    """On a phone nothing is wider than the screen, one finger divides and two fingers zoom."""
    page, notes = visit(
        browser, report, viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    x, y = centre(page)
    fitted = page.evaluate(ZOOM)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": px, "y": py, "id": n} for n, (px, py) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (x, y))
    for step in range(1, 7):
        touch("touchMove", (x + 10 * step, y))
    touch("touchEnd")
    assert float(page.evaluate(SPLIT)) > 60
    touch("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 7):
        touch("touchMove", (x - 20 - 10 * step, y), (x + 20 + 10 * step, y))
    touch("touchEnd")
    assert page.evaluate(ZOOM) > 2 * fitted
    assert [note for note in notes if not note.startswith("data:")] == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser: Browser, report: Path, scheme: str) -> None:
    """Text stands out from its ground by 4.5 to 1 (WCAG AA), in the light and in the dark."""
    page, _ = visit(browser, report, color_scheme=scheme)
    faint = page.evaluate(
        """() => {
          const canvas = document.createElement("canvas").getContext("2d");
          const rgb = (colour) => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
          };
          const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
            .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
            .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
          const ground = (element) => {
            for (let at = element; at; at = at.parentElement) {
              const colour = rgb(getComputedStyle(at).backgroundColor);
              if (colour[3] > 200) return colour;
            }
            return [255, 255, 255, 255];
          };
          const found = [];
          for (const element of document.querySelectorAll("body *")) {
            const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
            if (!own || element.closest("script, style, .stage, option, title, desc")) continue;
            const style = getComputedStyle(element);
            const ink = element.closest("svg") ? style.fill : style.color;
            const [a, b] = [light(rgb(ink)), light(ground(element))];
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (ratio < 4.5) found.push(`${element.className}: ${element.textContent} ${ratio}`);
          }
          return [found, light(ground(document.body))];
        }"""
    )
    assert faint[0] == []
    assert faint[1] < 0.05 if scheme == "dark" else faint[1] > 0.9
    page.close()


def test_keyboard_reaches_everything(page: Page) -> None:
    """Tab visits every control of the viewer, and what has the focus shows it."""
    page.locator("#previous").focus()
    seen, hidden = set(), []
    for _ in range(20):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            """() => { const e = document.activeElement;
              const shown = e.matches(".pill input") ? e.nextElementSibling : e;
              return [e.id || e.name, getComputedStyle(shown).outlineStyle]; }"""
        )
        seen.add(name)
        hidden += [name] if outline == "none" else []
    wanted = {
        "next",
        "stage",
        "split",
        "out",
        "in",
        "fit",
        "true",
        "spot",
        "left",
        "right",
        "removed",
    }
    assert wanted <= seen
    assert hidden == []


def test_print(page: Page) -> None:
    """It prints as a few pages, the worst images side by side in place of the viewer."""
    page.emulate_media(media="print")
    assert not page.locator("#viewer").is_visible()
    assert page.locator("#paper img").count() == 12
    assert page.locator("#paper img").first.evaluate("image => image.naturalWidth") == 512
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 12


def test_without_script(browser: Browser, report: Path) -> None:
    """Without JavaScript the figures, plots and lists are there, and it says what is not."""
    page = browser.new_page(java_script_enabled=False)
    page.goto(report.as_uri())
    assert page.get_by_role("table").first.is_visible()
    assert page.locator(".notice").is_visible()
    page.close()


def test_codes(browser: Browser, tmp_path: Path) -> None:
    """A point of the latent map shows the images nearest to it by code."""
    page, notes = visit(browser, write_html(digits(tmp_path), tmp_path))
    assert page.locator("#near-0 figure").count() == 7
    point = page.locator("[data-code-0='23']")
    point.click()
    assert page.locator("#near-0 figure").first.inner_text() == "0023.png"
    page.locator("#code-0").select_option("0004.png")
    assert page.locator("#near-0 img").first.get_attribute("alt") == "Image 0004.png"
    widths = page.eval_on_selector_all("#near-0 img", "images => images.map(i => i.naturalWidth)")
    assert widths == [28] * 7
    assert [note for note in notes if not note.startswith("data:")] == []
    page.close()
