package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgconn"

	"kvart/app"
	"kvart/connectors/internal/tool"
)

func TestConnector_spec(t *testing.T) {
	t.Parallel()
	spec := New(slog.New(slog.DiscardHandler)).Spec()
	set := map[string]string{"host": "db", "port": "5433", "socket": "/run", "user": "u", "database": "d", "sslmode": "verify-full", "ca_file": "/ca", "ssh_host": "h", "ssh_port": "22", "ssh_user": "s", "ssh_host_key": "k"}
	secrets := app.Secrets{"password": app.NewSecret("p"), "ssh_key": app.NewSecret("k"), "ssh_password": app.NewSecret("p")}
	if err := spec.CheckSettings(set, secrets); err != nil {
		t.Error(err)
	}
	if err := spec.CheckSettings(map[string]string{"user": "u"}, nil); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("no database: %v", err)
	}
	set["sslmode"] = "disable"
	if err := spec.CheckSettings(set, nil); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("no such choice: %v", err)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	all := []tool.Program{{Path: "/17", Version: "17.2"}, {Path: "/15", Version: "15.6"}, {Path: "/12", Version: "12.1"}}
	for _, c := range []struct {
		found  []tool.Program
		server string
		path   string
		code   app.Code
	}{
		{all, "15.9", "/15", ""},
		{all, "17.0", "/17", ""},
		{all, "16.1", "/17", ""},
		{all, "13", "/17", ""},
		{all[1:], "16.1", "", app.CodeProgramOld},
		{nil, "16.1", "", app.CodeProgramMissing},
	} {
		p, err := choose(c.found, c.server)
		if p.Path != c.path || app.CodeOf(err) != c.code {
			t.Errorf("%s: %+v, %v", c.server, p, err)
		}
		if err == nil {
			continue
		}
		args := app.AsError(err).Args
		if args["program"] != "pg_dump" || args["hint"] == "" || c.code == app.CodeProgramOld && (args["version"] != "15.6" || args["needs"] != "16") {
			t.Errorf("args %v", args)
		}
	}
}

func TestLinuxHint(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]string{
		"ID=debian\n":                         "sudo apt install postgresql-client-16",
		"ID=ubuntu\nID_LIKE=debian\n":         "sudo apt install postgresql-client-16",
		"ID=rocky\nID_LIKE=\"rhel fedora\"\n": "sudo dnf install postgresql",
		"ID=opensuse-leap\n":                  "sudo zypper install postgresql16",
		"ID=arch\n":                           "sudo pacman -S postgresql",
		"ID=alpine\n":                         "sudo apk add postgresql16-client",
		"":                                    "sudo apt install postgresql-client-16",
	} {
		if got := linuxHint([]byte(release), 16); got != want {
			t.Errorf("%q: %q", release, got)
		}
	}
}

func TestProgram_missing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	c := New(slog.New(slog.DiscardHandler))
	c.Folders = []string{t.TempDir()}
	if _, err := c.program(t.Context(), "15.1"); app.CodeOf(err) != app.CodeProgramMissing {
		t.Errorf("got %v", err)
	}
}

func TestNamer(t *testing.T) {
	t.Parallel()
	n := namer{}
	for _, c := range [][3]string{
		{"public", "sale", "20-data/sale.sql"},
		{"public", "Sale", "20-data/Sale~2.sql"},
		{"public", "SALE", "20-data/SALE~3.sql"},
		{"Lager", "sale", "20-data/sale@Lager.sql"},
		{"public", "sale@Lager", "20-data/sale%40Lager.sql"},
		{"public", "a.b", "20-data/a%2Eb.sql"},
		{"public", "../x", "20-data/%2E%2E%2Fx.sql"},
		{"public", "con", "20-data/%63on.sql"},
		{"public", "NUL", "20-data/%4EUL.sql"},
		{"public", "åäö 1", "20-data/åäö 1.sql"},
		{"public", "a\u030a", "20-data/a%CC%8A.sql"},
		{"public", "x ", "20-data/x%20.sql"},
		{"public", "br\xe5", "20-data/br%25E5.sql"},
		{"public", "a~2", "20-data/a%7E2.sql"},
		{"public", "a\nb", "20-data/a%0Ab.sql"},
	} {
		if got := n.file(c[0], c[1]); got != c[2] || !fs.ValidPath(got) {
			t.Errorf("%q.%q: got %q, want %q", c[0], c[1], got, c[2])
		}
	}
	long := n.file(strings.Repeat("å", 31), strings.Repeat("☃", 21))
	if len(long) > 255 || !fs.ValidPath(long) {
		t.Errorf("%d bytes: %q", len(long), long)
	}
}

func TestBeside(t *testing.T) {
	t.Parallel()
	if got := beside("shop", suffixNew); got != "shop_kvart_new" {
		t.Errorf("got %q", got)
	}
	long := strings.Repeat("å", 31) + "x"
	a, b := beside(long, suffixNew), beside(long[:61]+"yz", suffixNew)
	if len(a) > 63 || !strings.HasSuffix(a, suffixNew) || a == b {
		t.Errorf("got %q and %q", a, b)
	}
}

func TestQuoting(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a": "'a'", "it's": "'it''s'", `a\b'`: `E'a\\b'''`} {
		if got := literal(in); got != want {
			t.Errorf("literal %q: %s", in, got)
		}
	}
	name, rest, ok := cutIdent(ident(`a"b.c`) + `."x" (`)
	if name != `a"b.c` || rest != `."x" (` || !ok {
		t.Errorf("got %q %q", name, rest)
	}
	if _, _, ok := cutIdent(`"open`); ok {
		t.Error("an open quote was taken")
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	point := fstest.MapFS{fileInfo: {Data: []byte(`{"format":1}`)}}
	a, err1 := markOf(app.Restore{From: point})
	b, err2 := markOf(app.Restore{From: point, Paths: []string{"x"}})
	again, err3 := markOf(app.Restore{From: point})
	if err := errors.Join(err1, err2, err3); err != nil || a == b || a != again || len(a) != markLen {
		t.Errorf("%q %q %q %v", a, b, again, err)
	}
	for comment, want := range map[string][2]string{
		"": {"", ""}, "my shop": {"", "my shop"}, markWord + a + "\nmy\nshop": {a, "my\nshop"}, "kvart is fine\nx": {"", "kvart is fine\nx"},
	} {
		if m, own := cutMark(comment); m != want[0] || own != want[1] {
			t.Errorf("%q: %q %q", comment, m, own)
		}
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	l := &link{settings: settings{host: "db", port: 5433, user: "u", database: "d"}}
	state := func(code, message string) error {
		return fmt.Errorf("x: %w", &pgconn.PgError{Code: code, Message: message})
	}
	dump := func(said string) error { return &tool.ExitError{Program: "pg_dump", Code: 1, Stderr: said} }
	for _, c := range []struct {
		err    error
		code   app.Code
		reason string
	}{
		{state("3D000", ""), app.CodeSourceGone, ""},
		{state("28P01", ""), app.CodeSourceDenied, ""},
		{state("28000", `no pg_hba.conf entry for host "x", no encryption`), app.CodeSourcePlain, ""},
		{state("42501", "permission denied for table x"), app.CodeSourceRight, ""},
		{state("55P03", ""), app.CodeSourceLocked, ""},
		{state("57P01", ""), app.CodeSourceOffline, ""},
		{state("57P03", ""), app.CodeSourceOffline, ""},
		{state("53300", ""), app.CodeSourceBusy, ""},
		{state("53100", ""), app.CodeTargetFull, ""},
		{state("57014", "canceling statement due to statement timeout"), app.CodeSourceBusy, ""},
		{state("54000", "out of memory: cannot enlarge string buffer"), app.CodeSourceTooLarge, ""},
		{state("XX001", ""), app.CodeSourceDamaged, ""},
		{state("55006", ""), app.CodeTargetInUse, ""},
		{state("42P04", ""), app.CodeTargetExists, ""},
		{state("22P02", ""), app.CodeSourceUnreadable, ""},
		{dump("pg_dump: error: aborting because of server version mismatch"), app.CodeProgramOld, ""},
		{dump("ERROR: canceling statement due to lock timeout"), app.CodeSourceLocked, ""},
		{dump("ERROR: permission denied for table x"), app.CodeSourceRight, ""},
		{dump(`connection to server at "x" failed: Connection refused`), app.CodeSourceOffline, ""},
		{dump("FATAL: password authentication failed for user"), app.CodeSourceDenied, ""},
		{dump("what?"), app.CodeSourceUnreadable, ""},
		{io.ErrUnexpectedEOF, app.CodeSourceOffline, ""},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, app.CodeSourceOffline, ""},
		{context.Canceled, app.CodeCanceled, ""},
		{tool.ErrTruncated, app.CodeSourceUnreadable, ""},
		{errors.New("odd"), app.CodeInternal, ""},
	} {
		wantCode(t, l.codeOf(t.Context(), "test", c.err), c.code, c.reason)
	}
	if err := l.codeOf(t.Context(), "test", nil); err != nil {
		t.Error(err)
	}
	if got := l.where(); got != "db:5433" {
		t.Errorf("where %q", got)
	}
}

// wantCode expects an error of a code, and of a reason if one is named.
func wantCode(t *testing.T, err error, code app.Code, reason string) {
	t.Helper()
	if app.CodeOf(err) != code || reason != "" && app.AsError(err).Args["reason"] != reason {
		t.Errorf("got %q %v: %v; want %s %s", app.CodeOf(err), err, err, code, reason)
	}
}
