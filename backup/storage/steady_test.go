package storage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/retrying"
	"github.com/minio/minio-go/v7"

	"kvart/app"
	"kvart/backup/storage/s3test"
)

// trial is a storage whose every call is made by the test.
type trial struct {
	blob.Storage
	put  func(ctx context.Context, data blob.Bytes) error
	get  func(ctx context.Context, out blob.OutputBuffer) error
	list func(ctx context.Context, found func(blob.Metadata) error) error
}

func (s *trial) PutBlob(ctx context.Context, _ blob.ID, data blob.Bytes, _ blob.PutOptions) error {
	return s.put(ctx, data)
}

func (s *trial) GetBlob(ctx context.Context, _ blob.ID, _, _ int64, out blob.OutputBuffer) error {
	return s.get(ctx, out)
}

func (s *trial) ListBlobs(ctx context.Context, _ blob.ID, found func(blob.Metadata) error) error {
	return s.list(ctx, found)
}

func (s *trial) Close(context.Context) error { return nil }

// onTrial is what Kvart makes of st when it comes from Kopia.
func onTrial(st *trial) *Guarded {
	loc := &Location{Base: retrying.NewWrapper(st), Where: "here"}
	loc.settle()
	return loc.Store
}

var slowDown = minio.ErrorResponse{StatusCode: 503, Code: "SlowDown", Message: "Please reduce your request rate."}

// Kvart takes Kopia's own way of trying again off, or it would be tried ten
// times ten times, and nobody would know why.
func TestSteady_replacesKopiasWrapper(t *testing.T) {
	t.Parallel()
	bare := &trial{}
	if st, ok := unwrapped(retrying.NewWrapper(bare)); !ok || st != blob.Storage(bare) {
		t.Errorf("unwrapped %T", st)
	}
	if st, ok := unwrapped(bare); ok {
		t.Errorf("unwrapped %T of what was not wrapped", st)
	}
	loc := openBucket(t, serve(t, &s3test.Server{}))
	if s := loc.Store.steady; s.attempts != maxAttempts {
		t.Errorf("a bucket of %T is tried %d times", s.Storage, s.attempts)
	}
}

func TestGuarded_Trying(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		g := onTrial(&trial{put: func(context.Context, blob.Bytes) error {
			time.Sleep(time.Second)
			if tries++; tries < 4 {
				return slowDown
			}
			return nil
		}})
		done := make(chan error)
		go func() { done <- g.PutBlob(t.Context(), "p1", Bytes("x"), blob.PutOptions{}) }()
		time.Sleep(500 * time.Millisecond)
		if err := g.Trying(); err != nil {
			t.Errorf("trying again in the first attempt: %v", err)
		}
		time.Sleep(time.Second)
		wantCode(t, g.Trying(), app.CodeStorageBusy)
		if err := <-done; err != nil || tries != 4 {
			t.Errorf("%d tries, %v", tries, err)
		}
		if err := g.Trying(); err != nil {
			t.Errorf("still trying: %v", err)
		}
	})
}

func TestSteady_givesUp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		err   error
		want  app.Code
		tries int
	}{
		{"a storm", slowDown, app.CodeStorageBusy, maxAttempts},
		{"a lost connection", io.ErrUnexpectedEOF, app.CodeStorageOffline, maxAttempts},
		{"a missing right", minio.ErrorResponse{StatusCode: 403, Code: "AccessDenied"}, app.CodeStorageRight, fewAttempts},
		{"a wrong key", blob.ErrInvalidCredentials, app.CodeStorageDenied, 1},
		{"no room", minio.ErrorResponse{StatusCode: 507, Code: "XMinioStorageFull"}, app.CodeStorageFull, 1},
		{"another region", minio.ErrorResponse{StatusCode: 400, Code: "AuthorizationHeaderMalformed", Region: "eu-north-1"}, app.CodeStorageRegion, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				g := onTrial(&trial{put: func(context.Context, blob.Bytes) error { tries++; return tt.err }})
				err := g.PutBlob(t.Context(), "p1", Bytes("x"), blob.PutOptions{})
				wantCode(t, Translate("save", err), tt.want)
				if tries != tt.tries {
					t.Errorf("%d tries, want %d", tries, tt.tries)
				}
				wantCode(t, Translate("save", g.TakeError()), tt.want)
				if g.Trying() != nil {
					t.Error("still trying")
				}
			})
		})
	}
}

// A call ends with its context, whatever the storage does, and what was lent to
// it is out of reach from then on: Kopia uses its buffers again, and bytes of
// another blob must never be stored in this one's name.
func TestSteady_endsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hung := make(chan struct{})
		var late atomic.Int32
		g := onTrial(&trial{
			put: func(_ context.Context, data blob.Bytes) error {
				r := data.Reader()
				if _, err := io.ReadFull(r, make([]byte, 4)); err != nil {
					return err
				}
				<-hung
				if _, err := io.ReadAll(r); errors.Is(err, errLeft) {
					late.Add(1)
				}
				if _, err := io.ReadAll(data.Reader()); errors.Is(err, errLeft) {
					late.Add(1)
				}
				if _, err := data.WriteTo(io.Discard); errors.Is(err, errLeft) {
					late.Add(1)
				}
				return errors.New("too late")
			},
			get: func(_ context.Context, out blob.OutputBuffer) error {
				<-hung
				if _, err := out.Write([]byte("x")); errors.Is(err, errLeft) {
					late.Add(1)
				}
				return nil
			},
			list: func(_ context.Context, found func(blob.Metadata) error) error {
				<-hung
				var err error
				for range drainAfterStop + 1 {
					err = found(blob.Metadata{})
				}
				if errors.Is(err, errLeft) {
					late.Add(1)
				}
				return err
			},
		})
		var out buffer
		calls := map[string]func(ctx context.Context) error{
			"put": func(ctx context.Context) error { return g.PutBlob(ctx, "p", Bytes("some bytes"), blob.PutOptions{}) },
			"get": func(ctx context.Context) error { return g.GetBlob(ctx, "p", 0, -1, &out) },
			"list": func(ctx context.Context) error {
				return g.ListBlobs(ctx, "", func(blob.Metadata) error { t.Error("called back"); return nil })
			},
		}
		for name, call := range calls {
			ctx, cancel := context.WithCancel(t.Context())
			stop := time.AfterFunc(time.Minute, cancel)
			start := time.Now()
			err := call(ctx)
			stop.Stop()
			if took := time.Since(start); took > time.Minute+time.Second {
				t.Errorf("%s came back %v late", name, took-time.Minute)
			}
			wantCode(t, Translate(name, err), app.CodeCanceled)
		}
		start := time.Now()
		if err := g.loc.Close(t.Context()); err != nil || time.Since(start) != closeGrace {
			t.Errorf("close took %v, %v", time.Since(start), err)
		}
		close(hung)
		synctest.Wait()
		if late.Load() != 5 || out.Len() != 0 {
			t.Errorf("%d of 5 late uses were refused, %d bytes written", late.Load(), out.Len())
		}
	})
}

// A pause between two tries ends with the context too.
// What an attempt lent is out of reach once it has come back, too: a transport
// may go on reading what it was to send.
func TestSteady_takesBackWhatItLent(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"stored": nil, "refused": blob.ErrInvalidCredentials} {
		var sent io.ReadSeekCloser
		g := onTrial(&trial{put: func(_ context.Context, data blob.Bytes) error {
			sent = data.Reader()
			return err
		}})
		if got := g.PutBlob(t.Context(), "p1", Bytes("x"), blob.PutOptions{}); (got == nil) != (err == nil) {
			t.Errorf("%s: %v", name, got)
		}
		if n, err := sent.Read(make([]byte, 1)); n != 0 || !errors.Is(err, errLeft) {
			t.Errorf("%s: afterwards %d bytes are read, %v", name, n, err)
		}
	}
}

func TestSteady_pauseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := onTrial(&trial{put: func(context.Context, blob.Bytes) error { return slowDown }})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		err := g.PutBlob(ctx, "p1", Bytes("x"), blob.PutOptions{})
		wantCode(t, Translate("save", err), app.CodeCanceled)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A connection over which nothing comes any more is told about, and then given
// up.
func TestSteady_silence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		g := onTrial(&trial{get: func(ctx context.Context, out blob.OutputBuffer) error {
			for range 3 { // slow, but it moves
				time.Sleep(deadAfter - time.Second)
				if _, err := out.Write([]byte("abc")); err != nil {
					return err
				}
			}
			if tries++; tries > 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}})
		var out buffer
		done := make(chan error)
		go func() { done <- g.GetBlob(t.Context(), "p1", 0, -1, &out) }()
		time.Sleep(3*(deadAfter-time.Second) + silentAfter + time.Second)
		wantCode(t, g.Trying(), app.CodeStorageOffline)
		if err := <-done; err != nil || tries != 2 || !bytes.Equal(out.Bytes(), []byte("abcabcabc")) {
			t.Errorf("%d tries, read %q, %v", tries, out.Bytes(), err)
		}
	})
}
