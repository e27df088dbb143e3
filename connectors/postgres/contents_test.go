//go:build unix

package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestSummer(t *testing.T) {
	t.Parallel()
	of := func(parts ...string) sum {
		s := newSummer()
		for _, p := range parts {
			if _, err := s.Write([]byte(p)); err != nil {
				t.Fatal(err)
			}
		}
		return s.sum
	}
	one := of("1\ta\n2\tb\n2\tb\n")
	if of("2\tb\n", "1", "\t", "a\n2\tb", "\n") != one {
		t.Error("another order or other pieces make another sum")
	}
	for _, other := range []string{"1\ta\n2\tb\n", "1\ta\n2\tb\n2\tc\n", "1\ta2\tb\n2\tb\n", ""} {
		if of(other) == one {
			t.Errorf("%q has the same sum", other)
		}
	}
}

// A rehearsal finds a value that is not what it was, although every count is
// right, and takes no time zone for one.
func TestConnector_rehearseComparesValues(t *testing.T) {
	w := newWorld(t)
	shop(w)
	w.do("CREATE TABLE sold (id integer, at timestamptz, wall timestamp, f float8, j jsonb, b bytea); " +
		"INSERT INTO sold SELECT i, to_timestamp(1700000000 + i * 1e6), '2024-03-31 02:30', i / 3.0, '{\"a\": [1, 2]}', '\\x00ff' FROM generate_series(1, 50) i; ALTER DATABASE " + w.name + " SET timezone = 'Asia/Tokyo'")
	point, stats, _ := w.point()
	w.do("ALTER DATABASE " + w.name + " SET timezone = 'America/St_Johns'")
	contents := func() app.Check {
		t.Helper()
		checks, err := w.c.Rehearse(t.Context(), w.restore(point, stats), t.TempDir(), connectortest.Silent{})
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(checks, func(c app.Check) bool { return c.Code == checkContents })
		if at < 0 {
			t.Fatalf("values were not compared: %+v", checks)
		}
		return checks[at]
	}
	if got := contents(); !got.OK || !strings.HasPrefix(got.Detail, "3 tables") {
		t.Errorf("%+v", got)
	}
	file := filepath.Join(point, fileAfter)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// What comes after the rows changes one of them, as a defect would.
	if err := os.WriteFile(file, append([]byte("UPDATE public.sold SET f = 0.1 WHERE id = 7;\n"), b...), 0o600); err != nil {
		t.Fatal(err)
	}
	got := contents()
	if got.OK || !strings.Contains(got.Detail, "sold") {
		t.Errorf("%+v", got)
	}
	if got, want := connectortest.Seen(t, []app.Check{got}), "contents: tables_differ 1 sold"; got != want {
		t.Errorf("the owner is told %q, want %q", got, want)
	}
}

func TestTempError(t *testing.T) {
	t.Parallel()
	full := &os.PathError{Op: "write", Path: "/tmp/x", Err: syscall.ENOSPC}
	if e := app.AsError(tempError("/tmp", full)); e.Code != app.CodeTempFull || e.Args["path"] != "/tmp" || !errors.Is(e, syscall.ENOSPC) {
		t.Errorf("%+v", e)
	}
	if e := app.AsError(tempError("/tmp", &os.PathError{Op: "write", Path: "/tmp/x", Err: syscall.EACCES})); e.Code == app.CodeTempFull {
		t.Errorf("%+v", e)
	}
}
