package agent

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// fakeDatabase is a connector that rehearses by itself, and whose sources may
// hold a part that nobody can read any more.
type fakeDatabase struct {
	*fakeShop
	damaged  app.Code // of the part that can't be read; "" for none
	rehearse func(r app.Restore, tmp string) ([]app.Check, error)
}

var _ app.Rehearser = (*fakeDatabase)(nil)

func (f *fakeDatabase) Spec() app.KindSpec {
	spec := f.fakeShop.Spec()
	spec.Kind = "database"
	return spec
}

func (f *fakeDatabase) Rehearse(_ context.Context, r app.Restore, tmp string, _ app.Progress) ([]app.Check, error) {
	return f.rehearse(r, tmp)
}

func (f *fakeDatabase) Present(ctx context.Context, a app.Access) (*app.Capture, error) {
	c, err := f.fakeShop.Present(ctx, a)
	if err != nil || f.damaged == "" {
		return c, err
	}
	whole := c.Items
	c.Items = func(yield func(app.Item, error) bool) {
		whole(yield)
		yield(app.Item{Path: "zz-crashed", Size: -1, ModTime: time.Unix(1, 0), Mode: 0o600, Optional: true, Open: func(context.Context) (io.ReadCloser, error) {
			return nil, app.Errorf(f.damaged, "open", "marked as crashed")
		}}, nil)
	}
	return c, nil
}

type kindsWithDatabase struct {
	kinds
	database *fakeDatabase
}

func (k kindsWithDatabase) Connector(kind app.Kind) (app.Connector, error) {
	if kind == "database" {
		return k.database, nil
	}
	return k.kinds.Connector(kind)
}

// newDatabaseTest returns an agent with a third source, "Databasen", that was
// backed up.
func newDatabaseTest(t *testing.T) (*shopTest, *fakeDatabase) {
	t.Helper()
	s := newShopTest(t)
	f := &fakeDatabase{fakeShop: s.shop}
	s.Connectors = kindsWithDatabase{kinds{s.shop}, f}
	s.shop.set("db", "d1")
	if _, err := s.AddSource(t.Context(), app.AddSourceRequest{Kind: "database", Name: "Databasen", Settings: map[string]string{"path": "db"}}); err != nil {
		t.Fatal(err)
	}
	s.backup()
	return s, f
}

func TestDrill_rehearsesWhereTheConnectorCan(t *testing.T) {
	t.Parallel()
	s, f := newDatabaseTest(t)
	var seen string
	f.rehearse = func(r app.Restore, tmp string) ([]app.Check, error) {
		b, err := fs.ReadFile(r.From, "text")
		seen = string(b)
		if r.Target != (app.Target{}) || r.Access.Source.Name != "Databasen" || r.Stats["bytes"] != 2 {
			t.Errorf("rehearses %+v", r)
		}
		return []app.Check{{Code: "rehearsed", OK: true, Detail: tmp}, {Code: "rows", OK: true}}, errors.Join(err, os.WriteFile(filepath.Join(tmp, "left"), nil, 0o600))
	}
	j := s.job(s.StartDrill(t.Context(), []string{"Databasen"}))
	if j.State != app.JobDone || len(j.Drills) != 1 || !j.Drills[0].OK || len(j.Drills[0].Checks) != 2 || j.Drills[0].Checks[0].Source != "Databasen" || seen != "d1" {
		t.Fatalf("job %+v, saw %q", j, seen)
	}
	if _, err := os.Stat(j.Drills[0].Checks[0].Detail); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the drill's folder is left behind: %v", err)
	}
	s.wantText("db", "d1")

	for name, fail := range map[string]struct {
		checks []app.Check
		err    error
		code   app.Code
	}{
		"a check":  {[]app.Check{{Code: "rehearsed", OK: true}, {Code: "rows", Detail: "1 row, 2 expected"}}, nil, app.CodeCheckFailed},
		"an error": {nil, app.Errorf(app.CodeProgramMissing, "rehearse", "no server"), app.CodeProgramMissing},
		"nothing":  {nil, nil, app.CodeCheckFailed},
	} {
		f.rehearse = func(app.Restore, string) ([]app.Check, error) { return fail.checks, fail.err }
		j := s.job(s.StartDrill(t.Context(), []string{"Databasen"}))
		if len(j.Drills) != 1 || j.Drills[0].OK || codeOf(j.Drills[0].Error) != fail.code {
			t.Errorf("%s: a drill that proves nothing passes: %+v", name, j.Drills)
		}
	}
}

// What is damaged beyond reading must not keep its owner from restoring; what
// only can't be read now must.
func TestRestore_overWhatIsDamaged(t *testing.T) {
	t.Parallel()
	s, f := newDatabaseTest(t)
	s.shop.set("db", "wrecked")
	f.damaged = app.CodeItemUnreadable
	j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Databasen"}}))
	if j.State != app.JobFailed || app.CodeOf(j.Error) != app.CodeSourceUnreadable {
		t.Fatalf("job %s, %v", j.State, j.Error)
	}
	s.wantText("db", "wrecked")
	f.damaged = app.CodeSourceDamaged
	j = s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Databasen"}}))
	if j.State != app.JobDone {
		t.Fatalf("job %s, %v", j.State, j.Error)
	}
	s.wantText("db", "d1")
	if !slices.ContainsFunc(j.Restore.Checks, func(c app.Check) bool {
		return c.Code == checkKept && c.OK && c.Source == "Databasen" && strings.Contains(c.Detail, "zz-crashed") &&
			len(c.Seen) == 1 && c.Seen[0].Code == app.SeenLost && c.Seen[0].Count == 1 && strings.Contains(c.Seen[0].Names[0], "zz-crashed")
	}) {
		t.Errorf("the record does not say what is gone: %+v", j.Restore.Checks)
	}
	f.damaged = ""
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo: %v", j.Error)
	}
	s.wantText("db", "wrecked")
}
