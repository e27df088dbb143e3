package vendure_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
	"kvart/connectors/vendure"
)

// clock is one that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// carrier lets tests look at requests, and at answers.
type carrier struct {
	mu     sync.Mutex
	before func(*http.Request, []byte) error
	after  func(string) // told what was asked, once it was answered
	asked  []string
}

func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	c.mu.Lock()
	c.asked = append(c.asked, string(body))
	before, after := c.before, c.after
	c.mu.Unlock()
	if before != nil {
		if err := before(r, body); err != nil {
			return nil, err
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && after != nil {
		after(string(body))
	}
	return resp, err
}

func (c *carrier) set(before func(*http.Request, []byte) error, after func(string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before, c.after, c.asked = before, after, nil
}

// writes counts the mutations that were sent, less logins and the proof that one may write.
func (c *carrier) writes() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range c.asked {
		if strings.Contains(text, "mutation ") && !strings.Contains(text, "mutation Login") && !strings.Contains(text, "mutation MayWrite") {
			n++
		}
	}
	return n
}

// bench is a shop's connector and what the vault has.
type bench struct {
	t      *testing.T
	e      *rest.Engine
	dir    string
	clock  *clock
	line   *carrier
	access app.Access
	marker app.Marker
}

func newBench(t *testing.T, url, user, password string) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), line: &carrier{}}
	b.access = app.Access{
		Source:  app.Source{ID: "butik", Name: "Butiken", Kind: vendure.Kind, Settings: map[string]string{"url": url, "user": user}},
		Secrets: app.Secrets{"password": app.NewSecret(password)},
	}
	// an hour at which nothing nightly is due, of a day that the shop is in too
	now := time.Now()
	b.clock = &clock{now: time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, time.Local)}
	b.renew()
	return b
}

// renew makes a new engine, as after a restart.
func (b *bench) renew() {
	nap := func(context.Context, time.Duration) error { return nil }
	b.e = rest.New(&vendure.Platform{Speed: 1e6, Nap: nap, Transport: b.line}, rest.Options{Dir: b.dir, Now: b.clock.Now, Log: slog.New(slog.DiscardHandler)})
}

// point captures what a vault would hold.
func (b *bench) point() (fstest.MapFS, map[string]app.Code) {
	b.t.Helper()
	c, err := b.e.Capture(b.t.Context(), b.access, "")
	if err != nil {
		b.t.Fatalf("capture: %v", err)
	}
	b.marker = c.Next
	return b.collect(c)
}

// present captures the shop as it is, as before a restore.
func (b *bench) present() fstest.MapFS {
	b.t.Helper()
	c, err := b.e.Present(b.t.Context(), b.access)
	if err != nil {
		b.t.Fatalf("present: %v", err)
	}
	point, problems := b.collect(c)
	if len(problems) > 0 {
		b.t.Fatalf("problems %v", problems)
	}
	return point
}

func (b *bench) collect(c *app.Capture) (fstest.MapFS, map[string]app.Code) {
	b.t.Helper()
	point, problems := fstest.MapFS{}, map[string]app.Code{}
	for it, err := range c.Items {
		if err != nil {
			b.t.Fatalf("items: %v", err)
		}
		if !fs.ValidPath(it.Path) || point[it.Path] != nil {
			b.t.Fatalf("path %q", it.Path)
		}
		r, err := it.Open(b.t.Context())
		if err != nil {
			if !it.Optional {
				b.t.Fatalf("item %s: %v", it.Path, err)
			}
			problems[it.Path] = app.CodeOf(err)
			continue
		}
		body, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			b.t.Fatal(err)
		}
		point[it.Path] = &fstest.MapFile{Data: body, ModTime: it.ModTime, Mode: it.Mode}
	}
	if err := c.Close(); err != nil {
		b.t.Fatal(err)
	}
	return point, problems
}

// idle reports whether a capture finds that nothing moved.
func (b *bench) idle() bool {
	b.t.Helper()
	c, err := b.e.Capture(b.t.Context(), b.access, b.marker)
	if err != nil {
		b.t.Fatalf("capture: %v", err)
	}
	if err := c.Close(); err != nil {
		b.t.Error(err)
	}
	return c.Idle
}

func (b *bench) plan(from fs.FS, paths ...string) app.TargetPlan {
	b.t.Helper()
	plan, err := b.e.Plan(b.t.Context(), app.Restore{Access: b.access, From: from, Paths: paths})
	if err != nil || len(plan.Blockers) > 0 {
		b.t.Fatalf("plan: %v, blockers %v", err, plan.Blockers)
	}
	return plan
}

func (b *bench) apply(from fs.FS, paths ...string) {
	b.t.Helper()
	r := app.Restore{Access: b.access, From: from, Paths: paths}
	if err := b.e.Apply(b.t.Context(), r, silent{}); err != nil {
		b.t.Fatalf("apply: %v", err)
	}
	b.verify(r)
}

func (b *bench) verify(r app.Restore) {
	b.t.Helper()
	checks, err := b.e.Verify(b.t.Context(), r)
	if err != nil || len(checks) == 0 {
		b.t.Fatalf("verify: %v, %d checks", err, len(checks))
	}
	for _, c := range checks {
		if !c.OK {
			b.t.Errorf("check %+v", c)
		}
	}
}

type silent struct{}

func (silent) Expect(int64, int64) {}
func (silent) Done(int64, int64)   {}

// in lists the records of a kind, by id.
func in(t *testing.T, point fstest.MapFS, kind string) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for at, f := range point {
		if !strings.HasPrefix(at, kind+"/") {
			continue
		}
		var m map[string]any
		if err := json.Unmarshal(f.Data, &m); err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(path.Base(at), ".json")] = m
	}
	return out
}

// by finds a record of a kind by a field.
func by(t *testing.T, point fstest.MapFS, kind, field, value string) map[string]any {
	t.Helper()
	for _, m := range in(t, point, kind) {
		if m[field] == value {
			return m
		}
	}
	return nil
}

func hasCode(list []*app.Error, code app.Code) bool {
	return slices.ContainsFunc(list, func(e *app.Error) bool { return e.Code == code })
}
