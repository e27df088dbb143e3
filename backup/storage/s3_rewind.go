package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"kvart/app"
)

// rewind makes every object below the prefix again what it was at a time:
// delete markers set since are taken away, and where something else was written
// over it the version of then is copied on top. Nothing is deleted for good, and
// what came new since stays. It returns how many objects it brought back.
func (c *s3Client) rewind(ctx context.Context, at time.Time) (int, error) {
	all, err := c.versions(ctx, c.prefix)
	if err != nil {
		return 0, c.explain(ctx, "list versions", lacking("list", err))
	}
	var markers []minio.ObjectInfo
	var older []minio.ObjectInfo // to be copied on top
	back := 0
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Key == all[0].Key {
			n++
		}
		set, copied := rewound(all[:n], at)
		markers = append(markers, set...)
		if copied != nil {
			older = append(older, *copied)
		}
		if len(set) > 0 || copied != nil {
			back++
		}
		all = all[n:]
	}
	for _, v := range older {
		if err := c.copyOnTop(ctx, v); err != nil {
			return 0, c.explain(ctx, "bring back "+v.Key, lacking("write", err))
		}
	}
	var failed error
	for e := range c.RemoveObjects(ctx, c.name, feed(ctx, markers), minio.RemoveObjectsOptions{}) {
		// read to the end: the client waits for that
		if e.Err != nil && failed == nil {
			failed = c.explain(ctx, "take delete marker off "+e.ObjectName, lacking("delete", e.Err))
		}
	}
	if failed != nil {
		return 0, failed
	}
	return back, ctx.Err()
}

// rewound says what makes an object, whose versions it is given newest first,
// what it was at a time: which delete markers have to go, or which version has
// to be copied on top. Neither, when it is so already, or was not there then.
func rewound(versions []minio.ObjectInfo, at time.Time) (markers []minio.ObjectInfo, older *minio.ObjectInfo) {
	if strings.Contains(versions[0].Key, probePrefix) {
		return nil, nil
	}
	for i, v := range versions {
		switch {
		case !v.LastModified.After(at) && v.IsDeleteMarker:
			return nil, nil
		case !v.LastModified.After(at):
			if len(markers) < i { // something was written over it
				return nil, &versions[i]
			}
			return markers, nil
		case v.IsDeleteMarker:
			markers = append(markers, v)
		}
	}
	return nil, nil
}

// copyOnTop makes an older version the newest, under the vault's lock.
func (c *s3Client) copyOnTop(ctx context.Context, v minio.ObjectInfo) error {
	dst := minio.CopyDestOptions{Bucket: c.name, Object: v.Key}
	if c.lock.Mode != app.LockNone {
		dst.Mode = minio.RetentionMode(strings.ToUpper(string(c.lock.Mode)))
		dst.RetainUntilDate = time.Now().AddDate(0, 0, c.lock.Days).UTC()
	}
	if _, err := c.CopyObject(ctx, dst, minio.CopySrcOptions{Bucket: c.name, Object: v.Key, VersionID: v.VersionID}); err != nil {
		return fmt.Errorf("copy version: %w", err)
	}
	return nil
}

// feed returns a channel that yields objects until they or ctx end.
func feed(ctx context.Context, objects []minio.ObjectInfo) <-chan minio.ObjectInfo {
	ch := make(chan minio.ObjectInfo, len(objects))
	defer close(ch)
	for _, o := range objects {
		if ctx.Err() != nil {
			break
		}
		ch <- o
	}
	return ch
}
