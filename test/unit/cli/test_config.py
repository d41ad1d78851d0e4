"""`flinkop config check`."""

import pytest

from flinkop.cli.main import main


def check(path, capsys):
    """Run the command; return its exit code, output and complaints."""
    with pytest.raises(SystemExit) as ended:
        main(["config", "check", str(path)])
    out, err = capsys.readouterr()
    return ended.value.code, out.splitlines(), err.splitlines()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("flink-conf.yaml", "kubernetes.operator.reconcile.intervals: 3 s\n"),
        ("any.yaml", "kubernetes.operator: {reconcile: {intervals: 3 s}}\n"),
    ],
)
def test_warnings_do_not_fail(tmp_path, capsys, name, text):
    """In both formats; the last line sums up."""
    path = tmp_path / name
    path.write_text(text)
    code, out, _ = check(path, capsys)
    assert code == 0
    assert out[0].startswith("warning: kubernetes.operator.reconcile.intervals is not known")
    assert out[1] == f"{path}: 1 options, 0 errors"


def test_errors_fail(tmp_path, capsys):
    """A directory is checked as the operator reads it; skipped lines are told."""
    (tmp_path / "flink-conf.yaml").write_text(
        "no colon\nkubernetes.operator.retry.max.attempts: many\n"
    )
    code, out, _ = check(tmp_path, capsys)
    assert code == 1
    assert out[0].startswith("warning: ")
    assert out[1].startswith("error: Could not parse value 'many'")


def test_what_cannot_be_read_fails(tmp_path, capsys):
    """With the line."""
    path = tmp_path / "config.yaml"
    path.write_text("a: [\n")
    code, out, err = check(path, capsys)
    assert (code, out) == (1, [])
    assert "config.yaml, line" in err[0]


def test_version(capsys):
    """The version goes to standard output."""
    with pytest.raises(SystemExit) as ended:
        main(["version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("flinkop ")
