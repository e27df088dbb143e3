package webhotel

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
	"kvart/connectors/internal/exclude"
)

func TestConnector_FTPS(t *testing.T) {
	t.Parallel()
	for name, habits := range map[string]func(*ftpPeer){
		"explicit TLS, exact listings":       nil,
		"the session's TLS goes on":          func(s *ftpPeer) { s.reuse = true },
		"with the older TLS":                 func(s *ftpPeer) { s.reuse = true; s.tls.MaxVersion = tls.VersionTLS12 },
		"implicit TLS":                       func(s *ftpPeer) { s.implicit = true },
		"listings in minutes, in Stockholm":  func(s *ftpPeer) { s.mlsd, s.zone = false, 2*time.Hour },
		"one connection":                     func(s *ftpPeer) { s.most = 1 },
		"listings in minutes, without times": func(s *ftpPeer) { s.mlsd, s.noTimes = false, true },
		"plain":                              func(s *ftpPeer) { s.plain = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "listings in minutes, without times" {
				dir := t.TempDir()
				shopSite(t, filepath.Join(dir, "site"), false)
				_, a := serveFTP(t, dir, habits)
				withoutTimes(t, quick(t, &fakeDB{}), a, filepath.Join(dir, "site"))
				return
			}
			see := content
			if strings.HasPrefix(name, "listings in minutes") {
				see = timeless
			}
			// Links are of the servers that can make them.
			rounds(t, func(t *testing.T, dir string) app.Access {
				_, a := serveFTP(t, dir, habits)
				return a
			}, false, see)
		})
	}
}

// timeless is content without times.
func timeless(t *testing.T, dir string) string {
	t.Helper()
	return regexp.MustCompile(`(?m)( [0-9]+) [0-9]+ ([0-9a-f]{16})$`).ReplaceAllString(content(t, dir), "$1 $2")
}

// A server that keeps no times: what is there is compared by its bytes.
func withoutTimes(t *testing.T, c *Connector, a app.Access, site string) {
	t.Helper()
	got, stats, _ := point(t, c, a)
	put1(t, filepath.Join(site, "index.php"), "<?php // evil", past)
	put1(t, filepath.Join(site, "wp-content/uploads/tom"), "full", past)
	r := app.Restore{Access: a, From: os.DirFS(got), Stats: stats}
	restore(t, c, r)
	if b, err := os.ReadFile(filepath.Join(site, "index.php")); err != nil || string(b) != "<?php // shop" {
		t.Errorf("%q, %v", b, err)
	}
	before, err := os.Stat(filepath.Join(site, "index.php"))
	if err != nil {
		t.Fatal(err)
	}
	restore(t, c, r)
	if after, err := os.Stat(filepath.Join(site, "index.php")); err != nil || !os.SameFile(before, after) {
		t.Error("a file that was the same was written again")
	}
}

func TestConnector_FTPS_refuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, filepath.Join(dir, "site"), false)
	s, good := serveFTP(t, dir, nil)
	_, plain := serveFTP(t, dir, func(s *ftpPeer) { s.plain = true })
	c := quick(t, &fakeDB{})
	check := func(a app.Access, set ...string) error {
		b := app.Access{Source: a.Source, Secrets: app.Secrets{fieldPassword: a.Secrets[fieldPassword]}}
		b.Source.Settings = map[string]string{}
		for k, v := range a.Source.Settings {
			b.Source.Settings[k] = v
		}
		for i := 0; i < len(set); i += 2 {
			b.Source.Settings[set[i]] = set[i+1]
		}
		_, err := c.Check(t.Context(), b)
		return err
	}
	wantCode(t, check(good), "")
	wantCode(t, check(good, fieldUser, "nobody"), app.CodeSourceDenied)
	wantCode(t, check(good, fieldPort, "1"), app.CodeSourceOffline)
	wantCode(t, check(good, fieldPath, "/nowhere"), app.CodeSourceGone)
	wantCode(t, check(plain, fieldProtocol, protoFTPS), app.CodeSourcePlain)
	wantCode(t, check(plain, fieldPlain, "false"), app.CodeSourcePlain)
	err := check(good, fieldCA, "")
	wantCode(t, err, app.CodeCertificate)
	e := app.AsError(err)
	if e.Args["reason"] != "unknown" || len(e.Args["fingerprint"]) != 64 {
		t.Errorf("args %v", e.Args)
	}
	wantCode(t, check(good, fieldCA, "", fieldCertificate, strings.ToUpper(e.Args["fingerprint"])), "")
	wantCode(t, check(good, fieldCertificate, strings.Repeat("ab", 32)), app.CodeCertificate)
	wantCode(t, check(good, fieldHost, "localhost"), app.CodeCertificate)
	if s.retrs.Load() == 0 {
		t.Error("the site's configuration was not read")
	}
}

// Fewer connections than wanted, and a server that wants to be left alone for a
// while, are waited out; one that always does is told.
func TestConnector_FTPS_busy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, filepath.Join(dir, "site"), false)
	for i := range int64(60) { // enough to do for more connections than there may be
		put1(t, filepath.Join(dir, "site", "goods", itoa(i), "a.jpg"), "bild", past)
	}
	s, a := serveFTP(t, dir, func(s *ftpPeer) { s.most = 2; s.busy.Store(2) })
	c := quick(t, &fakeDB{})
	got, _, _ := point(t, c, a)
	if want := content(t, filepath.Join(dir, "site")); content(t, filepath.Join(got, filesDir)) != want {
		t.Error("not all was captured")
	}
	if s.refused.Load() == 0 {
		t.Error("the server never was asked for more than it has")
	}
	s.busy.Store(1000)
	_, err := c.Capture(t.Context(), a, "")
	wantCode(t, err, app.CodeSourceBusy)
	_, full := serveFTP(t, dir, func(s *ftpPeer) { s.most = 0 })
	_, err = c.Capture(t.Context(), full, "")
	wantCode(t, err, app.CodeSourceBusy)
	if e := app.AsError(err); e.Args["where"] == "" {
		t.Errorf("args %v", e.Args)
	}
}

func TestConnector_FTPS_resumes(t *testing.T) {
	t.Parallel()
	for _, noREST := range []bool{false, true} {
		dir := t.TempDir()
		big := strings.Repeat("0123456789abcdef", 1<<15)
		put1(t, filepath.Join(dir, "site", "big.bin"), big, past)
		s, a := serveFTP(t, dir, func(s *ftpPeer) { s.noREST = noREST })
		s.cutAfter = 200 << 10
		s.cuts.Store(2)
		got, _, _ := point(t, quick(t, &fakeDB{}), a)
		if b, err := os.ReadFile(filepath.Join(got, filesDir, "big.bin")); err != nil || string(b) != big {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		if s.retrs.Load() != 3 {
			t.Errorf("%d transfers", s.retrs.Load())
		}
	}
}

// A line nobody understands is told and not dropped: else the file would count
// as deleted.
func TestConnector_FTPS_strange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put1(t, filepath.Join(dir, "site", "a.php"), "a", past)
	_, a := serveFTP(t, dir, func(s *ftpPeer) { s.lines = []string{"what/is this"} })
	cp := capture1(t, quick(t, &fakeDB{}), a, "")
	_, problems := connectortest.Collect(t, cp)
	wantCode(t, problems[filesDir+"/what_is this"], app.CodeItemUnreadable)
	// A folder that contains itself, as it looks where links are hidden.
	if err := os.Symlink(".", filepath.Join(dir, "site", "runt")); err != nil {
		t.Fatal(err)
	}
	_, a = serveFTP(t, dir, func(s *ftpPeer) { s.hidden = true })
	cp = capture1(t, quick(t, &fakeDB{}), a, "")
	_, problems = connectortest.Collect(t, cp)
	wantCode(t, problems[filesDir+"/runt/runt"], app.CodeItemUnreadable)
	if len(problems) != 1 {
		t.Errorf("problems %v", problems)
	}
}

func TestReadListing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 10, 12, 0, 0, 0, time.UTC)
	for line, want := range map[string]string{
		"-rw-r--r--    1 1000     1000         1234 Feb 09 10:11  two spaces": "file 1234 2026-02-09T10:11:00Z -rw-r--r-- | two spaces|",
		"-rw-r--r--+ 1 shop grp 12 Dec 31 23:59 new year.txt":                 "file 12 2025-12-31T23:59:00Z -rw-r--r-- |new year.txt|",
		"-rwsr-x--x 1 shop 99 Mar  9 2024 a":                                  "file 99 2024-03-09T00:00:00Z -rwxr-x--x |a|",
		"lrwxrwxrwx 1 0 0 7 Feb  1 00:00 a -> ../b c":                         "link 0 2026-02-01T00:00:00Z Lrwxrwxrwx |a|../b c",
		"drwxr-xr-x 2 shop shop 4096 Feb 10 13:00 .well-known":                "dir 0 2026-02-10T13:00:00Z drwxr-xr-x |.well-known|",
		"02-09-26  10:11AM       <DIR>          wwwroot":                      "dir 0 2026-02-09T10:11:00Z drwxr-xr-x |wwwroot|",
		"02-09-2026  10:11PM               4711 köp.txt":                      "file 4711 2026-02-09T22:11:00Z -rw-r--r-- |köp.txt|",
		"-rw-r--r-- 1 a b 1 Feb 30 10:11 no such day":                         "unreadable",
		"-rw-r--r-- 1 a b x Feb 3 10:11 no size":                              "unreadable",
		"?":                                                                   "unreadable",
	} {
		l := readListing([]byte(line+"\r\n"), false, now)
		check(t, line, l, want)
	}
	for line, want := range map[string]string{
		"type=file;size=12;modify=20260209101112.123;UNIX.mode=0600; a b": "file 12 2026-02-09T10:11:12Z -rw------- |a b|",
		"Type=dir;Modify=20260209101112; köp":                             "dir 0 2026-02-09T10:11:12Z drwxr-xr-x |köp|",
		"type=OS.unix=slink:/x y;modify=20260209101112; a":                "link 0 2026-02-09T10:11:12Z Lrwxrwxrwx |a|/x y",
		"type=file;modify=yesterday; a":                                   "unreadable",
		"size=1; a":                                                       "unreadable",
		"type=OS.unix=slink;modify=20260209101112; a":                     "unreadable",
		"type=file;size=1;modify=20260209101112; ../a":                    "unreadable",
	} {
		check(t, line, readListing([]byte(line+"\n"), true, now), want)
	}
	if l := readListing([]byte("total 12\ndrwxr-xr-x 2 a b 1 Feb 1 00:00 .\ndrwxr-xr-x 2 a b 1 Feb 1 00:00 ..\n"), false, now); !l.self || len(l.list) != 0 {
		t.Errorf("%+v", l)
	}
}

func check(t *testing.T, line string, l listing, want string) {
	t.Helper()
	if len(l.list) != 1 {
		t.Errorf("%q: %d entries", line, len(l.list))
		return
	}
	e := l.list[0]
	kind := "file"
	switch {
	case e.err != nil:
		if want != "unreadable" || !isName(e.path) {
			t.Errorf("%q: %v", line, e.err)
		}
		return
	case e.mode.IsDir():
		kind = "dir"
	case e.link != "":
		kind = "link"
	}
	got := strings.Join([]string{kind, itoa(e.size), e.mtime.Truncate(time.Second).Format(time.RFC3339), e.mode.String(), "|" + e.path + "|" + e.link}, " ")
	if got != want {
		t.Errorf("%q:\ngot  %s\nwant %s", line, got, want)
	}
}

// What was written lately is read again: on a server that tells minutes within
// the minute, and where nobody knows its time zone within a day and more.
func TestEntry_unsettled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ages := map[string]time.Duration{"now": 0, "hour": time.Hour, "day": 25 * time.Hour, "old": 30 * time.Hour}
	for name, age := range ages {
		put1(t, filepath.Join(dir, "site", name), name, time.Now().Add(-age))
	}
	for name, tt := range map[string]struct {
		habits func(*ftpPeer)
		want   []string
	}{
		"seconds":      {nil, []string{"now"}},
		"minutes":      {func(s *ftpPeer) { s.mlsd, s.zone = false, 5*time.Hour }, []string{"now"}},
		"unknown zone": {func(s *ftpPeer) { s.mlsd, s.noTimes = false, true }, []string{"day", "hour", "now"}},
	} {
		_, a := serveFTP(t, dir, tt.habits)
		c := quick(t, &fakeDB{})
		var got []string
		o, err := c.open(a)
		if err != nil {
			t.Fatal(err)
		}
		list, _, err := walk(t.Context(), o.pool, exclude.Own(newPrefix), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if e.unsettled(time.Now()) {
				got = append(got, e.path)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
		if err := o.pool.Close(); err != nil {
			t.Error(err)
		}
	}
}
