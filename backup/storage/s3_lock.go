package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"kvart/app"
)

const (
	lockProbePrefix = probePrefix + "lock-"
	// lockProbeKept is how long a probe is locked; the shortest S3 knows is a
	// day where a bucket's default says so.
	lockProbeKept = 24 * time.Hour
	// lockProbeOld is when a probe's own lock has surely ended.
	lockProbeOld = lockProbeKept + time.Hour
)

// locks reports whether the bucket was made with object lock.
func (c *s3Client) locks(ctx context.Context) (bool, error) {
	state, _, _, _, err := c.GetObjectLockConfig(ctx, c.name)
	var r minio.ErrorResponse
	switch {
	case err == nil:
		return state == "Enabled", nil
	case errors.As(err, &r) && (r.Code == "ObjectLockConfigurationNotFoundError" || r.Code == "NotImplemented" || r.Code == "NoSuchObjectLockConfiguration" || r.StatusCode == 501):
		return false, nil
	}
	return false, c.explain(ctx, "ask for the bucket's lock", lacking("lock", err))
}

// needLock returns [app.CodeLockBucket] unless the bucket can lock.
func (c *s3Client) needLock(ctx context.Context) error {
	can, err := c.locks(ctx)
	if err == nil && !can {
		err = app.Errorf(app.CodeLockBucket, "ask for the bucket's lock", "%s was made without object lock", c.where()).With("where", c.where())
	}
	return err
}

// proveLock tries to delete a locked object of its own, see [app.LockProver].
func (c *s3Client) proveLock(ctx context.Context, lock app.LockSettings) (app.LockProof, error) {
	d := *c
	d.lock = lock // the vault's own: settings may ask for another
	c = &d
	if c.lock.Mode == app.LockNone {
		return app.LockProof{}, app.Errorf(app.CodeLockNone, "prove lock", "nothing is to be locked").With("where", c.where())
	}
	if err := c.sweepLockProbes(ctx); err != nil {
		return app.LockProof{}, err
	}
	key := c.prefix + strings.Replace(probeName(), probePrefix, lockProbePrefix, 1)
	version, err := c.putLocked(ctx, key)
	if err != nil {
		return app.LockProof{}, err
	}
	proof := app.LockProof{At: time.Now()}
	proof.State, proof.Refusal, err = c.tryDelete(ctx, key, version)
	if err == nil && proof.State == app.LockHeld {
		// Nothing of it is to be seen; what is locked below waits for a later
		// sweep.
		err = c.remove(context.WithoutCancel(ctx), key, "", false)
	}
	if err != nil {
		return app.LockProof{}, c.explain(ctx, "prove lock", err)
	}
	return proof, nil
}

// putLocked stores an object under the vault's mode of lock and returns its
// version.
func (c *s3Client) putLocked(ctx context.Context, key string) (string, error) {
	body := []byte(key)
	info, err := c.PutObject(ctx, c.name, key, bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{
		Mode: minio.RetentionMode(strings.ToUpper(string(c.lock.Mode))), RetainUntilDate: time.Now().Add(lockProbeKept).UTC(),
		SendContentMd5: true, DisableMultipart: true, ContentType: "application/octet-stream",
	})
	if err == nil {
		return info.VersionID, nil
	}
	var r minio.ErrorResponse
	if errors.As(err, &r) && r.Code == "InvalidRequest" && strings.Contains(strings.ToLower(r.Message), "lock") {
		return "", app.Errorf(app.CodeLockBucket, "store locked probe", "%w", terse{err}).With("where", c.where())
	}
	return "", c.explain(ctx, "store locked probe", lacking("lock", err))
}

// tryDelete tries to delete a locked version, at last by the special right that
// lifts the milder lock.
func (c *s3Client) tryDelete(ctx context.Context, key, version string) (app.LockState, string, error) {
	err := c.remove(ctx, key, version, false)
	if err == nil {
		return app.LockOpen, "", nil
	}
	refusal, ok := lockRefusal(err)
	if !ok {
		return "", "", fmt.Errorf("delete locked probe: %w", err)
	}
	if c.lock.Mode == app.LockGovernance {
		err := c.remove(ctx, key, version, true)
		if err == nil {
			return app.LockLifted, refusal, nil
		}
		if _, ok := lockRefusal(err); !ok {
			return "", "", fmt.Errorf("delete probe past its lock: %w", err)
		}
	}
	// What a storage says counts less than what it did.
	_, err = c.StatObject(ctx, c.name, key, minio.StatObjectOptions{VersionID: version})
	var r minio.ErrorResponse
	if errors.As(err, &r) && r.StatusCode == 404 {
		return app.LockOpen, "", nil
	}
	if err != nil && !isRefusal(err) {
		return "", "", fmt.Errorf("look for locked probe: %w", err)
	}
	return app.LockHeld, refusal, nil
}

func (c *s3Client) remove(ctx context.Context, key, version string, bypass bool) error {
	return c.RemoveObject(ctx, c.name, key, minio.RemoveObjectOptions{VersionID: version, GovernanceBypass: bypass})
}

// lockRefusal returns what a storage said when it would not delete what is
// locked. Any other failure proves nothing.
func lockRefusal(err error) (string, bool) {
	var r minio.ErrorResponse
	if !errors.As(err, &r) {
		return "", false
	}
	said := terse{errors.New(r.Code + ": " + r.Message)}.Error()
	switch r.Code {
	case "AccessDenied", "ObjectLocked", "MethodNotAllowed":
		return said, true
	case "InvalidRequest": // MinIO
		text := strings.ToLower(r.Message)
		return said, strings.Contains(text, "worm") || strings.Contains(text, "lock") || strings.Contains(text, "retention")
	}
	return "", false
}

// sweepLockProbes removes what earlier proofs left under a lock that has ended
// since.
func (c *s3Client) sweepLockProbes(ctx context.Context) error {
	versions, err := c.versions(ctx, c.prefix+lockProbePrefix)
	if err != nil {
		if isRefusal(err) {
			return nil // a key that may not list versions: they stay
		}
		return c.explain(ctx, "list old probes", err)
	}
	for _, v := range versions {
		if time.Since(v.LastModified) < lockProbeOld {
			continue
		}
		err := c.remove(ctx, v.Key, v.VersionID, false)
		if _, refused := lockRefusal(err); err != nil && !refused {
			return c.explain(ctx, "delete old probe", err)
		}
	}
	return nil
}
