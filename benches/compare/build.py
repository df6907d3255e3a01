"""The programs that are compared: built, or installed into an environment of their own."""

import subprocess
import venv


def dist(root, kind, name):
    """Builds, with the profile `dist`, the binary or example `name` of the crate at `root`; returns its path."""
    subprocess.run(["cargo", "build", "--profile", "dist", kind, name], cwd=root, check=True)
    folder = root / "target/dist"
    return (folder / "examples" if kind == "--example" else folder) / name


def environment(folder, packages):
    """An environment that has `packages`; returns its Python and the versions it has."""
    python = folder / "bin/python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", *packages], check=True)
    # chDB's number is its own; whoever compares wants ClickHouse's.
    ask = (
        "import duckdb, chdb, chdb.session as s;"
        "engine = str(s.Session().query('SELECT version()', 'TSVRaw')).strip();"
        "print(f'DuckDB {duckdb.__version__}, ClickHouse {engine} (chDB {chdb.__version__})')"
    )
    return python, text([python, "-c", ask])


def version(program):
    return text([program, "--version"])


def text(command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
