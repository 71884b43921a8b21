"""Commit messages, git repositories, patch queues and mailboxes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import InputError, UsageError
from kb.imports import git, message, patches
from kb.imports.run import run
from kb.store import Store
from kb.store.imports import Imports

UP = "0123456789abcdef0123456789abcdef01234567"
OWN = "f" * 40
SPLAT = """\
  BUG: kernel NULL pointer dereference, address: 0000000000000010
  RIP: 0010:foo_send+0x1a/0x60 [foo]
  Call Trace:
   foo_xmit+0x1/0x2 [foo]
   foo_work+0x3/0x4 [foo]
"""
TEXT = f"foo: do not send without a ring\n\nIt is gone by then, as this shows:\n\n{SPLAT}\nSigned-off-by: A <a@b.c>\n"


@pytest.mark.parametrize(
    "line",
    [
        f"commit {UP} upstream.",
        f"Commit {UP} upstream",
        f"[ Upstream commit {UP} ]",
        f"[Upstream commit {UP}]",
        f"[ commit {UP} upstream ]",
        f"Upstream commit {UP}.",
        f"upstream commit: {UP}",
        f"Upstream commit:\n    commit {UP}\n    Author: A <a@b.c>",
        f"Upstream: {UP} (\"foo: do not send\")",
        f"(cherry picked from commit {UP})",
        f"(cherry-picked from commit {UP} linux-next)",
        f"(backported from commit {UP})",
        f"Source kernel commit: {UP}",
        f"Git-commit: {UP}",
        f"Patch-mainline: v6.1-rc2\nGit-commit: {UP}",
        f"mainline inclusion\nfrom mainline-v6.1-rc2\ncommit {UP}\ncategory: bugfix",
        f"This is a backport of commit {UP}.",
        f"This is a modified backport of upstream commit {UP}",
        f"X-Upstream-Commit: {UP}",
        f"commit {UP} (\"foo: do not send\") upstream.",
    ],
)  # fmt: skip
def test_the_upstream_commit_is_found_however_it_is_named(line: str) -> None:
    found = message.read(OWN, f"foo: do not send\n\n{line}\n\nWords.\n")
    assert found.upstream == UP
    assert found.identity == UP


@pytest.mark.parametrize(
    "line",
    [
        f"This reverts commit {UP}.",
        f'Since commit {UP} ("foo: add a ring") it oopses.',
        f'Fixes: {UP} ("foo: add a ring")',
        f"It came in with commit {UP} and went unseen.",
        "commit messages are upstream of code",
    ],
)
def test_other_commits_are_not_taken_for_it(line: str) -> None:
    assert message.read(OWN, f"foo: do not send\n\n{line}\n\nWords.\n").upstream is None


def test_what_trailers_tell_is_kept() -> None:
    found = message.read(
        OWN,
        "foo: x\n\nCVE-2031-1234 speaks of it.\n\nReported-by: syzbot+0123456789abcdef0123@syzkaller.appspotmail.com\n"
        "Closes: https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123\n"
        f'Fixes: {UP[:12]} ("foo: add a ring")\nFixes: {OWN[:12]} ("foo: more")\nLink: https://example.org/1\n',
    )
    assert found.fixes == (UP[:12], OWN[:12])
    assert found.syzbot == ("0123456789abcdef0123",)
    assert found.cves == ("CVE-2031-1234",)
    assert found.links == ("https://syzkaller.appspot.com/bug?extid=0123456789abcdef0123", "https://example.org/1")


def test_a_message_becomes_a_case_known_by_the_upstream_commit() -> None:
    text = TEXT.replace("\n\nIt", f"\n\n[ Upstream commit {UP} ]\n\nIt")
    known = message.known(message.read(OWN, text), "git", name=OWN, release="6.1.7")
    assert known is not None
    case = known.case
    assert case.id == f"commit-{UP[:12]}"
    assert case.title == "foo: do not send without a ring"
    assert case.summary == "It is gone by then, as this shows:"
    assert [(fix.branch, fix.commit, fix.since) for fix in case.fixes] == [
        ("mainline", UP, None),
        ("6.1", OWN, "6.1.7"),
    ]
    assert known.commits == (UP, OWN)
    assert [row.frames for row in known.stacks] == [("foo_send", "foo_xmit", "foo_work")]
    assert "Signed-off-by" not in case.prose


class Repository:
    """A clone with commits of our own."""

    def __init__(self, place: Path):
        self.place = place
        place.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        env = {
            **os.environ, "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@b.c", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
        }  # fmt: skip
        done = subprocess.run(["git", *arguments], cwd=self.place, env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, text: str, tag: str = "") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", text)
        if tag:
            self.git("tag", "-a", "-m", tag, tag)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "linux")


def test_a_history_is_imported_with_the_first_release_of_fix_and_culprit(
    repository: Repository, tmp_path: Path
) -> None:
    bad = repository.commit("foo: add a ring", "v6.0")
    (repository.place / "drivers").mkdir()
    (repository.place / "drivers/foo ring.c").write_text("1\n")
    fix = repository.commit(TEXT + f'Fixes: {bad[:12]} ("foo: add a ring")\n')
    repository.commit("bar: more", "v6.1-rc3")
    repository.commit("baz: yet more", "v6.1")
    with Store(tmp_path / "kb.db") as store:
        done = run(store, "git", [str(repository.place)])
        assert (done.read, done.cases) == (4, 1)
        case = Imports(store).get(f"commit-{fix[:12]}")
        assert case is not None
        assert [(each.branch, each.since) for each in case.fixes] == [("mainline", "6.1-rc3")]
        assert [(each.kernel, each.note) for each in case.affected] == [
            (">= 6.0, < 6.1-rc3", f"introduced by {bad[:12]}")
        ]
        assert case.files == ("drivers/foo ring.c",)
        again = run(store, "git", [str(repository.place)])
        assert (again.cases, again.known) == (0, 4)


def test_a_backport_and_its_original_are_one_case(repository: Repository, tmp_path: Path) -> None:
    repository.commit("start", "v6.0")
    repository.git("branch", "stable")
    fix = repository.commit(TEXT, "v6.2-rc1")
    repository.git("checkout", "-q", "stable")
    copy = repository.commit(TEXT.replace("\n\nIt", f"\n\ncommit {fix} upstream.\n\nIt"), "v6.1.9")
    with Store(tmp_path / "kb.db") as store:
        run(store, "git", [str(repository.place), "stable"])
        run(store, "git", [str(repository.place), "main"])
        (case,) = list(Imports(store))
        assert [(each.branch, each.commit, each.since) for each in case.fixes] == [
            ("mainline", fix, "6.2-rc1"), ("6.1", copy, "6.1.9"),
        ]  # fmt: skip
        assert Imports(store).by_commit(copy[:12]) == case


def test_a_range_limits_what_is_read(repository: Repository, tmp_path: Path) -> None:
    repository.commit(TEXT, "v6.0")
    repository.commit("bar: more", "v6.1")
    with Store(tmp_path / "kb.db") as store:
        assert run(store, "git", [str(repository.place), "v6.0..v6.1"]).read == 1


def test_what_is_no_repository_or_range_is_an_error(repository: Repository, tmp_path: Path) -> None:
    repository.commit("start")
    with Store(tmp_path / "kb.db") as store:
        with pytest.raises(InputError):
            run(store, "git", [str(tmp_path / "nowhere")])
        with pytest.raises(InputError):
            run(store, "git", [str(repository.place), "v9.9..v9.10"])
        with pytest.raises(UsageError, match="no range"):
            run(store, "git", [str(repository.place), "--output=/tmp/x"])
        with pytest.raises(UsageError, match="where from"):
            run(store, "git", [])


PATCH = f"""\
From {UP} Mon Sep 17 00:00:00 2001
From: A <a@b.c>
Date: Sat, 22 Nov 2031 00:00:00 +0000
Subject: [PATCH 5.10 3/9] foo: do not send
 without a ring

commit {UP} upstream.

It is gone by then, as this shows:

{SPLAT}
Signed-off-by: A <a@b.c>
---
 foo.c | 1 +
diff --git a/net/foo.c b/net/foo.c
--- a/net/foo.c
+++ b/net/foo.c
+	WARN_ON(1); /* Call Trace: bar+0x1/0x2 */
"""


def test_patch_queues_are_imported(tmp_path: Path) -> None:
    queue = tmp_path / "queue-5.10"
    queue.mkdir()
    (queue / "foo-do-not-send.patch").write_text(PATCH)
    (queue / "series").write_text("foo-do-not-send.patch\n")
    (queue / "bar.patch").write_text("From: A <a@b.c>\nSubject: bar: tidy\n\nNo splat.\n---\n bar.c | 1 +\n")
    with Store(tmp_path / "kb.db") as store:
        done = run(store, "patches", [str(queue)])
        assert (done.read, done.cases) == (2, 1)
        (case,) = list(Imports(store))
        assert (case.id, case.title) == (f"commit-{UP[:12]}", "foo: do not send without a ring")
        assert case.files == ("net/foo.c",)
        assert run(store, "patches", [str(queue)]).cases == 0


def test_a_mailbox_is_several_mails_and_their_encoding_is_undone(tmp_path: Path) -> None:
    box = tmp_path / "list.mbox"
    other = (
        "From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: A <a@b.c>\n"
        "Subject: =?utf-8?q?=5BPATCH=5D_bar=3A_na=C3=AFve?=\nContent-Transfer-Encoding: quoted-printable\n\n"
        "As seen=\n here:\n\n" + SPLAT.replace("foo", "bar") + "\n---\n"
    )
    box.write_text(PATCH + "\n" + other)
    with Store(tmp_path / "kb.db") as store:
        assert run(store, "patches", [str(box)]).cases == 2
        assert sorted(case.title for case in Imports(store)) == ["bar: naïve", "foo: do not send without a ring"]


def test_the_diff_is_not_read() -> None:
    commit, text = patches.parts(PATCH.encode())
    assert commit == UP
    assert "WARN_ON" not in text


def test_a_suse_patch_names_its_commit_in_a_header() -> None:
    _, text = patches.parts(
        f"From: A <a@b.c>\nSubject: foo: x\nGit-commit: {UP}\nPatch-mainline: v6.1\n\nWords.\n".encode()
    )
    assert message.read(None, text).upstream == UP


def test_names_of_tags_are_releases(repository: Repository) -> None:
    first = repository.commit("one")
    second = repository.commit("two", "v5.10.3")
    third = repository.commit("three", "next-20310101")
    assert git.releases_of(repository.place, [first, second, third, OWN]) == {first: "5.10.3", second: "5.10.3"}


@pytest.mark.parametrize(
    "part", ["\n", " \n", "commit ", "Upstream commit:\n", "[ ", "(", "Fixes: ", "a" * 300 + "\n", "=?"]
)
def test_hostile_messages_end(part: str) -> None:
    text = part * (300_000 // len(part))
    assert message.read(OWN, f"s\n\n{text}").upstream is None
    assert message.known(message.read(OWN, f"s\n\n{text}"), "git", name="x") is None
    patches.parts(text.encode())
    patches.mails(text.encode())


HOOKS = (
    "post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman", "pre-auto-gc", "post-rewrite",
    "proc-receive", "pre-receive", "update", "post-receive", "sendemail-validate", "query-watchman",
)  # fmt: skip
COMMANDS = (
    "core.fsmonitor", "core.sshCommand", "core.gitProxy", "core.pager", "core.editor", "core.askPass", "pager.log",
    "pager.rev-list", "pager.name-rev", "pager.cat-file", "sequence.editor", "gpg.program", "gpg.ssh.program",
    "gpg.x509.program", "gpg.openpgp.program", "gpg.ssh.defaultKeyCommand", "diff.external", "diff.mark.command",
    "diff.mark.textconv", "filter.mark.clean", "filter.mark.smudge", "filter.mark.process", "merge.mark.driver",
    "alias.log", "alias.rev-list", "alias.name-rev", "alias.cat-file", "credential.helper",
    "uploadpack.packObjectsHook",
    "remote.origin.uploadpack", "remote.origin.receivepack", "trailer.mark.command", "trailer.mark.cmd",
    "interactive.diffFilter", "browser.mark.cmd", "man.mark.cmd", "difftool.mark.cmd", "mergetool.mark.cmd",
    "sendemail.smtpServer", "core.alternateRefsCommand", "receive.procReceiveRefs", "web.browser", "instaweb.httpd",
    "submodule.mark.update", "maintenance.strategy", "hook.mark.command", "tar.mark.command", "guitool.mark.cmd",
)  # fmt: skip
URLS = ("ext::{} %s", "ssh://-oProxyCommand={}/x", "file://{}", "mark::x", "{}", "-u{}:x", "")


@pytest.fixture
def mark(tmp_path: Path) -> tuple[Path, Path]:
    """A script, and the file that it leaves when something runs it."""
    left = tmp_path / "left"
    script = tmp_path / "mark.sh"
    script.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{left}'\n")
    script.chmod(0o755)
    return script, left


def poisoned(repository: Repository, script: Path, url: str) -> None:
    """Everything of a repository's own that could make git run a command is the script."""
    git = repository.place / ".git"
    for key in COMMANDS:
        value = f"!{script}" if key.startswith(("alias.", "submodule.", "credential.")) else str(script)
        repository.git("config", "--file", str(git / "config"), key, value)
    rest = {
        "log.showSignature": "true", "log.mailmap": "true", "log.follow": "true", "core.hooksPath": str(git / "hooks"),
        "remote.origin.url": url.format(script), "remote.origin.promisor": "true",
        "remote.origin.partialclonefilter": "blob:none", "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1", "protocol.allow": "always", "protocol.ext.allow": "always",
        "protocol.file.allow": "always", "protocol.ssh.allow": "always", "protocol.mark.allow": "always",
        "fetch.recurseSubmodules": "true", "maintenance.auto": "true", "gc.auto": "1", "hook.mark.event": "pre-fetch",
        "core.untrackedCache": "true", "diff.default": "mark", "core.attributesFile": str(git / "info/attributes"),
        "include.path": str(git / "more"),
    }  # fmt: skip
    if not url:
        rest["remote.origin.vcs"] = "mark"
    for key, value in rest.items():
        repository.git("config", "--file", str(git / "config"), key, value)
    (git / "more").write_text(f'[remote "other"]\n\turl = ext::{script} %S\n\tpromisor = true\n')
    (git / "info").mkdir(exist_ok=True)
    (git / "info/attributes").write_text("* diff=mark filter=mark merge=mark\n")
    (git / "hooks").mkdir(exist_ok=True)
    for name in HOOKS:
        (git / "hooks" / name).write_text(script.read_text())
        (git / "hooks" / name).chmod(0o755)


@pytest.mark.parametrize("url", URLS)
def test_a_repository_runs_no_command_of_its_own(
    url: str, repository: Repository, mark: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, left = mark
    absent = "Fixes: fedcba9876543210fedcba9876543210fedcba98\nFixes: 0123456789ab\n"
    repository.commit(TEXT + absent, "v6.0")
    helpers = tmp_path / "bin"
    helpers.mkdir()
    (helpers / "git-remote-mark").symlink_to(script)
    monkeypatch.setenv("PATH", f"{helpers}{os.pathsep}{os.environ['PATH']}")
    poisoned(repository, script, url)
    with Store(tmp_path / "kb.db") as store:
        done = run(store, "git", [str(repository.place)])
    assert (done.read, done.cases) == (1, 1)
    assert not left.exists(), left.read_text()


def test_the_poison_works_where_git_reads_it(repository: Repository, mark: tuple[Path, Path]) -> None:
    """What the test above proves would be nothing if no git ever ran these commands."""
    script, left = mark
    repository.commit(TEXT)
    poisoned(repository, script, URLS[0])
    subprocess.run(
        ["git", "-C", str(repository.place), "cat-file", "-e", "0" * 39 + "1"], capture_output=True, check=False
    )
    subprocess.run(["git", "-C", str(repository.place), "status"], capture_output=True, check=False)
    assert left.exists()


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_CONFIG_GLOBAL", "GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND", "GIT_PAGER"])
def test_the_environment_turns_git_to_nothing_else(
    name: str, repository: Repository, mark: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit(TEXT, "v6.0")
    monkeypatch.setenv(name, str(mark[0]))
    assert git.count(repository.place, []) == 1
    assert not mark[1].exists()


def test_worktrees_and_bare_clones_are_read(repository: Repository, tmp_path: Path) -> None:
    repository.commit("one", "v6.0")
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = Repository.__new__(Repository)
    side.place = tmp_path / "side"
    fix = side.commit(TEXT)
    repository.git("clone", "-q", "--bare", str(repository.place), str(tmp_path / "bare.git"))
    assert git.count(repository.place, []) == 1
    assert next(git.messages(side.place, []))[0] == fix
    assert git.count(tmp_path / "bare.git", ["side"]) == 2


def test_a_sha256_repository_is_read(tmp_path: Path) -> None:
    place = tmp_path / "new"
    made = Repository(place)
    shutil.rmtree(place / ".git")
    made.git("init", "-q", "--object-format=sha256")
    made.commit(TEXT, "v6.0")
    assert git.count(place, ["v6.0"]) == 1


def test_a_message_beyond_the_limit_is_cut_and_the_next_one_is_read(repository: Repository) -> None:
    repository.commit("first")
    place = repository.place / "long"
    place.write_text("long\n\n" + "x" * (3 << 20))
    repository.git("commit", "-q", "--allow-empty", "-F", str(place))
    repository.commit("last")
    assert [len(text) for _, text in git.messages(repository.place, [])] == [5, 1 << 20, 6]


@pytest.mark.parametrize("name", ["HEAD", "config", "packed-refs", "refs/heads/main", "objects/pack/x.idx"])
def test_a_repository_s_file_that_would_block_is_refused_or_left_out(name: str, repository: Repository) -> None:
    repository.commit(TEXT, "v6.0")
    place = repository.place / ".git" / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    if name in ("config", "packed-refs"):
        assert git.count(repository.place, []) == 1
    else:
        with pytest.raises(InputError, match=r"no regular file|no git repository"):
            git.count(repository.place, [])


@settings(max_examples=200)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", PATCH.encode()[:200], b"Subject: =?utf-8?q?=ff?=\n\n", b"From: \xff\n"]),
)
def test_any_bytes_are_a_mail_or_a_bad_one(data: bytes, head: bytes) -> None:
    for mail in patches.mails(head + data):
        commit, text = patches.parts(mail)
        message.known(message.read(commit, text), "patches", name="x")


def test_a_patch_that_cannot_be_read_is_named_and_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.patch", "b.patch", "c.patch"):
        (tmp_path / name).write_text(PATCH.replace("foo", name[0] * 3).replace(UP, name[0] * 40))
    real = message.known
    monkeypatch.setattr(
        message,
        "known",
        lambda found, *more, **named: real(found, *more, **named) if "bbb" not in found.subject else 1 / 0,
    )
    told: list[tuple[str, str]] = []
    with Store(tmp_path / "kb.db") as store:
        done = run(store, "patches", [str(tmp_path)], bad=lambda *row: told.append(row))
        assert (done.read, done.cases, done.bad) == (3, 2, 1)
    assert told == [(f"{tmp_path / 'b.patch'}#0", "division by zero")]
