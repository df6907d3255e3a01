"""The data: one plain file, and the same cut into gzip files as archives hold it."""

import os
import subprocess
import zlib
from concurrent.futures import ThreadPoolExecutor

PARTS = 8
LEVEL = 6
CHUNK = 1 << 20


def plain(generate, folder, events):
    """A file of so many events; made once."""
    path = folder / f"events-{events}.ndjson"
    if not path.exists():
        part = path.with_suffix(".part")
        subprocess.run([generate, "--events", str(events), "--out", part], check=True)
        part.rename(path)
    return path


def zipped(path):
    """A folder with the lines of `path` in gzip files, about as many in each; made once."""
    folder = path.with_suffix(".gz.d")
    if not folder.exists():
        part = path.with_suffix(".part.d")
        part.mkdir(exist_ok=True)
        cuts = line_ends(path)
        ranges = zip(cuts, cuts[1:])
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # zlib lets go of the interpreter's lock
            jobs = [
                pool.submit(deflate, path, start, end, part / f"part-{number}.gz")
                for number, (start, end) in enumerate(ranges, 1)
            ]
            for job in jobs:
                job.result()
        part.rename(folder)
    return folder


def size(path):
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def line_ends(path):
    """Offsets that cut `path` into parts of whole lines, from its start to its end."""
    length = path.stat().st_size
    cuts = [0]
    with open(path, "rb") as file:
        for number in range(1, PARTS):
            file.seek(length * number // PARTS)
            file.readline()
            cuts.append(file.tell())
    return [*cuts, length]


def deflate(path, start, end, out):
    # 16 more than the largest window asks zlib for a gzip file.
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    with open(path, "rb") as source, open(out, "wb") as target:
        source.seek(start)
        while start < end:
            chunk = source.read(min(CHUNK, end - start))
            start += len(chunk)
            target.write(packer.compress(chunk))
        target.write(packer.flush())
