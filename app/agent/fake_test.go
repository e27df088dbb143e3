package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
	"kvart/app/config"
	"kvart/app/recovery"
	"kvart/backup/memvault"
)

// fakeShop is a connector whose sources are texts in memory, by their setting
// "path". It fails on demand.
type fakeShop struct {
	mu       sync.Mutex
	texts    map[string]string
	captures int // that were not idle

	failCapture error
	failApply   func(path string) error
	blocker     *app.Error
	slow        func(context.Context) // called while an item is read
	fetch       func(app.Access)      // called while a capture begins
	early       bool                  // it is read while its items are taken
}

var (
	_ app.Restorer  = (*fakeShop)(nil)
	_ app.Connector = (*fakeShop)(nil)
)

func (f *fakeShop) Spec() app.KindSpec {
	return app.KindSpec{Kind: "fake", Fields: []app.Field{
		{Key: "path", Type: app.FieldText, Required: true},
		{Key: "password", Type: app.FieldSecret},
	}}
}

func (f *fakeShop) get(path string) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.texts[path]
	return s, ok
}

func (f *fakeShop) set(path, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.texts[path] = text
}

func (f *fakeShop) Check(_ context.Context, a app.Access) (app.SourceInfo, error) {
	if _, ok := f.get(a.Source.Settings["path"]); !ok {
		return app.SourceInfo{}, app.Errorf(app.CodeSourceMissing, "check", "gone")
	}
	return app.SourceInfo{}, nil
}

func (f *fakeShop) Capture(_ context.Context, a app.Access, since app.Marker) (*app.Capture, error) {
	if f.failCapture != nil {
		return nil, f.failCapture
	}
	if f.fetch != nil {
		f.fetch(a)
	}
	text, ok := f.get(a.Source.Settings["path"])
	if !ok {
		return nil, app.Errorf(app.CodeSourceMissing, "capture", "gone")
	}
	if string(since) == text {
		return &app.Capture{Idle: true}, nil
	}
	f.mu.Lock()
	f.captures++
	f.mu.Unlock()
	return f.capture(text), nil
}

func (f *fakeShop) capture(text string) *app.Capture {
	item := app.Item{Path: "text", Size: int64(len(text)), ModTime: time.Unix(int64(len(text)), 0), Mode: 0o600, Open: func(ctx context.Context) (io.ReadCloser, error) {
		if f.slow != nil {
			f.slow(ctx)
		}
		return io.NopCloser(strings.NewReader(text)), ctx.Err()
	}}
	return &app.Capture{
		Items: func(yield func(app.Item, error) bool) { yield(item, nil) },
		Early: f.early,
		Next:  app.Marker(text),
		Stats: func() app.Stats { return app.Stats{"bytes": int64(len(text))} },
		Close: func() error { return nil },
	}
}

func (f *fakeShop) Plan(_ context.Context, r app.Restore) (app.TargetPlan, error) {
	p := app.TargetPlan{Where: r.Access.Source.Settings["path"], Files: 1}
	_, p.Exists = f.get(p.Where)
	if f.blocker != nil {
		p.Blockers = append(p.Blockers, f.blocker)
	}
	return p, nil
}

func (f *fakeShop) Present(_ context.Context, a app.Access) (*app.Capture, error) {
	text, ok := f.get(a.Source.Settings["path"])
	if !ok {
		return &app.Capture{}, nil
	}
	return f.capture(text), nil
}

func (f *fakeShop) Apply(ctx context.Context, r app.Restore, _ app.Progress) error {
	path := r.Target.Dir + r.Access.Source.Settings["path"]
	if f.failApply != nil {
		if err := f.failApply(path); err != nil {
			return err
		}
	}
	b, err := fs.ReadFile(r.From, "text")
	if errors.Is(err, fs.ErrNotExist) && r.Raw {
		f.mu.Lock()
		delete(f.texts, path)
		f.mu.Unlock()
		return nil
	}
	if err != nil {
		return err
	}
	f.set(path, string(b))
	return ctx.Err()
}

func (f *fakeShop) Verify(_ context.Context, r app.Restore) ([]app.Check, error) {
	text, ok := f.get(r.Target.Dir + r.Access.Source.Settings["path"])
	return []app.Check{{Code: "opens", OK: ok && !strings.Contains(text, "rotten"), Detail: text}}, nil
}

// kinds is the registry of one fake.
type kinds struct{ *fakeShop }

func (k kinds) Connector(kind app.Kind) (app.Connector, error) {
	if kind != "fake" {
		return nil, app.Errorf(app.CodeSourceKind, "find", "no %q", kind).With("choices", "fake")
	}
	return k.fakeShop, nil
}
func (k kinds) Specs() []app.KindSpec                         { return []app.KindSpec{k.Spec()} }
func (k kinds) Discover(context.Context) ([]app.Found, error) { return nil, nil }

// memorySecrets is a secret store in memory.
type memorySecrets struct {
	mu sync.Mutex
	m  map[string]app.Secret
}

func (s *memorySecrets) Secret(_ context.Context, key string) (app.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.m[key]; ok {
		return v, nil
	}
	return app.Secret{}, app.Errorf(app.CodeSecretMissing, "get", "no %s", key)
}

func (s *memorySecrets) SetSecret(_ context.Context, key string, v app.Secret) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[key] = v
	return nil
}

func (s *memorySecrets) DeleteSecret(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, key)
	return nil
}
func (s *memorySecrets) Backend() string { return "memory" }

// notices collects what the owner is told.
type notices struct {
	mu  sync.Mutex
	log []string
}

func (n *notices) Notify(_ context.Context, m app.Notice) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, "+"+m.Cause)
	return nil
}

func (n *notices) Resolve(_ context.Context, cause string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, "-"+cause)
	return nil
}

type noAutostart struct{ on bool }

func (a *noAutostart) Enabled() bool     { return a.on }
func (a *noAutostart) Set(on bool) error { a.on = on; return nil }

// shopTest is an agent with a fake shop and a vault in memory.
type shopTest struct {
	*Agent
	t       *testing.T
	dir     string
	shop    *fakeShop
	vaults  *memvault.Provider
	secrets *memorySecrets
	notices *notices
	clock   clock
	name    string // of the computer
	front   app.Storefront
	lookout Lookout
	known   Connectors // nil: kinds of shop
}

// newShopTest returns an agent with two sources, "Kassan" and "Lager", that
// has not backed up yet.
func newShopTest(t *testing.T) *shopTest {
	t.Helper()
	s := &shopTest{
		t: t, dir: t.TempDir(), vaults: memvault.NewProvider(), notices: &notices{},
		shop:    &fakeShop{texts: map[string]string{"kassan": "k1", "lager": "l1"}},
		secrets: &memorySecrets{m: map[string]app.Secret{}},
	}
	s.start()
	_, err := s.CreateVault(t.Context(), app.VaultRequest{
		Storage: app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": "v"}}, Shop: "Björnbär",
		Secrets: app.Secrets{app.PassphraseKey: app.NewSecret("mycket hemlig")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Kassan", "Lager"} {
		if _, err := s.AddSource(t.Context(), app.AddSourceRequest{Kind: "fake", Name: name, Settings: map[string]string{"path": strings.ToLower(name)}}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// another returns a second computer with nothing set up, which reaches the same
// storages and, for the sake of comparing, the same shop.
func (s *shopTest) another(name string) *shopTest {
	o := &shopTest{
		t: s.t, dir: s.t.TempDir(), vaults: s.vaults, shop: s.shop, name: name,
		notices: &notices{}, secrets: &memorySecrets{m: map[string]app.Secret{}},
	}
	o.start()
	return o
}

// start opens an agent on what the one before left on the disk.
func (s *shopTest) start() {
	s.t.Helper()
	log := slog.New(slog.DiscardHandler)
	store, err := config.Open(s.dir+"/settings.json", NewDocument, CheckDocument)
	if err != nil {
		s.t.Fatal(err)
	}
	j, err := journal.Open(s.t.Context(), s.dir, log)
	if err != nil {
		s.t.Fatal(err)
	}
	books, err := recovery.Load()
	if err != nil {
		s.t.Fatal(err)
	}
	// an agent outlives the test's context, so that its end can be told from a
	// crash: Close ends it
	s.Agent = New(context.WithoutCancel(s.t.Context()), Config{
		Dir: s.dir, Build: "test", Vaults: s.vaults, Connectors: s.connectors(), Journal: j, Store: store, Secrets: s.secrets,
		Notifier: s.notices, Autostart: &noAutostart{}, NoticeWords: func(c string, _ *app.Error) (string, string) { return c, c },
		Log: log, Now: s.clock.now, Press: plainPress{}, Computer: s.name,
		Recovery: func(h app.RecoveryHost) Recovery { return books.Engine(h) }, Storefront: s.front, Lookout: s.lookout,
	})
	a := s.Agent
	s.t.Cleanup(func() { _ = a.Close(context.WithoutCancel(s.t.Context())) }) // closed already, where the test did
}

func (s *shopTest) connectors() Connectors {
	if s.known != nil {
		return s.known
	}
	return kinds{s.shop}
}

// crash ends the agent without a word, as SIGKILL would: nothing it remembers
// but what is on the disk is there for the next.
func (s *shopTest) crash() {
	s.t.Helper()
	if err := s.Close(context.WithoutCancel(s.t.Context())); err != nil {
		s.t.Fatal(err)
	}
	s.start()
}

// job waits for a job that must have been started.
func (s *shopTest) job(id app.JobID, err error) app.Job {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	j, err := s.Wait(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return j
}

func (s *shopTest) backup(names ...string) app.Job {
	s.t.Helper()
	return s.job(s.StartBackup(s.t.Context(), names))
}

func (s *shopTest) status() app.Status {
	s.t.Helper()
	st, err := s.Status(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

func (s *shopTest) wantVerdict(v app.Verdict) {
	s.t.Helper()
	if st := s.status(); st.Verdict != v {
		s.t.Errorf("verdict %s, want %s; problems %+v, sources %+v", st.Verdict, v, st.Problems, st.Sources)
	}
}

func (s *shopTest) wantText(path, want string) {
	s.t.Helper()
	if got, ok := s.shop.get(path); got != want || !ok && want != "" {
		s.t.Errorf("%s holds %q, want %q", path, got, want)
	}
}

func states(j app.Job) string {
	var out []string
	for _, r := range j.Runs {
		code := ""
		if r.Error != nil {
			code = ":" + string(r.Error.Code)
		}
		out = append(out, fmt.Sprintf("%s=%s%s", r.Source, r.State, code))
	}
	return strings.Join(out, " ")
}
