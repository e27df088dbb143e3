package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	gcsclient "cloud.google.com/go/storage"
	"github.com/kopia/kopia/repo/format"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"

	"kvart/app"
)

const (
	gcsLocked  = "Locked"
	gcsCanLock = "Enabled"
)

// locks reports whether the bucket was made with retention for objects, and
// keeps versions: without them what is locked could not be replaced either. A
// key that may not see that may still lock: then a locked object tells.
func (c *gcsClient) locks(ctx context.Context) (bool, error) {
	attrs, err := c.bucket.Attrs(ctx)
	if err == nil {
		return attrs.ObjectRetentionMode == gcsCanLock && attrs.VersioningEnabled, nil
	}
	if c.lock.Mode == app.LockNone || !isGCSStatus(err, http.StatusForbidden) {
		return false, c.explain(ctx, "ask for the bucket's lock", "lock", err)
	}
	proof, err := c.proveLock(ctx, c.lock)
	if app.CodeOf(err) == app.CodeLockBucket {
		return false, nil
	}
	return proof.State == app.LockHeld, err
}

// needLock returns [app.CodeLockBucket] unless the bucket can lock.
func (c *gcsClient) needLock(ctx context.Context) error {
	can, err := c.locks(ctx)
	if err == nil && !can {
		err = app.Errorf(app.CodeLockBucket, "ask for the bucket's lock", "%s was made without retention for objects, or without versions", c.where()).
			With("where", c.where())
	}
	return err
}

// needVersions returns an error unless the bucket keeps versions.
func (c *gcsClient) needVersions(ctx context.Context) error {
	attrs, err := c.bucket.Attrs(ctx)
	if err != nil {
		return c.explain(ctx, "ask for the bucket's versions", "read", err)
	}
	if !attrs.VersioningEnabled {
		return badGCS("asOf", "%s keeps no versions", c.where())
	}
	return nil
}

func isGCSStatus(err error, status int) bool {
	var e *googleapi.Error
	return errors.As(err, &e) && e.Code == status
}

// proveLock tries to delete a locked object of its own, see [app.LockProver].
func (c *gcsClient) proveLock(ctx context.Context, lock app.LockSettings) (app.LockProof, error) {
	d := *c
	d.lock = lock // the vault's own: settings may ask for another
	c = &d
	if c.lock.Mode == app.LockNone {
		return app.LockProof{}, app.Errorf(app.CodeLockNone, "prove lock", "nothing is to be locked").With("where", c.where())
	}
	if err := c.sweepLockProbes(ctx); err != nil {
		return app.LockProof{}, c.explain(ctx, "sweep old probes", "list", err)
	}
	name := c.prefix + strings.Replace(probeName(), probePrefix, lockProbePrefix, 1)
	version, err := c.putLocked(ctx, name)
	if err != nil {
		return app.LockProof{}, err
	}
	proof := app.LockProof{At: time.Now()}
	proof.State, proof.Refusal, err = c.tryDelete(ctx, version)
	if err == nil && proof.State == app.LockHeld {
		// Nothing of it is to be seen; what is locked below waits for a later
		// sweep. Where there are no versions it stays to be seen.
		if gone := c.bucket.Object(name).Delete(context.WithoutCancel(ctx)); gone != nil && !isGCSStatus(gone, http.StatusForbidden) {
			err = fmt.Errorf("hide probe: %w", gone)
		}
	}
	if err != nil {
		return app.LockProof{}, c.explain(ctx, "prove lock", "delete", err)
	}
	return proof, nil
}

// putLocked stores an object under a lock and returns its version.
func (c *gcsClient) putLocked(ctx context.Context, name string) (*gcsclient.ObjectHandle, error) {
	o := c.bucket.Object(name)
	w := o.NewWriter(ctx)
	w.ContentType = "application/octet-stream"
	w.Retention = &gcsclient.ObjectRetention{Mode: gcsLocked, RetainUntil: time.Now().Add(lockProbeKept).UTC()}
	_, err := io.WriteString(w, name)
	if err = errors.Join(err, w.Close()); err == nil {
		return o.Generation(w.Attrs().Generation), nil
	}
	if isGCSStatus(err, http.StatusBadRequest) || isGCSStatus(err, http.StatusPreconditionFailed) {
		return nil, app.Errorf(app.CodeLockBucket, "store locked probe", "%w", terse{err}).With("where", c.where())
	}
	return nil, c.explain(ctx, "store locked probe", "lock", err)
}

// tryDelete tries to delete a locked version, at last by lifting its lock.
func (c *gcsClient) tryDelete(ctx context.Context, version *gcsclient.ObjectHandle) (app.LockState, string, error) {
	err := version.Delete(ctx)
	if err == nil {
		return app.LockOpen, "", nil
	}
	refusal, ok := gcsRefusal(err)
	if !ok {
		return "", "", fmt.Errorf("delete locked probe: %w", err)
	}
	_, err = version.OverrideUnlockedRetention(true).Update(ctx, gcsclient.ObjectAttrsToUpdate{Retention: &gcsclient.ObjectRetention{}})
	if err == nil {
		if err := version.Delete(ctx); err != nil {
			return "", "", fmt.Errorf("delete probe past its lock: %w", err)
		}
		return app.LockLifted, refusal, nil
	}
	if _, ok := gcsRefusal(err); !ok && !isGCSStatus(err, http.StatusBadRequest) {
		return "", "", fmt.Errorf("lift probe's lock: %w", err)
	}
	// What a storage says counts less than what it did.
	_, err = version.Attrs(ctx)
	switch {
	case errors.Is(err, gcsclient.ErrObjectNotExist):
		return app.LockOpen, "", nil
	case err != nil && !isGCSStatus(err, http.StatusForbidden):
		return "", "", fmt.Errorf("look for locked probe: %w", err)
	}
	return app.LockHeld, refusal, nil
}

// gcsRefusal returns what the storage said when it would not delete what is
// locked. Any other failure proves nothing.
func gcsRefusal(err error) (string, bool) {
	var e *googleapi.Error
	if !errors.As(err, &e) || e.Code != http.StatusForbidden {
		return "", false
	}
	return terse{errors.New(e.Message)}.Error(), true
}

// versions lists every version of every object whose name begins with prefix.
func (c *gcsClient) versions(ctx context.Context, prefix string) ([]*gcsclient.ObjectAttrs, error) {
	var all []*gcsclient.ObjectAttrs
	list := c.bucket.Objects(ctx, &gcsclient.Query{Prefix: prefix, Versions: true})
	for {
		attrs, err := list.Next()
		switch {
		case errors.Is(err, iterator.Done):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("list versions: %w", err)
		}
		all = append(all, attrs)
	}
}

// sweepLockProbes removes what earlier proofs left under a lock that has ended
// since.
func (c *gcsClient) sweepLockProbes(ctx context.Context) error {
	all, err := c.versions(ctx, c.prefix+lockProbePrefix)
	if err != nil {
		return err
	}
	for _, v := range all {
		if time.Since(v.Created) < lockProbeOld {
			continue
		}
		err := c.bucket.Object(v.Name).Generation(v.Generation).Delete(ctx)
		if _, refused := gcsRefusal(err); err != nil && !refused && !errors.Is(err, gcsclient.ErrObjectNotExist) {
			return fmt.Errorf("delete old probe: %w", err)
		}
	}
	return nil
}

// hidden returns the last moment at which the format blob was to be seen, see
// [Location.Hidden].
func (c *gcsClient) hidden(ctx context.Context) (time.Time, error) {
	name := c.prefix + format.KopiaRepositoryBlobID
	all, err := c.versions(ctx, name)
	if err != nil {
		return time.Time{}, c.explain(ctx, "look for older versions", "list", err)
	}
	all = slices.DeleteFunc(all, func(v *gcsclient.ObjectAttrs) bool { return v.Name != name })
	slices.SortFunc(all, func(a, b *gcsclient.ObjectAttrs) int { return cmp.Compare(b.Generation, a.Generation) })
	past := make([]pastBlob, 0, len(all))
	for _, v := range all {
		past = append(past, pastBlob{from: v.Created, to: v.Deleted, read: func(ctx context.Context) ([]byte, error) {
			r, err := c.bucket.Object(v.Name).Generation(v.Generation).NewReader(ctx)
			if err != nil {
				return nil, fmt.Errorf("open version: %w", err)
			}
			b, err := io.ReadAll(io.LimitReader(r, maxFormatBlob))
			return b, errors.Join(err, r.Close())
		}})
	}
	at, err := lastSeen(ctx, past)
	return at, c.explain(ctx, "look for older versions", "read", err)
}
