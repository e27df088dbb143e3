package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azureblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
)

// locks reports whether the container was made with immutability for versions.
// A token that may not see that may still lock: then a locked blob tells.
func (c *azureClient) locks(ctx context.Context) (bool, error) {
	p, err := c.GetProperties(ctx, nil)
	if err == nil {
		return p.IsImmutableStorageWithVersioningEnabled != nil && *p.IsImmutableStorageWithVersioningEnabled, nil
	}
	if c.lock.Mode == app.LockNone || !isStatus(err, http.StatusForbidden) {
		return false, c.explain(ctx, "ask for the container's lock", "lock", err)
	}
	proof, err := c.proveLock(ctx, c.lock)
	if app.CodeOf(err) == app.CodeLockBucket {
		return false, nil
	}
	return proof.State == app.LockHeld, err
}

// needLock returns [app.CodeLockBucket] unless the container can lock.
func (c *azureClient) needLock(ctx context.Context) error {
	can, err := c.locks(ctx)
	if err == nil && !can {
		err = app.Errorf(app.CodeLockBucket, "ask for the container's lock", "%s was made without immutability for versions", c.where()).With("where", c.where())
	}
	return err
}

func isStatus(err error, status int) bool {
	var r *azcore.ResponseError
	return errors.As(err, &r) && r.StatusCode == status
}

// proveLock tries to delete a locked blob of its own, see [app.LockProver].
func (c *azureClient) proveLock(ctx context.Context, lock app.LockSettings) (app.LockProof, error) {
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
	if err != nil {
		return app.LockProof{}, c.explain(ctx, "prove lock", "delete", err)
	}
	return proof, nil
}

// putLocked stores a blob under a lock and returns its version.
func (c *azureClient) putLocked(ctx context.Context, name string) (*azureblob.Client, error) {
	mode, until := azureblob.ImmutabilityPolicySettingLocked, time.Now().Add(lockProbeKept).UTC()
	put, err := c.NewBlockBlobClient(name).Upload(ctx, Bytes(name).Reader(), &blockblob.UploadOptions{
		ImmutabilityPolicyMode: &mode, ImmutabilityPolicyExpiryTime: &until,
	})
	var r *azcore.ResponseError
	switch {
	case err == nil && put.VersionID != nil && *put.VersionID != "":
		version, err := c.NewBlobClient(name).WithVersionID(*put.VersionID)
		if err != nil {
			return nil, fmt.Errorf("name version: %w", err)
		}
		return version, nil
	case err == nil, errors.As(err, &r) && (r.StatusCode == http.StatusConflict || r.StatusCode == http.StatusBadRequest):
		// Without versions, or without immutability for them.
		return nil, app.Errorf(app.CodeLockBucket, "store locked probe", "%s locks no versions: %w", c.where(), terse{errors.Join(err, c.forget(ctx, name, err == nil))}).
			With("where", c.where())
	}
	return nil, c.explain(ctx, "store locked probe", "lock", err)
}

// forget deletes a probe that nothing has locked.
func (c *azureClient) forget(ctx context.Context, name string, stored bool) error {
	if !stored {
		return nil
	}
	_, err := c.NewBlobClient(name).Delete(ctx, nil)
	return err
}

// tryDelete tries to delete a locked version, at last by lifting its lock.
func (c *azureClient) tryDelete(ctx context.Context, version *azureblob.Client) (app.LockState, string, error) {
	_, err := version.Delete(ctx, nil)
	if err == nil {
		return app.LockOpen, "", nil
	}
	refusal, ok := azureRefusal(err)
	if !ok {
		return "", "", fmt.Errorf("delete locked probe: %w", err)
	}
	if _, err := version.DeleteImmutabilityPolicy(ctx, nil); err == nil {
		if _, err := version.Delete(ctx, nil); err != nil {
			return "", "", fmt.Errorf("delete probe past its lock: %w", err)
		}
		return app.LockLifted, refusal, nil
	} else if _, ok := azureRefusal(err); !ok {
		return "", "", fmt.Errorf("lift probe's lock: %w", err)
	}
	// What a storage says counts less than what it did.
	_, err = version.GetProperties(ctx, nil)
	switch {
	case isStatus(err, http.StatusNotFound):
		return app.LockOpen, "", nil
	case err != nil && !isStatus(err, http.StatusForbidden):
		return "", "", fmt.Errorf("look for locked probe: %w", err)
	}
	return app.LockHeld, refusal, nil
}

// azureRefusal returns what the storage said when it would not delete what is
// locked. Any other failure proves nothing.
func azureRefusal(err error) (string, bool) {
	var r *azcore.ResponseError
	if !errors.As(err, &r) {
		return "", false
	}
	switch {
	case bloberror.HasCode(err, bloberror.BlobImmutableDueToPolicy, bloberror.ImmutabilityPolicyDeleteOnLockedPolicy,
		bloberror.AuthorizationPermissionMismatch, bloberror.InsufficientAccountPermissions):
		return r.ErrorCode, true
	}
	return "", false
}

// versions lists every version of every blob whose name begins with prefix.
func (c *azureClient) versions(ctx context.Context, prefix string) ([]*container.BlobItem, error) {
	pages := c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{
		Prefix:  &prefix,
		Include: container.ListBlobsInclude{Versions: true, DeletedWithVersions: true},
	})
	var all []*container.BlobItem
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list versions: %w", err)
		}
		all = append(all, page.Segment.BlobItems...)
	}
	return all, nil
}

// sweepLockProbes removes what earlier proofs left under a lock that has ended
// since.
func (c *azureClient) sweepLockProbes(ctx context.Context) error {
	all, err := c.versions(ctx, c.prefix+lockProbePrefix)
	if err != nil {
		return err
	}
	for _, v := range all {
		at := v.Properties.LastModified
		if at == nil || time.Since(*at) < lockProbeOld || v.Name == nil || v.HasVersionsOnly != nil && *v.HasVersionsOnly {
			continue
		}
		old := c.NewBlobClient(*v.Name)
		if v.VersionID != nil {
			if old, err = old.WithVersionID(*v.VersionID); err != nil {
				return fmt.Errorf("name version: %w", err)
			}
		}
		_, err := old.Delete(ctx, nil)
		if _, refused := azureRefusal(err); err != nil && !refused && !isStatus(err, http.StatusNotFound) {
			return fmt.Errorf("delete old probe: %w", err)
		}
	}
	return nil
}

// hidden returns the last moment at which the format blob was to be seen, see
// [Location.Hidden].
func (c *azureClient) hidden(ctx context.Context) (time.Time, error) {
	name := c.prefix + format.KopiaRepositoryBlobID
	all, err := c.versions(ctx, name)
	if err != nil {
		return time.Time{}, c.explain(ctx, "look for older versions", "list", err)
	}
	var past []pastBlob
	for _, v := range all {
		if v.Name == nil || *v.Name != name {
			continue
		}
		past = append(past, c.pastBlob(v))
	}
	// A name of a version is the moment it was made at.
	slices.SortStableFunc(past, func(a, b pastBlob) int { return b.from.Compare(a.from) })
	at, err := lastSeen(ctx, past)
	return at, c.explain(ctx, "look for older versions", "read", err)
}

func (c *azureClient) pastBlob(v *container.BlobItem) pastBlob {
	p := pastBlob{gone: v.HasVersionsOnly != nil && *v.HasVersionsOnly}
	if v.Properties.LastModified != nil {
		p.from = *v.Properties.LastModified
	}
	if v.VersionID == nil {
		return p
	}
	if at, err := time.Parse(time.RFC3339Nano, *v.VersionID); err == nil {
		p.from = at
	}
	p.read = func(ctx context.Context) ([]byte, error) {
		b, err := c.NewBlobClient(*v.Name).WithVersionID(*v.VersionID)
		if err != nil {
			return nil, fmt.Errorf("name version: %w", err)
		}
		r, err := b.DownloadStream(ctx, nil)
		if err != nil {
			return nil, fmt.Errorf("open version: %w", err)
		}
		all, err := io.ReadAll(io.LimitReader(r.Body, maxFormatBlob))
		return all, errors.Join(err, r.Body.Close())
	}
	return p
}

// pastBlob is one version of the format blob.
type pastBlob struct {
	from time.Time
	to   time.Time // when it was deleted, where the storage tells
	gone bool      // it only tells that the one before was deleted
	read func(context.Context) ([]byte, error)
}

// lastSeen returns the last moment at which one of the versions, the newest
// first, was a format blob to be seen; zero when the newest is one, or none is.
func lastSeen(ctx context.Context, past []pastBlob) (time.Time, error) {
	var after time.Time // when the version before took this one's place
	for _, p := range past {
		good := !p.gone && p.read != nil
		if good {
			b, err := p.read(ctx)
			if err != nil {
				return time.Time{}, err
			}
			parsed, err := format.ParseKopiaRepositoryJSON(b)
			good = err == nil && len(parsed.UniqueID) > 0
		}
		if !p.to.IsZero() {
			after = p.to
		}
		if !good {
			after = p.from
			continue
		}
		if after.IsZero() {
			return time.Time{}, nil // it is there
		}
		// Clocks of storages round; but never before it was stored.
		if at := after.Add(-time.Second); at.After(p.from) {
			return at, nil
		}
		return p.from, nil
	}
	return time.Time{}, nil
}
