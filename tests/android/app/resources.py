"""Compile the demo app's resources, with the zoo's bundles as its assets.

``PYTHONPATH=tests python -m android.app.resources TOOLS BUNDLES FOLDER`` writes into FOLDER what
``android_demo/app/pom.xml`` reads: ``java/`` with the numbers of the resources,
``resources.apk`` and ``AndroidManifest.xml``. The bundles are exported into BUNDLES, once.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from android.app.tools import Tools, fetch_tools
from gdq_devices.emulated.once import build_once
from gdq_devices.errors import SetupError, UnavailableError
from gdq_exporter import ExportConfig, export

ROOT = Path(__file__).resolve().parents[3]
APP = ROOT / "android_demo/app/src/main"
PACKAGE = "org.granulardq.demo"
NETWORKS = ("edsr_mobile_x2", "edsr_mobile_x4")


def export_bundles(folder: Path) -> None:
    """Export the zoo's networks for our engine, each as a zip with its manifest at the top."""
    checkpoints = {name: ROOT / f"models/zoo/{name}/{name}.safetensors" for name in NETWORKS}

    def fill(place: Path) -> None:
        for name, checkpoint in checkpoints.items():
            export(checkpoint, place / name, ExportConfig(formats=("engine",)))
            shutil.make_archive(str(place / name), "zip", place / name)
            shutil.rmtree(place / name)

    hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in checkpoints.values()]
    build_once(folder, "\n".join(hashes), fill)


def compile_resources(tools: Tools, bundles: Path, folder: Path) -> None:
    """Write the archive of resources, the class R and the manifest with the app's name."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "AndroidManifest.xml"
    manifest.write_text(_named(APP / "AndroidManifest.xml"), encoding="utf-8")
    assets = folder / "assets"
    shutil.rmtree(assets, ignore_errors=True)
    assets.mkdir()
    for bundle in bundles.glob("*.zip"):
        shutil.copy2(bundle, assets)
    compiled = folder / "compiled.zip"
    tools.run("aapt2", "compile", "--dir", APP / "res", "-o", compiled)
    tools.run(
        "aapt2", "link", "-I", tools.framework, "--manifest", manifest, "-A", assets, "-0", "zip",
        "--java", folder / "java", "--min-sdk-version", "26", "--target-sdk-version", "35",
        "--version-code", "1", "--version-name", "0.1.0",
        "-o", folder / "resources.apk", compiled,
    )  # fmt: skip


def _named(manifest: Path) -> str:
    """Gradle takes the app's name from its own file, aapt2 from the manifest."""
    return manifest.read_text(encoding="utf-8").replace(
        "<manifest ", f'<manifest package="{PACKAGE}" ', 1
    )


def main(tools: Path, bundles: Path, folder: Path) -> None:
    export_bundles(bundles)
    compile_resources(fetch_tools(tools), bundles, folder)


if __name__ == "__main__":
    try:
        main(*(Path(given).resolve() for given in sys.argv[1:]))
    except (SetupError, UnavailableError) as error:
        sys.exit(f"error: {error}")
