package updates

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// tally is a [app.Progress].
type tally struct{ items, done int64 }

func (p *tally) Expect(_, b int64) { p.items += b }
func (p *tally) Done(_, b int64)   { p.done += b }

func noPause(context.Context) error { return nil }

func (p *publisher) found(t *testing.T) app.ReleaseFile {
	t.Helper()
	r, err := onLinux().Look(t.Context(), p.settings, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r.File
}

func TestUpdates_Fetch(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	u, f, dir := onLinux(), p.found(t), filepath.Join(t.TempDir(), "Ny version åäö")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kvart_0.1.9_amd64.deb"), []byte("earlier"), 0o600); err != nil {
		t.Fatal(err)
	}
	var pr tally
	path, err := u.Fetch(t.Context(), f, dir, &pr, noPause)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(b, p.file) || pr.done != f.Size || u.Fetched(f, dir) != path {
		t.Errorf("%d bytes, %d told, %v", len(b), pr.done, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("there lies %v, %v", left, err)
	}
	p.Close() // it is there: nobody is asked
	if _, err := u.Fetch(t.Context(), f, dir, &pr, noPause); err != nil {
		t.Error(err)
	}
	b[5]++ // and changed by somebody
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Fetch(t.Context(), f, dir, &pr, noPause); app.CodeOf(err) != app.CodeUpdateFeed {
		t.Errorf("a changed file: %v", err)
	}
	if u.Fetched(f, dir) != "" {
		t.Error("a changed file still counts")
	}
}

// cutAfter lets n bytes of the file through, and hangs up.
func (p *publisher) cutAfter(n int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/files/") {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(p.file)))
		w.Write(p.file[:n])
		panic(http.ErrAbortHandler)
	}
}

func TestUpdates_Fetch_goesOn(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	u, f, dir := onLinux(), p.found(t), t.TempDir()
	p.spoil(p.cutAfter(piece + 1000))
	if _, err := u.Fetch(t.Context(), f, dir, &tally{}, noPause); app.CodeOf(err) != app.CodeUpdateFeed {
		t.Fatal(err)
	}
	if u.Fetched(f, dir) != "" {
		t.Fatal("half a file counts as one")
	}
	p.spoil(nil)
	path, err := u.Fetch(t.Context(), f, dir, &tally{}, noPause)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, p.file) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if last := p.asked[len(p.asked)-1]; !strings.HasPrefix(last, "bytes=") || last == "bytes=0-" {
		t.Errorf("asked for %q", last)
	}
}

// TestUpdates_Fetch_onARest: what lies there is no beginning of the file, or the
// server gives no parts.
func TestUpdates_Fetch_onARest(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	u, f := onLinux(), p.found(t)
	for name, c := range map[string]struct {
		rest  []byte
		spoil func(http.ResponseWriter, *http.Request) bool
	}{
		"of something else":       {rest: bytes.Repeat([]byte("x"), 1000)},
		"longer than the file":    {rest: make([]byte, len(p.file)+10)},
		"whole, but of something": {rest: make([]byte, len(p.file))},
		"no parts": {p.file[:1000], func(w http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("Range")
			return false
		}},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, f.Name+partEnding), c.rest, 0o600); err != nil {
			t.Fatal(err)
		}
		p.spoil(c.spoil)
		path, err := u.Fetch(t.Context(), f, dir, &tally{}, noPause)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, p.file) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}

func TestUpdates_Fetch_bad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want  app.Code
		spoil func(p *publisher) func(http.ResponseWriter, *http.Request) bool
	}{
		"other bytes": {app.CodeUpdateDamaged, func(p *publisher) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(make([]byte, len(p.file))))
				return true
			}
		}},
		"more than was signed": {app.CodeUpdateDamaged, func(p *publisher) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				io.Copy(w, io.LimitReader(endless{}, 1<<30))
				return true
			}
		}},
		"another part": {app.CodeUpdateFeed, func(p *publisher) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Content-Range", "bytes 5-9/10")
				w.WriteHeader(http.StatusPartialContent)
				return true
			}
		}},
		"gone": {app.CodeUpdateFeed, func(p *publisher) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool { http.NotFound(w, r); return true }
		}},
		"stands still": {app.CodeUpdateFeed, func(p *publisher) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				w.Write(p.file[:piece])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				return true
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPublisher(t)
			f, dir := p.found(t), t.TempDir()
			p.spoil(c.spoil(p))
			if _, err := onLinux().Fetch(t.Context(), f, dir, &tally{}, noPause); app.CodeOf(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			if info, err := os.Stat(filepath.Join(dir, f.Name+partEnding)); err == nil && info.Size() > f.Size {
				t.Errorf("%d bytes were written of %d", info.Size(), f.Size)
			}
			p.spoil(nil)
			if _, err := onLinux().Fetch(t.Context(), f, dir, &tally{}, noPause); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// endless gives zeros.
type endless struct{}

func (endless) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestUpdates_Fetch_givesWay: while something else goes first nothing is
// fetched, and afterwards the rest.
func TestUpdates_Fetch_givesWay(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	u, f := onLinux(), p.found(t)
	looks := 0
	path, err := u.Fetch(t.Context(), f, t.TempDir(), &tally{}, func(context.Context) error {
		if looks++; looks == 2 {
			time.Sleep(200 * time.Millisecond) // past half of what a server stands
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, p.file) || len(p.asked) != 2 {
		t.Errorf("%d bytes in %d parts, %v", len(b), len(p.asked), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = u.Fetch(ctx, f, t.TempDir(), &tally{}, func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	})
	if app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("cancelled: %v", err)
	}
}

func TestUpdates_Fetch_folder(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	f := p.found(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := onLinux().Fetch(t.Context(), f, file, &tally{}, noPause); app.CodeOf(err) != app.CodeHomeReadOnly {
		t.Errorf("into a file: %v", err)
	}
	if _, err := onLinux().Fetch(t.Context(), app.ReleaseFile{}, t.TempDir(), &tally{}, noPause); app.CodeOf(err) != app.CodeUpdateMissing {
		t.Errorf("nothing: %v", err)
	}
}

// TestUpdates_Fetched_proves: a file of the right name and size was offered to
// be installed, whatever it held.
func TestUpdates_Fetched_proves(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	f := p.found(t)
	u, dir := onLinux(), t.TempDir()
	path, err := u.Fetch(t.Context(), f, dir, &tally{}, noPause)
	if err != nil || u.Fetched(f, dir) != path {
		t.Fatalf("%q, %v", u.Fetched(f, dir), err)
	}
	swap := func(b []byte, at time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, b, 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	other := bytes.Clone(p.file)
	other[len(other)/2] ^= 1
	now := time.Now()
	swap(other, now.Add(time.Second))
	for range 2 {
		if got := u.Fetched(f, dir); got != "" {
			t.Errorf("another file of the same size is %q", got)
		}
		if got := onLinux().Fetched(f, dir); got != "" {
			t.Errorf("after a restart another file of the same size is %q", got)
		}
	}
	swap(p.file, now.Add(2*time.Second))
	if got := u.Fetched(f, dir); got != path {
		t.Errorf("the right one is %q", got)
	}
	f.SHA256 = strings.Repeat("0", 64)
	if got := u.Fetched(f, dir); got != "" {
		t.Errorf("a file that another feed tells of is %q", got)
	}
}
