//go:build unix

package postgres

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestConnector_rights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zoo(t, w)
	w.do(`CREATE SCHEMA hidden; CREATE TABLE hidden.x (a integer)`)
	reader := `reader " ` + w.name
	owner := w.user
	w.on("postgres", "CREATE ROLE "+ident(reader)+" LOGIN; GRANT CONNECT ON DATABASE "+w.name+" TO "+ident(reader))
	t.Cleanup(func() {
		w.dropAll()
		w.on("postgres", "DROP ROLE "+ident(reader))
	})
	w.user = reader
	_, err := w.c.Check(t.Context(), w.access())
	wantCode(t, err, app.CodeSourceRight, "")
	help := app.AsError(err).Args["statement"]
	_, err = w.c.Capture(t.Context(), w.access(), "")
	wantCode(t, err, app.CodeSourceRight, "")
	if app.AsError(err).Args["statement"] != help || !strings.Contains(help, `GRANT USAGE ON SCHEMA "hidden" TO "reader "" `) || !strings.Contains(help, `GRANT SELECT ON TABLE "public"."product"`) {
		t.Errorf("statement %s", help)
	}
	w.on(w.name, help) // what is said to help does
	w.do("SELECT 1")
	if _, err = w.c.Check(t.Context(), w.access()); err != nil {
		t.Error(err)
	}
	// Row security would hide rows: that is no smaller table, but an error.
	c := w.capture("")
	_, err = readAll(t, c, "20-data/customer.sql")
	wantCode(t, err, app.CodeSourceRight, "")
	if got := app.AsError(err).Args["statement"]; !strings.HasSuffix(got, "BYPASSRLS;") {
		t.Errorf("statement %q", got)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	w.on("postgres", app.AsError(err).Args["statement"]+"ALTER ROLE "+ident(reader)+" BYPASSRLS")
	c = w.capture("")
	_, err = readAll(t, c, fileObjects)
	wantCode(t, err, app.CodeSourceRight, "")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	w.user = owner
}

func TestConnector_badAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("CREATE TABLE a (x integer); GRANT SELECT ON a TO locked")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := strconv.Itoa(free.Addr().(*net.TCPAddr).Port)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	const right = `hemligt:\ord`
	ca := filepath.Join(w.dir, "ca.pem")
	other := filepath.Join(t.TempDir(), "other.pem")
	if err := certificate(filepath.Dir(other), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(filepath.Dir(other), "ca.pem"), other); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		set      map[string]string
		password string
		code     app.Code
		reason   string
	}{
		"right":            {map[string]string{fieldUser: "locked"}, right, "", ""},
		"right, by name":   {map[string]string{fieldUser: "locked", fieldHost: "localhost", fieldTLS: tlsVerify, fieldCA: ca}, right, "", ""},
		"wrong password":   {map[string]string{fieldUser: "locked"}, "fel", app.CodeSourceDenied, ""},
		"no password":      {map[string]string{fieldUser: "locked"}, "", app.CodeSourceDenied, ""},
		"unknown user":     {map[string]string{fieldUser: "nobody_at_all"}, "gissning", app.CodeSourceDenied, ""},
		"nobody there":     {map[string]string{fieldPort: nobody}, "", app.CodeSourceOffline, ""},
		"no such host":     {map[string]string{fieldHost: "kvart.invalid"}, "", app.CodeSourceOffline, ""},
		"no such socket":   {map[string]string{fieldSocket: "/nowhere/at/all"}, "", app.CodeSourceOffline, ""},
		"no such database": {map[string]string{fieldDatabase: "none"}, "", app.CodeSourceGone, ""},
		"wrong name":       {map[string]string{fieldTLS: tlsVerify, fieldCA: ca}, "", app.CodeCertificate, "wrong host"},
		"wrong authority":  {map[string]string{fieldHost: "localhost", fieldTLS: tlsVerify, fieldCA: other}, "", app.CodeCertificate, "unknown authority"},
		"no authority":     {map[string]string{fieldTLS: tlsVerify, fieldCA: "/nowhere.pem"}, "", app.CodeCertificate, "no authority"},
		"no port":          {map[string]string{fieldPort: "123456"}, "", app.CodeUsage, ""},
		"no user":          {map[string]string{fieldUser: " "}, "", app.CodeUsage, ""},
		"line break":       {nil, "a\nb", app.CodeUsage, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := w.tcp(c.set, c.password)
			_, err := w.c.Check(t.Context(), a)
			wantCode(t, err, c.code, c.reason)
			cp, err := w.c.Capture(t.Context(), a, "")
			wantCode(t, err, c.code, c.reason)
			if err == nil {
				connectortest.Collect(t, cp)
			} else if strings.Contains(err.Error(), "hemligt") || c.password != "" && strings.Contains(err.Error(), c.password) {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestConnector_noTLSWhereItIsWanted(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 8))
			_, _ = conn.Write([]byte("N")) // a server without TLS
			_ = conn.Close()
		}
	}()
	c := New(nil)
	a := app.Access{Source: app.Source{Kind: Kind, Settings: map[string]string{
		fieldHost: "127.0.0.1", fieldPort: strconv.Itoa(l.Addr().(*net.TCPAddr).Port), fieldUser: "x", fieldDatabase: "x", fieldTLS: "require",
	}}}
	_, err = c.Check(t.Context(), a)
	wantCode(t, err, app.CodeSourcePlain, "")
}

func TestConnector_serverGoesAwayInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("CREATE TABLE big AS SELECT i, repeat('x', 1000) AS x FROM generate_series(1, 20000) i")
	c := w.capture("")
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	for item, err := range c.Items {
		if err != nil {
			t.Fatal(err)
		}
		if item.Path != "20-data/big.sql" {
			continue
		}
		r, err := item.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		w.on("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+w.name+"'")
		_, err = io.Copy(io.Discard, r)
		wantCode(t, err, app.CodeSourceOffline, "")
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if c.Stats()["table.big"] != 0 {
		t.Error("a table that was not read to its end is counted")
	}
}

// TestConnector_passwordStaysHidden looks at what pg_dump gets to see.
func TestConnector_passwordStaysHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("CREATE TABLE a (x integer); GRANT SELECT ON a TO locked")
	dir := t.TempDir()
	seen := filepath.Join(dir, "seen")
	script := "#!/bin/sh\nif [ \"$1\" = --version ]; then exec " + testBin + "/pg_dump --version; fi\n(echo \"$@\"; env; stat -c %a \"$PGPASSFILE\") >> " + seen + "\nexec " + testBin + "/pg_dump \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "pg_dump"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	w.c.Folders = []string{dir}
	c, err := w.c.Capture(t.Context(), w.tcp(map[string]string{fieldUser: "locked"}, `hemligt:\ord`), "")
	if err != nil {
		t.Fatal(err)
	}
	connectortest.Collect(t, c)
	b, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "hemligt") || !strings.Contains(string(b), "\n600\n") {
		t.Errorf("seen: %s", b)
	}
	for line := range strings.Lines(string(b)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "PGPASSFILE="); ok {
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Errorf("%s is still there: %v", path, err)
			}
		}
	}
}
