package storage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/s3"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
)

// bucket is an S3 location as its settings describe it.
type bucket struct {
	endpoint, name, region, prefix, access string

	secret app.Secret
	plain  bool // HTTP
	lock   app.LockSettings
	// authority are certificates, in PEM, the owner trusts besides the system's.
	authority []byte
}

func readBucket(s app.StorageSpec) (bucket, error) {
	full, err := completed(s.Settings)
	if err != nil {
		return bucket{}, err
	}
	b := bucket{
		name: full["bucket"], region: full["region"], access: full["access_key"],
		prefix: strings.TrimPrefix(full["prefix"], "/"),
		secret: s.Secrets["secret_key"], plain: full["insecure"] == "true",
	}
	if b.prefix != "" && !strings.HasSuffix(b.prefix, "/") {
		b.prefix += "/"
	}
	if err := b.readEndpoint(full["endpoint"]); err != nil {
		return bucket{}, err
	}
	if b.lock, err = readLock(full); err != nil {
		return bucket{}, err
	}
	if file := full["ca_file"]; file != "" {
		if b.authority, err = os.ReadFile(file); err != nil {
			return bucket{}, app.Errorf(app.CodeUsage, "read certificates", "%w", err).With("field", "ca_file")
		}
	}
	return b, nil
}

func (b *bucket) readEndpoint(endpoint string) error {
	b.endpoint = strings.TrimSuffix(endpoint, "/")
	if rest, ok := strings.CutPrefix(b.endpoint, "http://"); ok {
		b.endpoint, b.plain = rest, true
	}
	b.endpoint = strings.TrimPrefix(b.endpoint, "https://")
	u, err := url.Parse("https://" + b.endpoint)
	if err != nil || u.Hostname() == "" || u.Path != "" {
		return app.Errorf(app.CodeUsage, "open bucket", "%q is no host", b.endpoint).With("field", "endpoint")
	}
	if b.plain && !isLoopback(u.Hostname()) {
		return app.Errorf(app.CodeStorageUnsafe, "open bucket", "%s without encryption on the way", b.endpoint).With("field", "endpoint")
	}
	return nil
}

// readLock reads how settings lock what is stored.
func readLock(settings map[string]string) (app.LockSettings, error) {
	mode := settings["lock_mode"]
	if mode == "" || mode == lockModeNone {
		return app.LockSettings{}, nil
	}
	text := settings["lock_days"]
	if text == "" {
		text = defaultLockDays
	}
	days, err := strconv.Atoi(text)
	if err != nil {
		return app.LockSettings{}, app.Errorf(app.CodeUsage, "check settings", "lock_days: %w", err).With("field", "lock_days")
	}
	if days < app.MinLockDays {
		return app.LockSettings{}, app.Errorf(app.CodeLockShort, "check settings", "%d days, need %d", days, app.MinLockDays).With("field", "lock_days")
	}
	return app.LockSettings{Mode: app.LockMode(mode), Days: days}, nil
}

func hostOf(endpoint string) string {
	_, rest, ok := strings.Cut(endpoint, "://")
	if !ok {
		rest = endpoint
	}
	u := url.URL{Host: strings.TrimSuffix(rest, "/")}
	return u.Hostname()
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isOffSite reports whether host lies outside the shop, as far as its name
// tells.
func isOffSite(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified()
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, local := range []string{".localhost", ".local", ".lan", ".home", ".internal", ".home.arpa"} {
		if strings.HasSuffix(host, local) {
			return false
		}
	}
	return strings.Contains(host, ".")
}

func (b bucket) where() string {
	return strings.TrimSuffix(hostOf(b.endpoint)+"/"+b.name+"/"+b.prefix, "/")
}

func openS3(ctx context.Context, s app.StorageSpec, create bool) (*Location, error) {
	b, err := readBucket(s)
	if err != nil {
		return nil, err
	}
	c, err := b.client()
	if err != nil {
		return nil, err
	}
	if err := c.answers(ctx); err != nil {
		return nil, err
	}
	if create && b.lock.Mode != app.LockNone {
		if err := c.needLock(ctx); err != nil {
			return nil, err
		}
	}
	if !s.AsOf.IsZero() {
		if err := c.needVersions(ctx); err != nil {
			return nil, err
		}
	}
	st, err := b.storage(ctx, c.roots(), s.AsOf)
	if err != nil {
		return nil, err
	}
	return &Location{
		Where: b.where(), OffSite: isOffSite(hostOf(b.endpoint)), Remote: true, Base: st, Lock: b.lock,
		Free:      freeUnknown,
		Sweep:     noSweep,
		Locks:     c.locks,
		ProveLock: c.proveLock,
		Hidden:    c.hidden,
		Rewind:    c.rewind,
	}, nil
}

// storage opens the bucket through Kopia. The roots are what a server with a
// certificate of its own is trusted for.
func (b bucket) storage(ctx context.Context, roots []byte, asOf time.Time) (blob.Storage, error) {
	opts := &s3.Options{
		BucketName: b.name, Prefix: b.prefix, Endpoint: b.endpoint, DoNotUseTLS: b.plain,
		AccessKeyID: b.access, SecretAccessKey: b.secret.Reveal(), Region: b.region, RootCA: roots,
	}
	if !asOf.IsZero() {
		opts.PointInTime = &asOf
	}
	st, err := s3.New(ctx, opts, false)
	if err != nil {
		// All it does so far is to read a file of settings, which few have.
		return nil, fmt.Errorf("open bucket: %w", lacking("read", err))
	}
	return st, nil
}

// surveyBlobs looks at a storage by listing.
func surveyBlobs(ctx context.Context, st blob.Storage) (app.LocationState, error) {
	_, err := st.GetMetadata(ctx, format.KopiaRepositoryBlobID)
	switch {
	case err == nil:
		return app.LocationVault, nil
	case !errors.Is(err, blob.ErrBlobNotFound):
		return "", fmt.Errorf("look for format blob: %w", err)
	}
	foreign := errors.New("found")
	err = st.ListBlobs(ctx, "", func(m blob.Metadata) error {
		if strings.HasPrefix(string(m.BlobID), probePrefix) {
			return nil
		}
		return foreign
	})
	switch {
	case errors.Is(err, foreign):
		return app.LocationForeign, nil
	case err != nil:
		return "", fmt.Errorf("list: %w", err)
	}
	return app.LocationEmpty, nil
}
