package storage

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/retrying"

	"kvart/app"
)

// How often, and for how long, a storage is asked again.
const (
	maxAttempts = 10
	fewAttempts = 3                // after a refusal, which is seldom taken back
	patience    = 30 * time.Second // after which no more than those are made
	firstPause  = 100 * time.Millisecond
	stopGrace   = 500 * time.Millisecond // for a call whose context has ended
	closeGrace  = 2 * time.Second        // for calls that were left behind
	silentAfter = 30 * time.Second       // without a byte: worth telling
	deadAfter   = 5 * time.Minute        // without a byte: the connection is dead
)

// drainAfterStop is how many blobs are still taken from a listing that has been
// stopped, until it notices: S3's lister hangs for ever on one nobody takes.
const drainAfterStop = 32

// errLeft ends an attempt whose caller has gone.
var errLeft = errors.New("the caller has gone")

// errStalled ends an attempt in which nothing moves any more.
var errStalled = errors.New("no answer")

// steady is a storage whose calls end with their context, are tried again when
// another try may help, and tell why they take so long.
//
// It takes the place of the wrapper that Kopia puts around most storages. That
// one tries ten times whatever the answer was, sleeps on when the context has
// ended, and keeps the reason to a line in its log.
type steady struct {
	blob.Storage
	attempts int // 1 where the storage sees to it itself

	mu      sync.Mutex
	open    map[*call]struct{}
	running int           // attempts, also those whose callers have gone
	idle    chan struct{} // closed when running is 0; nil unless somebody waits
}

// steadied wraps st as it came from Kopia.
func steadied(st blob.Storage) *steady {
	s := &steady{Storage: st, attempts: 1, open: map[*call]struct{}{}}
	if bare, ok := unwrapped(st); ok {
		s.Storage, s.attempts = bare, maxAttempts
	}
	if own, ok := st.(interface{ triesOnce() bool }); ok && own.triesOnce() {
		s.attempts = maxAttempts
	}
	return s
}

// unwrapped takes a storage out of Kopia's wrapper, whose type is not exported
// but whose one field is.
func unwrapped(st blob.Storage) (blob.Storage, bool) {
	if reflect.TypeOf(st) != reflect.TypeOf(retrying.NewWrapper(nil)) {
		return nil, false
	}
	field := reflect.ValueOf(st).Elem().FieldByName("Storage")
	if !field.IsValid() || !field.CanInterface() {
		return nil, false
	}
	bare, ok := field.Interface().(blob.Storage)
	return bare, ok
}

// trying returns why a call has not come back yet, nil while all goes well.
func (s *steady) trying() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var silent error
	for c := range s.open {
		if c.failed != nil {
			return c.failed
		}
		if still := c.still(); still > silentAfter {
			silent = app.Errorf(app.CodeStorageOffline, c.what, "no answer for %s", still.Round(time.Second))
		}
	}
	return silent
}

// run makes a call: attempts in a goroutine of their own, because not every
// storage stops when its context ends. Whatever an attempt uses of the caller's
// it has to borrow from its call, which ends with it, also when the attempt has
// come back: net/http goes on sending a request that was answered early, or whose
// connection was cut.
func (s *steady) run(ctx context.Context, c *call, attempts int, attempt func(context.Context) error) error {
	done := make(chan error, 1)
	s.begin(c)
	defer s.end(c)
	defer c.leave()
	go func() {
		defer s.stopped()
		done <- s.try(ctx, c, attempts, attempt)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(stopGrace):
	}
	return fmt.Errorf("%s: %w", c.what, ctx.Err())
}

func (s *steady) begin(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c] = struct{}{}
	s.running++
}

func (s *steady) end(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *steady) stopped() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running--; s.running == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// setFailed notes why another attempt is to come.
func (s *steady) setFailed(c *call, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.failed = err
}

func (s *steady) try(ctx context.Context, c *call, attempts int, attempt func(context.Context) error) error {
	pause, start := firstPause, time.Now()
	for n := 1; ; n++ {
		err := c.once(ctx, attempt)
		if err == nil || ctx.Err() != nil || n >= min(attempts, worthwhile(err)) || n >= fewAttempts && time.Since(start) > patience {
			return err
		}
		s.setFailed(c, err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w after %w", c.what, ctx.Err(), err)
		case <-time.After(pause):
		}
		pause = pause * 3 / 2
	}
}

// worthwhile returns how many attempts a failure is worth.
func worthwhile(err error) int {
	for _, final := range []error{
		errLeft, blob.ErrBlobNotFound, blob.ErrInvalidRange, blob.ErrSetTimeUnsupported, blob.ErrInvalidCredentials,
		blob.ErrUnsupportedPutBlobOption, blob.ErrUnsupportedObjectLock, blob.ErrBlobAlreadyExists,
	} {
		if errors.Is(err, final) {
			return 1
		}
	}
	switch codeFor(err) {
	case app.CodeStorageDenied, app.CodeStorageRight:
		return fewAttempts
	case app.CodeStorageReadOnly, app.CodeStorageFull, app.CodeStorageClock, app.CodeStorageRegion, app.CodeStorageUnsafe,
		app.CodeCertificate, app.CodeHostKeyUnknown, app.CodeHostKeyChanged, app.CodeProxyAuth,
		app.CodeProgramMissing, app.CodeProgramOld, app.CodeLockBucket, app.CodeUsage, app.CodeBusy, app.CodeVaultPast, app.CodeVaultMissing, app.CodeVaultHidden:
		return 1
	}
	return maxAttempts
}

// Close waits a moment for attempts whose callers have gone.
func (s *steady) Close(ctx context.Context) error {
	err := s.Storage.Close(ctx)
	s.mu.Lock()
	idle := make(chan struct{})
	if s.running == 0 {
		close(idle)
	} else {
		s.idle = idle
	}
	s.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	case <-time.After(closeGrace):
	}
	return err
}

// PutBlob implements [blob.Storage].
func (s *steady) PutBlob(ctx context.Context, id blob.ID, data blob.Bytes, opts blob.PutOptions) error {
	c := newCall("write blob " + string(id))
	// Kopia's S3 asks for the time of a blob whose writing failed too, and then
	// says that it is not there instead of why: a full bucket would be damage.
	wanted := opts.GetModTime
	opts.GetModTime = nil
	lent := c.lendBytes(data)
	err := s.run(ctx, c, s.attempts, func(ctx context.Context) error {
		return lacking("write", s.Storage.PutBlob(ctx, id, lent, opts))
	})
	if err == nil && wanted != nil {
		var m blob.Metadata
		if m, err = s.GetMetadata(ctx, id); err == nil {
			*wanted = m.Timestamp
		}
	}
	return err
}

// GetBlob implements [blob.Storage].
func (s *steady) GetBlob(ctx context.Context, id blob.ID, offset, length int64, output blob.OutputBuffer) error {
	if n, ok := ctx.Value(nearKey{}).(*near); ok && offset >= 0 && length > 0 && length <= nearMost && n.get(ctx, s, id, offset, length, output) {
		return nil
	}
	return s.read(ctx, id, offset, length, output)
}

func (s *steady) read(ctx context.Context, id blob.ID, offset, length int64, output blob.OutputBuffer) error {
	c := newCall("read blob " + string(id))
	lent := c.lendBuffer(output)
	return s.run(ctx, c, s.attempts, func(ctx context.Context) error {
		lent.Reset()
		return lacking("read", s.Storage.GetBlob(ctx, id, offset, length, lent))
	})
}

// GetMetadata implements [blob.Storage].
func (s *steady) GetMetadata(ctx context.Context, id blob.ID) (blob.Metadata, error) {
	c := newCall("look at blob " + string(id))
	var found blob.Metadata
	err := s.run(ctx, c, s.attempts, func(ctx context.Context) error {
		m, err := s.Storage.GetMetadata(ctx, id)
		if err != nil {
			return lacking("read", err)
		}
		return c.lend(func() error {
			found = m
			return nil
		})
	})
	if err != nil {
		return blob.Metadata{}, err
	}
	return found, nil
}

// DeleteBlob implements [blob.Storage].
func (s *steady) DeleteBlob(ctx context.Context, id blob.ID) error {
	return s.run(ctx, newCall("delete blob "+string(id)), s.attempts, func(ctx context.Context) error {
		return lacking("delete", s.Storage.DeleteBlob(ctx, id))
	})
}

// ExtendBlobRetention implements [blob.Storage].
func (s *steady) ExtendBlobRetention(ctx context.Context, id blob.ID, opts blob.ExtendOptions) error {
	return s.run(ctx, newCall("lock blob "+string(id)), s.attempts, func(ctx context.Context) error {
		return lacking("lock", s.Storage.ExtendBlobRetention(ctx, id, opts))
	})
}

// ListBlobs implements [blob.Storage]. It is never tried again: the caller has
// seen a part.
func (s *steady) ListBlobs(ctx context.Context, prefix blob.ID, found func(blob.Metadata) error) error {
	c := newCall("list blobs " + string(prefix))
	return s.run(ctx, c, 1, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var stop error
		more := drainAfterStop
		err := s.Storage.ListBlobs(ctx, prefix, func(m blob.Metadata) error {
			if stop == nil {
				if stop = c.lend(func() error { return found(m) }); stop == nil {
					return nil
				}
				cancel()
			}
			if more--; more < 0 {
				return stop
			}
			return nil
		})
		if stop != nil {
			return stop
		}
		return lacking("list", err)
	})
}
