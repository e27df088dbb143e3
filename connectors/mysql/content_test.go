package mysql

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// content describes a database: every table's checksum and definition, and all
// that is defined beside, as the server has it.
func (s *server) content(t *testing.T, db string) string {
	t.Helper()
	conn, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	one := &session{cfg: config{database: db}, conn: conn, maria: true, version: "10.11"}
	ctx := context.WithoutCancel(t.Context())
	for _, q := range []string{"SET NAMES utf8mb4", "SET SESSION sql_mode = ''"} {
		if err := one.exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	cs, co, ok, err := one.exists(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return "none"
	}
	var b strings.Builder
	fmt.Fprintln(&b, cs, co)
	v, err := one.survey(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, tb := range v.tables {
		if tb.view() {
			continue
		}
		for _, q := range []string{"SHOW CREATE TABLE ", "CHECKSUM TABLE "} {
			if tb.sequence && strings.HasPrefix(q, "CHECKSUM") {
				continue
			}
			rows, err := one.rows(ctx, q+quote(db)+"."+quote(tb.name))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&b, tb.name, tb.kind, rows[0].str("create table"), rows[0].str("checksum"))
		}
	}
	for _, d := range v.defs {
		fmt.Fprintf(&b, "%#v\n", d)
	}
	return strings.ReplaceAll(b.String(), "`"+db+"`.", "`«db»`.")
}

// same compares two descriptions line by line.
func same(t *testing.T, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, z string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			z = w[i]
		}
		if a != z {
			t.Errorf("line %d:\n got %s\nwant %s", i, a, z)
		}
	}
}

// text reads all files of a point in the order of their names.
func text(t *testing.T, from fs.FS) string {
	t.Helper()
	var names []string
	err := fs.WalkDir(from, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, n := range names {
		data, err := fs.ReadFile(from, n)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	return b.String()
}
