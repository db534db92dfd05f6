import ast
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "imgclean"

LAYERS = [
    {"__main__"},
    {"cli"},
    {"train_command", "eval_command"},
    {"training_screen", "eval_screen", "samples"},
    {"progress"},
    {"runs", "evaluate"},
    {"denoise", "train", "methods", "ledger", "run_options", "verdict", "epochs"},
    {"plans", "network", "report"},
    {"report_rows"},
    {"report_pictures", "report_plots", "report_words"},
    {"report_contents"},
    {"report_webp"},
    {"restore", "sources", "cases", "balance"},
    {"tiled_network"},
    {"picture_folders", "journal", "second_look", "pale", "small_print", "out_of_focus"},
    {"source"},
    {"alone", "mnist", "pairs", "processes", "losses", "windows", "white_point", "pictures"},
    {
        "models", "weights", "noise", "batch_noise", "paper", "sheets", "pages", "blocks", "fonts",
        "scenes", "images", "reading", "writing", "folders", "codecs", "metadata", "tiff", "jpeg",
        "boxes", "heif", "jp2", "pnm", "metrics", "choose", "page_measures", "muon", "recipes",
        "scores", "summary", "residuals", "texts", "baselines", "forms", "safety", "memory",
        "files", "checks", "streaks", "stretch", "page_network", "hues", "pixels", "tiles",
        "devices", "closer_looks", "siblings", "auto", "xmp", "shading", "faint",
        "coarse", "dots", "drawn", "ink", "screens", "texture", "halftone", "strokes", "clean",
        "missing", "specks", "stains", "stars", "impulses", "page_layout",
    },
    {"errors"},
]  # fmt: skip


def imported(path: Path) -> set[str]:
    """Names of the package's own modules that a file imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.level or node.module):
            parts = (node.module or "").split(".")
            if node.level == 0 and parts[0] != "imgclean":
                continue
            inner = parts if node.level else parts[1:]
            found |= {inner[0]} if inner and inner[0] else {alias.name for alias in node.names}
    return found


def test_imports_go_one_way() -> None:
    """No module imports from a layer above its own."""
    level = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    modules = {path: path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    assert {*modules.values(), "models"} == set(level)
    modules |= dict.fromkeys(PACKAGE.glob("models/*.py"), "models")
    for path, module in modules.items():
        names = imported(path)
        if module == "models":  # a module's own neighbours are no modules of the package
            names -= {other.stem for other in PACKAGE.glob("models/*.py")}
        for name in names & set(level):
            assert level[name] >= level[module], f"{path} imports {name}"


def test_no_modules_import_each_other() -> None:
    """Within a layer too there is an order."""
    paths = {path.stem: path for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    graph = {name: imported(path) & set(paths) for name, path in paths.items()}
    list(TopologicalSorter(graph).static_order())  # raises where there is a cycle


def test_only_the_command_line_prints() -> None:
    """print() stands in the entry point alone; the rest returns records."""
    for path in PACKAGE.rglob("*.py"):
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "print"
        ]
        assert not calls or path.name == "__main__.py", path
