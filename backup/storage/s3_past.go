package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kopia/kopia/repo/format"
	"github.com/minio/minio-go/v7"

	"kvart/app"
)

// maxFormatBlob bounds what is read to tell whether it is a format blob.
const maxFormatBlob = 1 << 20

// needVersions returns an error unless the bucket keeps versions.
func (c *s3Client) needVersions(ctx context.Context) error {
	v, err := c.GetBucketVersioning(ctx, c.name)
	var r minio.ErrorResponse
	switch {
	case err == nil && v.Enabled():
		return nil
	case err == nil, errors.As(err, &r) && r.Code == "NotImplemented":
		return app.Errorf(app.CodeUsage, "open bucket", "%s keeps no versions", c.where()).With("field", "asOf")
	}
	return c.explain(ctx, "ask for the bucket's versions", lacking("read", err))
}

// versions lists every version of every object whose name begins with prefix,
// the newest of each first.
func (c *s3Client) versions(ctx context.Context, prefix string) ([]minio.ObjectInfo, error) {
	var found []minio.ObjectInfo
	for o := range c.ListObjectsIter(ctx, c.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, WithVersions: true}) {
		if o.Err != nil {
			return nil, fmt.Errorf("list versions: %w", o.Err)
		}
		found = append(found, o)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list versions: %w", err)
	}
	return found, nil
}

// hidden returns the last moment at which the format blob was to be seen, see
// [Location.Hidden].
func (c *s3Client) hidden(ctx context.Context) (time.Time, error) {
	key := c.prefix + format.KopiaRepositoryBlobID
	all, err := c.versions(ctx, key)
	var r minio.ErrorResponse
	if errors.As(err, &r) && r.Code == "NotImplemented" {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, c.explain(ctx, "look for older versions", lacking("list", err))
	}
	var after time.Time // when the version before took this one's place
	for _, v := range all {
		if v.Key != key {
			continue
		}
		good, err := c.isFormatBlob(ctx, v)
		if err != nil {
			return time.Time{}, err
		}
		if !good {
			after = v.LastModified
			continue
		}
		if after.IsZero() {
			return time.Time{}, nil // it is there
		}
		// Storages round to seconds; but never before it was stored.
		at := after.Add(-time.Second)
		if at.Before(v.LastModified) {
			at = v.LastModified
		}
		return at, nil
	}
	return time.Time{}, nil
}

func (c *s3Client) isFormatBlob(ctx context.Context, v minio.ObjectInfo) (bool, error) {
	if v.IsDeleteMarker || v.Size > maxFormatBlob {
		return false, nil
	}
	b, err := c.readVersion(ctx, v)
	if err != nil {
		return false, c.explain(ctx, "read older version", lacking("read", err))
	}
	parsed, err := format.ParseKopiaRepositoryJSON(b)
	return err == nil && parsed != nil && len(parsed.UniqueID) > 0, nil
}

func (c *s3Client) readVersion(ctx context.Context, v minio.ObjectInfo) ([]byte, error) {
	o, err := c.GetObject(ctx, c.name, v.Key, minio.GetObjectOptions{VersionID: v.VersionID})
	if err != nil {
		return nil, fmt.Errorf("open version: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(o, maxFormatBlob))
	if err = errors.Join(err, o.Close()); err != nil {
		return nil, fmt.Errorf("read version: %w", err)
	}
	return b, nil
}
