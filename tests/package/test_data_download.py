"""Files come from the first mirror that works, and the cache holds right and whole files or none.

The mirrors are web servers on this machine; every failure here is a real one.
"""

import dataclasses
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import threading

import pytest
from tests.package.mirrors import Mirror, dead_address

from d2lconv.data import _download
from d2lconv.data._download import Source, cache_folder, fetch

FILES = {"images.gz": random.Random(0).randbytes(200_000), "labels.gz": random.Random(1).randbytes(3_000)}
SUMS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}

# The same call in a process of its own, which loads this one module and not PyTorch.
LOAD = f"""
import importlib.util, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the suite runs in the background
spec = importlib.util.spec_from_file_location("download", {_download.__file__!r})
module = sys.modules["download"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
files = dict(zip(sys.argv[3::2], sys.argv[4::2]))
{{before}}
module.fetch(module.Source("set", files, (sys.argv[2],)), sys.argv[1], progress=False)
"""


@pytest.fixture(autouse=True)
def _straight_to_this_machine(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("D2LCONV_DATA", raising=False)


@pytest.fixture
def mirror():
    with Mirror(FILES) as running:
        yield running


@pytest.fixture
def second():
    with Mirror(FILES) as running:
        yield running


def source(*mirrors):
    return Source("set", SUMS, tuple(getattr(mirror, "url", mirror) for mirror in mirrors))


def get(folder, *mirrors, **limits):
    return fetch(dataclasses.replace(source(*mirrors), **limits), folder, progress=False)


def cached(folder):
    """Return what lies in the cache, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def everything():
    return {f"set/{name}": content for name, content in FILES.items()}


def start(folder, mirror, *, before=""):
    command = [sys.executable, "-c", LOAD.format(before=before), str(folder), mirror.url]
    command += [part for item in SUMS.items() for part in item]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


# ---- all is well ------------------------------------------------------------


def test_files_are_fetched_into_the_cache(tmp_path, mirror):
    assert get(tmp_path, mirror) == FILES
    assert cached(tmp_path) == everything()
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert len(list((tmp_path / "set").iterdir())) == 2  # no scratch folder is left


def test_what_is_there_is_not_fetched_again(tmp_path, mirror):
    get(tmp_path, mirror)
    get(tmp_path, mirror)
    assert sorted(mirror.asked) == sorted(FILES)
    (tmp_path / "set" / "labels.gz").unlink()
    get(tmp_path, mirror)
    assert mirror.asked[2:] == ["labels.gz"]


def test_a_full_cache_needs_no_network(tmp_path, mirror):
    get(tmp_path, mirror)
    assert get(tmp_path, dead_address()) == FILES


def test_a_file_put_there_by_hand_is_used(tmp_path, mirror):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "images.gz").write_bytes(FILES["images.gz"])
    get(tmp_path, mirror)
    assert mirror.asked == ["labels.gz"]


def test_the_second_mirror_is_left_alone(tmp_path, mirror, second):
    get(tmp_path, mirror, second)
    assert second.asked == []


def test_nothing_is_written_elsewhere(tmp_path, mirror, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))  # the cache may be on another disk
    get(tmp_path, mirror)
    assert cached(tmp_path) == everything()


def test_the_bytes_that_were_checked_are_the_bytes_that_are_used(tmp_path, mirror):
    """Another process that swaps the cache's files, all the time, changes nothing that is returned."""
    get(tmp_path, mirror)
    poison = {name: content[::-1] for name, content in FILES.items()}
    done = threading.Event()

    def swap():
        while not done.is_set():
            for files in (poison, FILES):
                for name, content in files.items():
                    other = tmp_path / f"other-{name}"
                    other.write_bytes(content)
                    other.replace(tmp_path / "set" / name)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        assert all(get(tmp_path, mirror) == FILES for _ in range(20))
    finally:
        done.set()
        thread.join()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX systems")
def test_others_may_read_the_files_where_the_user_lets_them(tmp_path, mirror):
    before = os.umask(0o022)
    try:
        get(tmp_path, mirror)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "set").iterdir()} == {0o644}


@pytest.mark.parametrize("progress", [True, False])
def test_progress(tmp_path, mirror, capsys, progress):
    fetch(source(mirror), tmp_path, progress=progress)
    shown = capsys.readouterr()
    assert shown.out == ""
    if progress:
        assert re.findall(r"(\w+\.gz): 100%.*?([\d.]+k)/([\d.]+k)", shown.err) == [
            ("images.gz", "200k", "200k"),
            ("labels.gz", "3.00k", "3.00k"),
        ]
    else:
        assert shown.err == ""


# ---- where the cache is ------------------------------------------------------------


USERS = {
    "linux": (".cache/d2lconv", {}),
    "darwin": ("Library/Caches/d2lconv", {}),
    "win32": ("AppData/Local/d2lconv/d2lconv/Cache", {}),
}


@pytest.mark.parametrize("system", USERS)
def test_the_users_cache(tmp_path, monkeypatch, system):
    """Where the systems' users look for it, so where earlier versions put it."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", system)
    assert cache_folder(None) == tmp_path / USERS[system][0]
    monkeypatch.setenv({"win32": "LOCALAPPDATA"}.get(system, "XDG_CACHE_HOME"), str(tmp_path / "moved"))
    moved = {"win32": "moved/d2lconv/d2lconv/Cache", "linux": "moved/d2lconv"}
    assert cache_folder(None) == tmp_path / moved.get(system, USERS[system][0])


def test_folder_then_variable_then_the_users_cache(tmp_path, mirror, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.setattr("sys.platform", "linux")
    places = []
    for folder, variable in [(None, None), (None, ""), (None, "variable"), ("argument", "variable")]:
        monkeypatch.delenv("D2LCONV_DATA", raising=False)
        if variable is not None:
            monkeypatch.setenv("D2LCONV_DATA", variable and str(tmp_path / variable))
        before = set(cached(tmp_path))
        get(folder and tmp_path / folder, mirror)
        places.append(sorted(set(cached(tmp_path)) - before)[:1])
    assert places == [
        ["user/d2lconv/set/images.gz"],
        [],
        ["variable/set/images.gz"],
        ["argument/set/images.gz"],
    ]


@pytest.mark.skipif(os.name != "posix", reason="users of POSIX systems")
def test_what_is_no_folder(monkeypatch):
    with pytest.raises(TypeError, match=r"^folder must be a path, got 3 of type int$"):
        cache_folder(3)
    monkeypatch.setenv("D2LCONV_DATA", "~nobody-of-that-name/data")
    with pytest.raises(ValueError, match=r"^folder '~nobody-of-that-name/data' names the home of a user"):
        cache_folder(None)


def test_relative_folder_and_home(tmp_path, mirror, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    get("data", mirror)
    assert set(cached(tmp_path)) == {"data/set/images.gz", "data/set/labels.gz"}
    get("~/data", mirror)
    assert len(mirror.asked) == 2


# ---- a mirror fails ------------------------------------------------------------


FAULTS = {
    404: "404 Not Found",
    503: "503 Service Unavailable",
    "truncated": "the connection ended after 100,000 of 200,000 bytes",
    "corrupted": rf"not the right file, its SHA-256 is [0-9a-f]{{64}} and not {SUMS['images.gz']}",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_second_mirror_helps(tmp_path, mirror, second, fault):
    mirror.break_all(fault)
    get(tmp_path, mirror, second)
    assert cached(tmp_path) == everything()
    assert mirror.asked == second.asked == list(FILES)


def test_the_second_mirror_helps_when_the_first_is_down(tmp_path, second):
    get(tmp_path, dead_address(), second)
    assert cached(tmp_path) == everything()


def test_each_file_looks_for_its_own_mirror(tmp_path, mirror, second):
    mirror.faults["images.gz"] = second.faults["labels.gz"] = 404
    get(tmp_path, mirror, second)
    assert cached(tmp_path) == everything()
    assert mirror.asked == ["images.gz", "labels.gz"]
    assert second.asked == ["images.gz"]


@pytest.mark.parametrize("fault", FAULTS)
def test_all_mirrors_fail(tmp_path, mirror, second, fault):
    mirror.break_all(fault)
    second.break_all(404)
    dead = dead_address()
    with pytest.raises(OSError, match=r"^cannot get images\.gz\n") as caught:
        get(tmp_path, mirror, dead, second)
    first, *reasons, last = str(caught.value).split("\n")
    assert first == "cannot get images.gz"
    assert re.match(rf"- {mirror.url}images.gz: {FAULTS[fault]}", reasons[0])
    assert re.match(rf"- {dead}images.gz: \[(Errno|WinError) \d+\] .*refused", reasons[1])
    assert re.match(rf"- {second.url}images.gz: {FAULTS[404]}", reasons[2])
    assert len(reasons) == 3
    assert last.startswith("Check the network and try again, or put the file into ")
    assert last.endswith(f"{tmp_path / 'set'} by hand, packed or unpacked")
    assert cached(tmp_path) == {}
    assert list((tmp_path / "set").iterdir()) == []


def test_what_came_before_a_failure_stays(tmp_path, mirror):
    mirror.faults["labels.gz"] = "truncated"
    with pytest.raises(OSError, match=r"^cannot get labels\.gz\n"):
        get(tmp_path, mirror)
    assert cached(tmp_path) == {"set/images.gz": FILES["images.gz"]}
    mirror.faults.clear()
    get(tmp_path, mirror)
    assert mirror.asked == ["images.gz", "labels.gz", "labels.gz"]


@pytest.mark.parametrize("announced", [True, False])
def test_a_mirror_that_sends_too_much(tmp_path, mirror, second, announced):
    mirror.faults["images.gz"] = "endless" if not announced else None
    message = r"images\.gz: larger than the limit of 150,000 bytes\n"
    with pytest.raises(OSError, match=message):
        get(tmp_path, mirror, max_bytes=150_000)
    assert cached(tmp_path) == {}


def test_a_mirror_that_sends_too_slowly(tmp_path, mirror, second):
    """It sends a byte now and then, so the connection itself never times out."""
    mirror.faults["images.gz"] = "trickle"
    with pytest.raises(OSError, match=r"images\.gz: not finished after 0\.2 seconds, the limit\n"):
        get(tmp_path, mirror, max_seconds=0.2)
    assert get(tmp_path, mirror, second, max_seconds=1) == FILES


def test_a_network_that_is_away(tmp_path):
    with pytest.raises(OSError, match=r"- http://nowhere\.invalid/images\.gz: .*[Nn]ame"):
        get(tmp_path, "http://nowhere.invalid/")


# ---- the cache is not what it should be ------------------------------------------------------------


@pytest.mark.parametrize("spoil", [lambda data: data[:-1] + b"!", lambda data: data[:100], lambda _: b""])
def test_a_spoiled_file_is_fetched_again(tmp_path, mirror, spoil):
    get(tmp_path, mirror)
    (tmp_path / "set" / "images.gz").write_bytes(spoil(FILES["images.gz"]))
    assert get(tmp_path, mirror) == FILES
    assert cached(tmp_path) == everything()
    assert mirror.asked == ["images.gz", "labels.gz", "images.gz"]


def test_a_spoiled_file_without_a_network(tmp_path, mirror):
    get(tmp_path, mirror)
    path = tmp_path / "set" / "labels.gz"
    path.write_bytes(b"poison")
    with pytest.raises(OSError, match=r"^cannot get labels\.gz\n") as caught:
        get(tmp_path, dead_address())
    spoiled = hashlib.sha256(b"poison").hexdigest()
    assert (
        f"\n- {path}: not the right file, its SHA-256 is {spoiled} and not {SUMS['labels.gz']}\n- http"
        in str(caught.value)
    )


def advice(path):
    return (
        rf"^cannot store {re.escape(str(path))}: .*\nMake room and see that the folder can be written to, or "
        r"choose another one with folder=… or the environment variable D2LCONV_DATA$"
    )


def test_a_folder_that_cannot_be(tmp_path, mirror, second):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=advice(tmp_path / "file" / "set" / "images.gz")) as caught:
        get(tmp_path / "file", mirror, second)
    assert str(caught.value).count("[Errno ") == 1
    assert mirror.asked == second.asked == []


def test_a_folder_that_cannot_be_written_to(tmp_path, mirror, monkeypatch):
    place = tmp_path / "set"
    place.mkdir(mode=0o555)
    if os.access(place, os.W_OK):  # root may write everywhere

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied", str(place))

        monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(OSError, match=advice(place / "images.gz")) as caught:
        get(tmp_path, mirror)
    assert "Permission denied" in str(caught.value)
    assert mirror.asked == []


@pytest.mark.skipif(os.name != "posix", reason="special files of POSIX systems")
@pytest.mark.parametrize("kind", ["pipe", "device", "broken link"])
def test_what_is_no_file_is_replaced_and_never_read(tmp_path, mirror, kind):
    path = tmp_path / "set" / "images.gz"
    path.parent.mkdir()
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero" if kind == "device" else "nowhere")
    assert get(tmp_path, mirror) == FILES
    assert path.read_bytes() == FILES["images.gz"]


def test_a_large_file_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "set" / "images.gz"
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(10**12)  # takes no room
    with pytest.raises(OSError, match=r"images\.gz: larger than the limit of 150,000 bytes\n"):
        get(tmp_path, dead_address(), max_bytes=150_000)


def test_a_folder_in_place_of_the_file(tmp_path, mirror):
    (tmp_path / "set" / "images.gz").mkdir(parents=True)
    with pytest.raises(OSError, match=advice(tmp_path / "set" / "images.gz")):
        get(tmp_path, mirror)


def test_a_full_disk(tmp_path, mirror):
    pytest.importorskip("resource", reason="limits of POSIX systems")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    process = start(tmp_path, mirror, before=limit)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert (
        f"OSError: cannot store {tmp_path / 'set' / 'images.gz'}: [Errno 27] File too large\nMake room"
        in errors
    )
    assert cached(tmp_path) == {}
    assert list((tmp_path / "set").iterdir()) == []
    assert mirror.asked == ["images.gz"]


# ---- processes are stopped, or run at once ------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
def test_interrupted(tmp_path, mirror):
    mirror.faults["images.gz"] = "stalled"
    process = start(tmp_path, mirror)
    assert mirror.half_sent.wait(60)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert cached(tmp_path) == {}
    assert list((tmp_path / "set").iterdir()) == []


def test_killed(tmp_path, mirror):
    mirror.faults["images.gz"] = "stalled"
    process = start(tmp_path, mirror)
    assert mirror.half_sent.wait(60)
    process.kill()
    process.communicate()
    assert not (tmp_path / "set" / "images.gz").exists()
    mirror.faults.clear()
    assert get(tmp_path, mirror) == FILES


def test_two_processes_at_once(tmp_path, mirror):
    mirror.faults["images.gz"] = "stalled"
    slow = start(tmp_path, mirror)
    assert mirror.half_sent.wait(60)
    del mirror.faults["images.gz"]
    fast = start(tmp_path, mirror)
    _, errors = fast.communicate()
    assert (fast.returncode, errors) == (0, "")
    assert (tmp_path / "set" / "images.gz").read_bytes() == FILES["images.gz"]
    mirror.go_on.set()
    _, errors = slow.communicate()
    assert (slow.returncode, errors) == (0, "")
    assert cached(tmp_path) == everything()


def test_many_threads_at_once(tmp_path, mirror):
    failures = []

    def load():
        try:
            get(tmp_path, mirror)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert cached(tmp_path) == everything()


def test_loading_the_module_loads_no_more():
    code = LOAD.split("files =")[0] + "print(*{'certifi', 'tqdm', 'requests', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
