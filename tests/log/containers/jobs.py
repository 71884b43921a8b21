"""Logs as CI systems and container platforms keep them."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable

from tests.log.containers.chats import Wrapped, document, lines, text


def each(form: str, name: str = "job.log", end: str = "\n") -> Callable[[bytes], Wrapped]:
    """A prefix or a frame of each line: ``{at}`` counts, ``{row}`` is the line."""

    def wrapped(log: bytes) -> Wrapped:
        rows = (form.format(at=at, s=at % 60, row=row) + end for at, row in enumerate(lines(log)))
        return name, "".join(rows).encode()

    return wrapped


def actions(log: bytes) -> Wrapped:
    head = "2026-11-28T14:24:15.0000001Z ##[group]Run make check\n2026-11-28T14:24:15.0000002Z ##[endgroup]\n"
    rows = "".join(f"2026-11-28T14:24:16.{at:07}Z {row}\n" for at, row in enumerate(lines(log)))
    return "1_build.txt", ("\ufeff" + head + rows + "2026-11-28T14:24:17.0Z ##[error]Process completed\n").encode()


def gitlab(log: bytes) -> Wrapped:
    head = "\x1b[0KRunning with gitlab-runner 16.0\x1b[0;m\n"
    head += "section_start:1764331200:step_script\r\x1b[0K\x1b[0K\x1b[36;1mExecuting\x1b[0;m\n"
    return "trace", (head + text(log).replace("\n", "\r\n") + "section_end:1764331201:step_script\r\x1b[0K\n").encode()


def jenkins(log: bytes) -> Wrapped:
    note = "\x1b[8mha:////4JQ5kb0wPZQq8nUu1vYw==\x1b[0m"
    rows = "".join(f"[2026-11-28T14:24:16.{at:03}Z] {row}\n" for at, row in enumerate(lines(log)))
    return "consoleText", f"{note}[Pipeline] Start of Pipeline\n{note}[Pipeline] sh\n{rows}[Pipeline] End\n".encode()


def lava(log: bytes) -> Wrapped:
    """LAVA's output.yaml: a mapping in flow style a line."""
    rows = (
        "- "
        + json.dumps({"dt": f"2026-11-28T14:24:16.{at:06}", "lvl": "target", "msg": row}, ensure_ascii=False)
        + "\n"
        for at, row in enumerate(lines(log))
    )
    head = (
        '- {"dt": "2026-11-28T14:24:15.000000", "lvl": "info", "msg": "lava-dispatcher, installed at version: 2023"}\n'
    )
    return "output.yaml", (head + "".join(rows)).encode("utf-8", "replace")


def kernelci(log: bytes) -> Wrapped:
    row = {"id": "maestro:1", "status": "FAIL", "path": "boot", "log_excerpt": text(log), "start_time": "2026-11-28"}
    return document({"version": {"major": 4, "minor": 3}, "tests": [row]}, 1)


def circle(log: bytes) -> Wrapped:
    return document([{"message": text(log).replace("\n", "\r\n"), "time": "2026-11-28T14:24:16Z", "type": "out"}])


def buildkite(log: bytes) -> Wrapped:
    said = "".join(f"\x1b_bk;t=17643314{at:05}\x07{row}\r\n" for at, row in enumerate(lines(log)))
    return document({"url": "https://example.org/log", "content": said, "size": len(said)})


def robot(log: bytes) -> Wrapped:
    said = html.escape(text(log), quote=False)
    page = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<robot>\n<kw name="Dmesg">\n'
        f'<msg timestamp="20261128 14:24:16.123" level="INFO">{said}</msg>\n'
        "</kw>\n</robot>\n"
    )
    return "output.xml", page.encode()


def junit(log: bytes) -> Wrapped:
    page = (
        '<?xml version="1.0"?>\n<testsuite tests="1">\n<testcase name="boot"><failure message="oo'
        f'ps"/><system-out><![CDATA[{text(log)}]]></system-out></testcase>\n'
        "</testsuite>\n"
    )
    return "junit.xml", page.encode()


def docker(log: bytes) -> Wrapped:
    rows = (
        json.dumps({"log": row + "\r\n", "stream": "stdout", "time": f"2026-11-28T14:24:16.{at:09}Z"}) + "\n"
        for at, row in enumerate(lines(log))
    )
    return "abc-json.log", "".join(rows).encode()


def cri_in_parts(log: bytes) -> Wrapped:
    """What is longer than a buffer comes in parts, marked ``P`` but for the last."""
    out = ""
    for at, row in enumerate(lines(log)):
        parts = [row[start : start + 90] for start in range(0, len(row), 90)] or [""]
        for index, part in enumerate(parts):
            out += f"2026-11-28T14:24:16.{at:09}Z stdout {'F' if index == len(parts) - 1 else 'P'} {part}\n"
    return "0.log", out.encode()


def quoted(log: bytes) -> str:
    """As Go's YAML writes a string: folded at 80 columns, a blank at an edge kept by a backslash."""
    out, column = '"', 10
    for char in text(log):
        shown = {"\n": "\\n", '"': '\\"', "\\": "\\\\", "\t": "\\t"}.get(char, char)
        if char == " " and column >= 80 and not out.endswith((" ", "\n")):
            out += "\n    "
            column = 4
            continue
        if char == " " and out.endswith("\n    "):
            shown = "\\ "
        out += shown
        column += len(shown)
    return out + '"'


def yaml_quoted(log: bytes) -> Wrapped:
    """``kubectl get configmap -o yaml`` of a text with blanks at a line's end."""
    said = f"apiVersion: v1\ndata:\n  dmesg.txt: {quoted(log)}\nkind: ConfigMap\nmetadata:\n  name: crash-db17\n"
    return "cm.yaml", said.encode()


def yaml_block(log: bytes) -> Wrapped:
    rows = "".join(f"    {row}\n" for row in lines(log))
    return (
        "cm.yaml",
        f"apiVersion: v1\ndata:\n  dmesg.txt: |\n{rows}kind: ConfigMap\nmetadata:\n  name: crash\n".encode(),
    )


def argo(log: bytes) -> Wrapped:
    """``argo get -o yaml``: a node's outputs and its message."""
    said = f"status:\n  nodes:\n    boot-1:\n      message: {quoted(log)}\n      phase: Failed\n"
    return "wf.yaml", ("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n" + said).encode()


def kubectl_json(log: bytes) -> Wrapped:
    return document({"apiVersion": "v1", "data": {"dmesg.txt": text(log)}, "kind": "ConfigMap"}, 4)


def ansible_yaml(log: bytes) -> Wrapped:
    """The yaml callback of ansible."""
    rows = "".join(f"    {row}\n" for row in lines(log))
    said = (
        "TASK [dmesg] ****\nok: [db17] => changed=false \n  cmd: dmesg\n"
        f"  rc: 0\n  stdout: |-\n{rows}  stdout_lines: <omitted>\n"
    )
    return "a.txt", said.encode()


def ansible_lines(log: bytes) -> Wrapped:
    """``debug: var=out.stdout_lines`` as JSON in a task's output."""
    said = json.dumps({"out.stdout_lines": lines(log)}, indent=4, ensure_ascii=False)
    return "a.txt", f"TASK [debug] ****\nok: [db17] => {said}\n".encode("utf-8", "replace")


def nomad(log: bytes) -> Wrapped:
    """The frames of nomad's stream of a log, each base64."""
    rows = lines(log)
    frames = ("\n".join(rows[at : at + 9]) + "\n" for at in range(0, len(rows), 9))
    out = (
        json.dumps({"Data": base64.b64encode(frame.encode()).decode(), "File": "alloc/logs/a.stdout.0", "Offset": 1})
        + "\n"
        for frame in frames
    )
    return "a.json", "".join(out).encode()


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "github actions": actions,
    "gh run view": each("build\tRun tests\t2026-11-28T14:24:16.{at:07}Z {row}"),
    "gitlab ci": gitlab,
    "gitlab ci, stamped": each("2026-11-28T14:24:{s:02}.123456Z 00O {row}"),
    "jenkins": jenkins,
    "azure pipelines": each("2026-11-28T14:24:{s:02}.1234567Z {row}", end="\r\n"),
    "buildkite": buildkite,
    "lava": lava,
    "lava's page": each("14:24:{s:02}.{at:06}  {row}"),
    "kernelci": kernelci,
    "zuul": each("2026-11-28 14:24:{s:02}.{at:06} | node1 | {row}"),
    "circleci": circle,
    "teamcity": each("[14:24:{s:02}] :\t [Step 1/2] {row}"),
    "openqa": each("[2026-11-28T14:24:{s:02}.123456+00:00] [debug] [pid:4711] <<< {row}"),
    "avocado": each("2026-11-28 14:24:{s:02},123 process          L0653 DEBUG| [stdout] {row}"),
    "robot": robot,
    "junit": junit,
    "tap": each("# {row}"),
    "pytest": each("E       {row}"),
    "tekton": each("[step-run] {row}"),
    "kubetest": each("I1128 14:24:{s:02}.123456   12345 serial.go:45] {row}"),
    "docker's file": docker,
    "docker logs -t": each("2026-11-28T14:24:{s:02}.123456789Z {row}"),
    "docker compose": each("qemu-1  | {row}"),
    "docker service logs": each("web.1.x8cx2s9f7k@node1    | {row}"),
    "kubectl logs --prefix": each("[pod/dmesg-7d4b9/dmesg] {row}"),
    "kubectl logs --prefix --timestamps": each("[pod/dmesg-7d4b9/dmesg] 2026-11-28T14:24:{s:02}.123456789Z {row}"),
    "stern": each("dmesg-7d4b9 dmesg {row}"),
    "argo logs": each("boot-8x2vq-1234567890: {row}"),
    "aws logs tail": each("2026-11-28T14:24:{s:02}.123000+00:00 ecs/web/0f1e2d3c4b5a {row}"),
    "cri in parts": cri_in_parts,
    "yaml in quotes": yaml_quoted,
    "yaml block": yaml_block,
    "argo": argo,
    "kubectl -o json": kubectl_json,
    "ansible's yaml": ansible_yaml,
    "ansible's lines": ansible_lines,
    "nomad": nomad,
}
