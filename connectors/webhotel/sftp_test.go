package webhotel

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// rounds are what every kind of server has to stand.
//
// see describes a folder as exactly as the server tells about it.
func rounds(t *testing.T, serve func(t *testing.T, dir string) app.Access, links bool, see func(*testing.T, string) string) {
	t.Run("what is captured comes back", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		site := filepath.Join(dir, "site")
		shopSite(t, site, links)
		c, a := quick(t, &fakeDB{}), serve(t, dir)
		roundTrip(t, c, a, site, see)
	})
	t.Run("idle when nothing moved and not when something did", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		site := filepath.Join(dir, "site")
		shopSite(t, site, links)
		c, a := quick(t, &fakeDB{}), serve(t, dir)
		markers(t, c, a, site)
	})
	t.Run("a restore can be taken back", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		site := filepath.Join(dir, "site")
		shopSite(t, site, links)
		undo(t, quick(t, &fakeDB{}), serve(t, dir), site, see)
	})
}

func roundTrip(t *testing.T, c *Connector, a app.Access, site string, see func(*testing.T, string) string) {
	t.Helper()
	if _, err := c.Check(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	want := see(t, site)
	dir, stats, _ := point(t, c, a)
	if got := see(t, filepath.Join(dir, filesDir)); got != want {
		t.Errorf("captured:\n%s\nwant:\n%s", got, want)
	}
	if _, err := os.Stat(filepath.Join(dir, filesDir, "wp-content", "cache")); !os.IsNotExist(err) {
		t.Error("the cache was captured")
	}
	r := app.Restore{Access: a, From: os.DirFS(dir), Stats: stats}
	// An intruder gives his file the old size and time.
	put1(t, filepath.Join(site, "index.php"), "<?php // evil", past)
	put1(t, filepath.Join(site, "wp-content/uploads/tom"), "full", time.Now())
	put1(t, filepath.Join(site, tempName("killed")), "half", time.Now())
	if err := errors.Join(os.RemoveAll(filepath.Join(site, "wp-content/plugins")), os.Remove(filepath.Join(site, ".htaccess"))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		restore(t, c, r)
		if got := see(t, site); got != want {
			t.Errorf("restored:\n%s\nwant:\n%s", got, want)
		}
	}
	other := filepath.Join(t.TempDir(), "new", "place")
	r.Target.Dir = other
	for range 2 {
		restore(t, c, r)
		if got := see(t, filepath.Join(other, filesDir)); got != want {
			t.Errorf("elsewhere:\n%s\nwant:\n%s", got, want)
		}
	}
	put1(t, filepath.Join(other, filesDir, "index.php"), "mine", time.Now())
	plan, err := c.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) == 0 || plan.Blockers[0].Code != app.CodeTargetExists {
		t.Errorf("plan over somebody's file: %v, %v", plan.Blockers, err)
	}
	wantCode(t, c.Apply(t.Context(), r, connectortest.Silent{}), app.CodeTargetExists)
	r.Target.Dir = ""
	if err := os.RemoveAll(site); err != nil {
		t.Fatal(err)
	}
	wantCode(t, func() error { _, err := c.Check(t.Context(), a); return err }(), app.CodeSourceGone)
	restore(t, c, r)
	if got := see(t, site); got != want {
		t.Errorf("made again:\n%s\nwant:\n%s", got, want)
	}
	checks, err := c.Rehearse(t.Context(), app.Restore{Access: a, From: os.DirFS(dir), Stats: stats}, t.TempDir(), connectortest.Silent{})
	if err != nil || len(checks) < 2 {
		t.Errorf("rehearse: %v, %v", checks, err)
	}
	for _, ch := range checks {
		if !ch.OK {
			t.Errorf("rehearsal: %+v", ch)
		}
	}
}

func markers(t *testing.T, c *Connector, a app.Access, site string) {
	t.Helper()
	_, _, next := point(t, c, a)
	cp := capture1(t, c, a, next)
	if !cp.Idle || cp.Items != nil || cp.Next != "" {
		t.Fatalf("not idle: %q, then %q", next, cp.Next)
	}
	if err := errors.Join(cp.Close(), cp.Close()); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func() error{
		"size":    func() error { put1(t, filepath.Join(site, "index.php"), "longer than before", past); return nil },
		"time":    func() error { return os.Chtimes(filepath.Join(site, "wp-load.php"), past, past.Add(-48*time.Hour)) },
		"mode":    func() error { return os.Chmod(filepath.Join(site, ".htaccess"), 0o600) },
		"new":     func() error { put1(t, filepath.Join(site, "wp-content", "new.php"), "x", past); return nil },
		"removed": func() error { return os.Remove(filepath.Join(site, "wp-content/uploads/tom")) },
	} {
		_, _, next := point(t, c, a)
		if err := change(); err != nil {
			t.Fatal(err)
		}
		cp := capture1(t, c, a, next)
		if cp.Idle {
			t.Errorf("idle after %s changed", name)
		}
		if err := cp.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := os.RemoveAll(site); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(site, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := c.Capture(t.Context(), a, next)
	wantCode(t, err, app.CodeSourceEmpty)
}

// present collects a safety point.
func present(t *testing.T, c *Connector, a app.Access) string {
	t.Helper()
	cp, err := c.Present(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	dir, problems := connectortest.Collect(t, cp)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return dir
}

// created lists what a restore of point over safety makes.
func created(t *testing.T, point, safety string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(point, func(p string, _ os.DirEntry, err error) error {
		if err != nil || p == point {
			return err
		}
		rel, err := filepath.Rel(point, p)
		if _, statErr := os.Lstat(filepath.Join(safety, rel)); os.IsNotExist(statErr) {
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func undo(t *testing.T, c *Connector, a app.Access, site string, see func(*testing.T, string) string) {
	t.Helper()
	dir, stats, _ := point(t, c, a)
	put1(t, filepath.Join(site, "index.php"), "<?php // new theme", past.Add(time.Hour))
	put1(t, filepath.Join(site, "wp-content/new/file.php"), "new", past)
	if err := os.RemoveAll(filepath.Join(site, "wp-content/plugins")); err != nil {
		t.Fatal(err)
	}
	want := see(t, site)
	safety := present(t, c, a)
	restore(t, c, app.Restore{Access: a, From: os.DirFS(dir), Stats: stats})
	for range 2 {
		restore(t, c, app.Restore{Access: a, From: os.DirFS(safety), Raw: true, Remove: created(t, dir, safety)})
		if got := see(t, site); got != want {
			t.Errorf("taken back:\n%s\nwant:\n%s", got, want)
		}
	}
	if err := os.RemoveAll(site); err != nil {
		t.Fatal(err)
	}
	safety = present(t, c, a)
	restore(t, c, app.Restore{Access: a, From: os.DirFS(dir), Stats: stats})
	for range 2 {
		restore(t, c, app.Restore{Access: a, From: os.DirFS(safety), Raw: true, Remove: created(t, dir, safety)})
		if _, err := os.Lstat(site); !os.IsNotExist(err) {
			t.Errorf("something is still there: %v", err)
		}
	}
}

func TestConnector_SFTP(t *testing.T) {
	t.Parallel()
	rounds(t, func(t *testing.T, dir string) app.Access { return serveSFTP(t).site(t, filepath.Join(dir, "site")) }, true, content)
}

func TestConnector_SFTP_refuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, false)
	s := serveSFTP(t)
	c := quick(t, &fakeDB{})
	check := func(change func(a app.Access)) error {
		a := s.site(t, dir)
		change(a)
		_, err := c.Check(t.Context(), a)
		return err
	}
	wantCode(t, check(func(a app.Access) { a.Secrets[fieldPassword] = app.NewSecret("wrong") }), app.CodeSourceDenied)
	wantCode(t, check(func(a app.Access) { a.Source.Settings[fieldPort] = "1" }), app.CodeSourceOffline)
	wantCode(t, check(func(a app.Access) { delete(a.Secrets, fieldPassword) }), app.CodeUsage)
	wantCode(t, check(func(a app.Access) { a.Source.Settings[fieldProtocol] = "http" }), app.CodeUsage)
	err := check(func(a app.Access) { delete(a.Source.Settings, fieldHostKey) })
	wantCode(t, err, app.CodeHostKeyUnknown)
	if e := app.AsError(err); e.Args["host_key"] != s.hostKey() || !strings.HasPrefix(e.Args["fingerprint"], "SHA256:") {
		t.Errorf("args %v", e.Args)
	}
	if s.logins.Load() != 0 {
		t.Error("a password went to a server nobody had confirmed")
	}
	old := serveSFTP(t)
	wantCode(t, check(func(a app.Access) { a.Source.Settings[fieldHostKey] = old.hostKey() }), app.CodeHostKeyChanged)
}

// A connection that is cut in the middle of a file costs nothing but a new one.
func TestConnector_SFTP_resumes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	big := strings.Repeat("0123456789abcdef", 1<<17)
	put1(t, filepath.Join(dir, "big.bin"), big, past)
	s := serveSFTP(t)
	s.cutAfter.Store(700 << 10)
	s.cuts.Store(2)
	got, _, _ := point(t, quick(t, &fakeDB{}), s.site(t, dir))
	if b, err := os.ReadFile(filepath.Join(got, filesDir, "big.bin")); err != nil || string(b) != big {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if s.logins.Load() != 3 {
		t.Errorf("%d logins", s.logins.Load())
	}
	s.cutAfter.Store(100 << 10)
	s.cuts.Store(100)
	cp := capture1(t, quick(t, &fakeDB{}), s.site(t, dir), "")
	_, problems := connectortest.Collect(t, cp)
	wantCode(t, problems[filesDir+"/big.bin"], app.CodeSourceOffline)
}

func TestConnector_SFTP_unreadable(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("KVART-SKIP root: root may read everything")
	}
	dir := t.TempDir()
	shopSite(t, dir, false)
	closed := filepath.Join(dir, "wp-content", "uploads")
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(closed, 0o755) }()
	cp := capture1(t, quick(t, &fakeDB{}), serveSFTP(t).site(t, dir), "")
	_, problems := connectortest.Collect(t, cp)
	wantCode(t, problems[filesDir+"/wp-content/uploads"], app.CodeItemUnreadable)
}

// What changes or goes while a site is read is told, and kept as far as it is.
func TestConnector_SFTP_moving(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, false)
	c, a := quick(t, &fakeDB{}), serveSFTP(t).site(t, dir)
	cp := capture1(t, c, a, "")
	if err := os.Remove(filepath.Join(dir, "wp-content/uploads/tom")); err != nil {
		t.Fatal(err)
	}
	put1(t, filepath.Join(dir, "index.php"), "<?php // another length", time.Now())
	_, problems := connectortest.Collect(t, cp)
	wantCode(t, problems[filesDir+"/wp-content/uploads/tom"], app.CodeItemVanished)
	wantCode(t, problems[filesDir+"/index.php"], app.CodeItemChanged)
	if len(problems) != 2 {
		t.Errorf("problems %v", problems)
	}
}

// A file written a moment ago could be written again within the same second: the
// next capture has to read it again.
func TestConnector_SFTP_unsettled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now().Truncate(time.Second)
	put1(t, filepath.Join(dir, "old.php"), "old", past)
	put1(t, filepath.Join(dir, "new.php"), "new", now)
	c, a := quick(t, &fakeDB{}), serveSFTP(t).site(t, dir)
	first := capture1(t, c, a, "")
	again := capture1(t, c, a, first.Next)
	if again.Idle {
		t.Fatal("idle, with a file that can still change")
	}
	one, two := times(t, first), times(t, again)
	if one["files/old.php"] != two["files/old.php"] {
		t.Error("a settled file has two times")
	}
	if one["files/new.php"].Equal(two["files/new.php"]) || !one["files/new.php"].Truncate(time.Second).Equal(now) {
		t.Errorf("times %v and %v of a file written at %v", one["files/new.php"], two["files/new.php"], now)
	}
}

func times(t *testing.T, cp *app.Capture) map[string]time.Time {
	t.Helper()
	out := map[string]time.Time{}
	for item, err := range cp.Items {
		if err != nil {
			t.Fatal(err)
		}
		out[item.Path] = item.ModTime
	}
	if err := cp.Close(); err != nil {
		t.Error(err)
	}
	return out
}

func TestConnector_SFTP_canceled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, false)
	c, a := quick(t, &fakeDB{}), serveSFTP(t).site(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cp, err := c.Capture(ctx, a, "")
	if err != nil {
		t.Fatal(err)
	}
	var items []app.Item
	for item, err := range cp.Items {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	cancel()
	for _, item := range items {
		if item.Open == nil {
			continue
		}
		_, err := item.Open(ctx)
		wantCode(t, err, app.CodeCanceled)
	}
	if err := cp.Close(); err != nil {
		t.Error(err)
	}
	_, err = c.Capture(ctx, a, "")
	wantCode(t, err, app.CodeCanceled)
	_, err = c.Plan(ctx, app.Restore{Access: a, From: os.DirFS(dir)})
	wantCode(t, err, app.CodeCanceled)
}

// Names that are no text come back as the bytes they were.
func TestConnector_SFTP_names(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	names := []string{"k\xf6p.jpg", "two\nlines", " spaces ", "-rf", "ö", "\uef80", "q\"uote'", `back\slash`}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Skipf("KVART-SKIP names: %v", err)
		}
	}
	c, a := quick(t, &fakeDB{}), serveSFTP(t).site(t, dir)
	got, stats, _ := point(t, c, a)
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	restore(t, c, app.Restore{Access: a, From: os.DirFS(got), Stats: stats})
	for _, name := range names {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != name {
			t.Errorf("%q: %q, %v", name, b, err)
		}
	}
	other := t.TempDir()
	restore(t, c, app.Restore{Access: a, From: os.DirFS(got), Target: app.Target{Dir: other}, Paths: []string{"files/" + fromServer(names[0])}})
	found, err := os.ReadDir(filepath.Join(other, filesDir))
	if err != nil || len(found) != 1 || found[0].Name() != "köp.jpg" {
		t.Errorf("%v, %v", found, err)
	}
}
