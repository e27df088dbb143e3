package backup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/s3"
	"github.com/kopia/kopia/repo/format"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"kvart/app"
)

// quickCheck is how long a bucket may take to show that it answers. Kopia
// alone would try ten times before it told of a mistyped key.
const quickCheck = 5 * time.Second

func s3Spec() app.KindSpec {
	return app.KindSpec{
		Kind:    "s3",
		OffSite: true,
		Fields: []app.Field{
			{Key: "endpoint", Type: app.FieldText, Required: true},
			{Key: "bucket", Type: app.FieldText, Required: true},
			{Key: "region", Type: app.FieldText},
			{Key: "prefix", Type: app.FieldText},
			{Key: "access_key", Type: app.FieldText, Required: true},
			{Key: "secret_key", Type: app.FieldSecret, Required: true},
			{Key: "insecure", Type: app.FieldSwitch, Default: "false"},
		},
	}
}

// bucket is an S3 location as its settings describe it.
type bucket struct {
	endpoint, name, region, prefix, access string

	secret app.Secret
	plain  bool // HTTP
}

func readBucket(s app.StorageSpec) (bucket, error) {
	b := bucket{
		endpoint: strings.TrimSuffix(strings.TrimSpace(s.Settings["endpoint"]), "/"),
		name:     s.Settings["bucket"], region: s.Settings["region"], access: s.Settings["access_key"],
		prefix: strings.TrimPrefix(s.Settings["prefix"], "/"),
		secret: s.Secrets["secret_key"], plain: s.Settings["insecure"] == "true",
	}
	if rest, ok := strings.CutPrefix(b.endpoint, "http://"); ok {
		b.endpoint, b.plain = rest, true
	}
	b.endpoint = strings.TrimPrefix(b.endpoint, "https://")
	if b.prefix != "" && !strings.HasSuffix(b.prefix, "/") {
		b.prefix += "/"
	}
	u, err := url.Parse("https://" + b.endpoint)
	if err != nil || u.Hostname() == "" || u.Path != "" {
		return bucket{}, app.Errorf(app.CodeUsage, "open bucket", "%q is no host", b.endpoint).With("field", "endpoint")
	}
	if b.plain && !isLoopback(u.Hostname()) {
		return bucket{}, app.Errorf(app.CodeStorageUnsafe, "open bucket", "%s without encryption on the way", b.endpoint).With("field", "endpoint")
	}
	return b, nil
}

func (b bucket) host() string {
	u := url.URL{Host: b.endpoint}
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

// client returns a direct client that gives up soon.
func (b bucket) client() (*minio.Client, error) {
	c, err := minio.New(b.endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(b.access, b.secret.Reveal(), ""),
		Secure: !b.plain, Region: b.region, MaxRetries: 1,
	})
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return c, nil
}

// answers lists one object, which proves address, bucket and key.
func (b bucket) answers(ctx context.Context) error {
	c, err := b.client()
	if err != nil {
		return err
	}
	quick, cancel := context.WithTimeout(ctx, quickCheck)
	defer cancel()
	if o, ok := <-c.ListObjects(quick, b.name, minio.ListObjectsOptions{Prefix: b.prefix, MaxKeys: 1}); ok && o.Err != nil {
		return b.refused(ctx, o.Err)
	}
	if quick.Err() != nil {
		return b.refused(ctx, quick.Err())
	}
	return nil
}

// refused makes an end of the quick check's own time look like what it is.
func (b bucket) refused(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return app.Errorf(app.CodeStorageOffline, "look at bucket", "no answer: %w", err).With("where", b.where())
	}
	return translate("look at bucket", err)
}

func (b bucket) where() string { return b.host() + "/" + b.name + "/" + b.prefix }

func openS3(ctx context.Context, s app.StorageSpec, _ bool) (*location, error) {
	b, err := readBucket(s)
	if err != nil {
		return nil, err
	}
	if err := b.answers(ctx); err != nil {
		return nil, err
	}
	st, err := s3.New(ctx, &s3.Options{
		BucketName: b.name, Prefix: b.prefix, Endpoint: b.endpoint, DoNotUseTLS: b.plain,
		AccessKeyID: b.access, SecretAccessKey: b.secret.Reveal(), Region: b.region,
	}, false)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	where := strings.TrimSuffix(b.where(), "/")
	return &location{
		where: where, offSite: isOffSite(b.host()), remote: true, base: st,
		survey:  func(ctx context.Context) (app.LocationState, error) { return surveyBlobs(ctx, st) },
		present: blobPresent(st, where),
		free:    func() int64 { return -1 },
		sweep:   noSweep,
	}, nil
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
