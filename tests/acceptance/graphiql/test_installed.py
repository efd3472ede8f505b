"""The page in another project, which has the package from its wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.async_api import expect

from tests.acceptance.graphiql.conftest import OpenGraphiQL
from tests.conftest import one_loop
from tests.support.certificate import write_certificate
from tests.support.server import HOST, ROOT, Server

PROJECT = Path(__file__).parent / "project"
FOLDER = "django_gqlws/static/django_gqlws/graphiql/"
FILES = {
    *(FOLDER + name for name in ("graphiql.js", "graphiql.css", "LICENCES.txt")),
    *(f"{FOLDER}{name}.worker.js" for name in ("editor", "graphql", "json")),
    "django_gqlws/templates/django_gqlws/graphiql.html",
}

LOADED = "pattern => performance.getEntriesByType('resource').some(({ name }) => new RegExp(pattern).test(name))"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("built")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, check=True)
    return folder


@pytest.fixture
def shop(built: Path, tmp_path: Path) -> Iterator[Server]:
    """The running project, behind TLS and below /shop as its own host sees it."""
    project = shutil.copytree(PROJECT, tmp_path / "project")
    (wheel,) = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--no-deps", "--target", project / "site", wheel], check=True)
    env = {
        "PYTHONPATH": os.pathsep.join(map(str, (project / "site", project))),
        "DJANGO_SETTINGS_MODULE": "shop.settings",
    }
    collect = [sys.executable, "-m", "django", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(collect, cwd=project, env={**os.environ, **env}, check=True)
    certificate, key = write_certificate(tmp_path, HOST)
    options = ["--app-dir", str(project), "--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)]
    with Server("shop.asgi:application", env=env, options=options) as server:
        yield server


def test_what_is_shipped(built: Path) -> None:
    """The wheel and the sdist have the built files and the licences of what is in them; the sdist the sources, too."""
    (wheel,) = built.glob("*.whl")
    (sdist,) = built.glob("*.tar.gz")

    with ZipFile(wheel) as archive:
        assert set(archive.namelist()) >= FILES
        assert "monaco-editor 0.52.2: MIT" in archive.read(FOLDER + "LICENCES.txt").decode()
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        assert names >= FILES | {"frontend/package-lock.json", "frontend/src/main.jsx", "hatch_build.py"}
        assert not any("node_modules" in name for name in names)


@one_loop
async def test_below_a_path_with_hashed_names_and_tls(shop: Server, open_graphiql: OpenGraphiQL) -> None:
    """The page, its workers and its socket are found."""
    page = await open_graphiql(f"https://{HOST}:{shop.port}/shop/tools/")
    await page.write("query Price { price }")

    await page.run()

    await page.sees_result("12")
    await expect(page.page.get_by_text("The shop")).to_be_visible()
    await expect(page.page.get_by_text(f"wss://{HOST}:{shop.port}/shop/graphql/")).to_be_visible()
    # The worker is started when it is first needed.
    for hashed in (r"/shop/static/django_gqlws/graphiql/graphiql\.\w{12}\.js$", r"/graphql\.worker\.\w{12}\.js$"):
        await page.page.wait_for_function(LOADED, arg=hashed)
