package ipc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// fake is a guard whose answers a test chooses; what it has no answer for is
// nil and panics.
type fake struct {
	app.Service
	watch  func(ctx context.Context, fn func(app.Status) error) error
	create func(r app.VaultRequest) (app.VaultInfo, error)
	points func(r app.PointsRequest) ([]app.Point, error)
	cat    func() (io.ReadCloser, error)
	export func(r app.ExportRequest) (io.ReadCloser, error)
	wait   func(ctx context.Context) (app.Job, error)
	rights func(r app.RightsRequest) (app.Rights, error)
	try    func(r app.AddSourceRequest) (app.SourceInfo, error)
}

func (f fake) TrySource(_ context.Context, r app.AddSourceRequest) (app.SourceInfo, error) {
	return f.try(r)
}

func (f fake) Rights(_ context.Context, r app.RightsRequest) (app.Rights, error) {
	return f.rights(r)
}

func (f fake) Watch(ctx context.Context, fn func(app.Status) error) error { return f.watch(ctx, fn) }
func (f fake) CreateVault(_ context.Context, r app.VaultRequest) (app.VaultInfo, error) {
	return f.create(r)
}

func (f fake) Points(_ context.Context, r app.PointsRequest) ([]app.Point, error) {
	return f.points(r)
}
func (f fake) Cat(context.Context, app.PathRequest) (io.ReadCloser, error) { return f.cat() }
func (f fake) Wait(ctx context.Context, _ app.JobID) (app.Job, error)      { return f.wait(ctx) }
func (f fake) Export(_ context.Context, r app.ExportRequest) (io.ReadCloser, error) {
	return f.export(r)
}

// serve starts a server and returns where it listens; it ends with the test.
func serve(t *testing.T, s app.Service, build string) (socket string, quit chan struct{}) {
	t.Helper()
	dir, err := os.MkdirTemp("", "k") // t.TempDir's path may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "run", "s")
	ln, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	quit = make(chan struct{}, 1)
	done := make(chan error, 1)
	go func() {
		srv := Server{Service: s, Build: build, Quit: func() { quit <- struct{}{} }, Log: slog.New(slog.DiscardHandler)}
		done <- srv.Serve(ctx, ln)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return socket, quit
}

func dial(t *testing.T, socket, build string) *Client {
	c := Dial(socket, build)
	t.Cleanup(c.Close)
	return c
}

func TestWatch_streamsWholeStatuses(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, fake{watch: func(_ context.Context, fn func(app.Status) error) error {
		for i := range uint64(3) {
			if err := fn(app.Status{Seq: i + 1, Verdict: app.VerdictSafe}); err != nil {
				return err
			}
		}
		return app.Errorf(app.CodeInternal, "watch", "broke")
	}}, "1")
	var got []uint64
	err := dial(t, socket, "1").Watch(t.Context(), func(s app.Status) error { got = append(got, s.Seq); return nil })
	if app.CodeOf(err) != app.CodeInternal || len(got) != 3 {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestSecrets_goUpAndNeverIntoTheDocument(t *testing.T) {
	t.Parallel()
	var seen app.VaultRequest
	socket, _ := serve(t, fake{create: func(r app.VaultRequest) (app.VaultInfo, error) {
		seen = r
		return app.VaultInfo{ID: "v"}, nil
	}}, "1")
	r := app.VaultRequest{Shop: "Björnbär", Secrets: app.Secrets{app.PassphraseKey: app.NewSecret("hemlig fras")}}
	info, err := dial(t, socket, "1").CreateVault(t.Context(), r)
	if err != nil || info.ID != "v" {
		t.Fatal(info, err)
	}
	if seen.Shop != "Björnbär" || seen.Secrets[app.PassphraseKey].Reveal() != "hemlig fras" {
		t.Errorf("got %+v", seen)
	}
	if doc, err := json.Marshal(r); err != nil || bytes.Contains(doc, []byte("hemlig")) {
		t.Errorf("document %s, %v", doc, err)
	}
}

func TestRights_askedWithSecrets(t *testing.T) {
	t.Parallel()
	var seen app.RightsRequest
	want := app.Rights{User: "root", Excess: []string{"SUPER"}, Statements: []string{"CREATE USER …"}}
	socket, _ := serve(t, fake{rights: func(r app.RightsRequest) (app.Rights, error) { seen = r; return want, nil }}, "1")
	got, err := dial(t, socket, "1").Rights(t.Context(), app.RightsRequest{
		Kind: "mysql", Settings: map[string]string{"user": "root"}, Secrets: app.Secrets{"password": app.NewSecret("hemligt")},
	})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if seen.Kind != "mysql" || seen.Settings["user"] != "root" || seen.Secrets["password"].Reveal() != "hemligt" {
		t.Errorf("asked %+v", seen)
	}
}

func TestTrySource_askedWithSecrets(t *testing.T) {
	t.Parallel()
	var seen app.AddSourceRequest
	socket, _ := serve(t, fake{try: func(r app.AddSourceRequest) (app.SourceInfo, error) { seen = r; return app.SourceInfo{Files: 3}, nil }}, "1")
	got, err := dial(t, socket, "1").TrySource(t.Context(), app.AddSourceRequest{
		Kind: "webhotel", Settings: map[string]string{"user": "site"}, Secrets: app.Secrets{"password": app.NewSecret("hemligt")},
	})
	if err != nil || got.Files != 3 || seen.Kind != "webhotel" || seen.Settings["user"] != "site" || seen.Secrets["password"].Reveal() != "hemligt" {
		t.Errorf("asked %+v, got %+v, %v", seen, got, err)
	}
}

func TestErrors_keepCodeAndArgs(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, fake{points: func(app.PointsRequest) ([]app.Point, error) {
		return nil, app.Errorf(app.CodeSourceUnknown, "find", "no %q", "x").With("choices", "Kassan")
	}}, "1")
	_, err := dial(t, socket, "1").Points(t.Context(), app.PointsRequest{})
	e := app.AsError(err)
	if e.Code != app.CodeSourceUnknown || e.Args["choices"] != "Kassan" || !strings.Contains(err.Error(), "no \"x\"") {
		t.Errorf("got %+v", e)
	}
}

func TestAnotherVersion_isRefusedButMayAskToQuit(t *testing.T) {
	t.Parallel()
	socket, quit := serve(t, fake{}, "1")
	c := dial(t, socket, "2")
	if _, err := c.Points(t.Context(), app.PointsRequest{}); app.CodeOf(err) != app.CodeGuardVersion {
		t.Errorf("points: %v", err)
	}
	if h, err := c.Hello(t.Context()); err != nil || h.Build != "1" || h.PID != os.Getpid() {
		t.Errorf("hello: %+v, %v", h, err)
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Errorf("quit: %v", err)
	}
	select {
	case <-quit:
	case <-time.After(5 * time.Second):
		t.Error("not asked to quit")
	}
}

// broken fails after its first bytes.
type broken struct{ sent bool }

func (b *broken) Read(p []byte) (int, error) {
	if b.sent {
		return 0, errors.New("storage went away")
	}
	b.sent = true
	clear(p)
	return len(p), nil // enough to be on its way before the failure
}
func (*broken) Close() error { return nil }

func TestCat_cutOffInTheMiddleIsAnError(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, fake{cat: func() (io.ReadCloser, error) { return &broken{}, nil }}, "1")
	f, err := dial(t, socket, "1").Cat(t.Context(), app.PathRequest{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err == nil {
		t.Errorf("a cut-off file reads as whole: %d bytes", len(b))
	}
}

func TestExport_cutOffInTheMiddleIsAnError(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, fake{export: func(r app.ExportRequest) (io.ReadCloser, error) {
		if r.What == "shoes" {
			return nil, app.Errorf(app.CodeUsage, "export", "no shoes").With("choices", "products")
		}
		return &broken{}, nil
	}}, "1")
	c := dial(t, socket, "1")
	if _, err := c.Export(t.Context(), app.ExportRequest{What: "shoes"}); app.CodeOf(err) != app.CodeUsage || app.AsError(err).Args["choices"] != "products" {
		t.Errorf("a wrong choice: %v", err)
	}
	f, err := c.Export(t.Context(), app.ExportRequest{What: "products"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err == nil {
		t.Errorf("a cut-off table reads as whole: %d bytes", len(b))
	}
}

func TestNoGuard(t *testing.T) {
	t.Parallel()
	c := dial(t, filepath.Join(t.TempDir(), "none"), "1")
	if _, err := c.Status(t.Context()); app.CodeOf(err) != app.CodeGuardOffline {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Status(ctx); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("canceled: %v", err)
	}
}

func TestClientGivingUp_endsTheCall(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	socket, _ := serve(t, fake{wait: func(ctx context.Context) (app.Job, error) {
		<-ctx.Done()
		close(ended)
		return app.Job{}, ctx.Err()
	}}, "1")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := dial(t, socket, "1").Wait(ctx, "j"); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("got %v", err)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the guard goes on")
	}
}

// TestClient_asksAgain asks twice on one connection: the end of waiting for the
// first must not end the second.
func TestClient_asksAgain(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, fake{wait: func(ctx context.Context) (app.Job, error) {
		select {
		case <-ctx.Done():
			return app.Job{}, ctx.Err()
		case <-time.After(20 * time.Millisecond):
			return app.Job{ID: "j"}, nil
		}
	}}, "1")
	c := dial(t, socket, "1")
	for range 3 {
		if j, err := c.Wait(t.Context(), "j"); err != nil || j.ID != "j" {
			t.Errorf("got %v, %v", j, err)
		}
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, fake{}, "1")
	if _, err := Listen(socket); app.CodeOf(err) != app.CodeGuardRunning {
		t.Errorf("second guard: %v", err)
	}
}

func TestLock_isForOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); app.CodeOf(err) != app.CodeGuardRunning {
		t.Errorf("second: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
}
