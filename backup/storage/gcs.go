package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"cloud.google.com/go/auth"
	gcsclient "cloud.google.com/go/storage"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/gcs"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"kvart/app"
)

const gcsHost = "storage.googleapis.com"

func gcsSpec() app.KindSpec {
	return app.KindSpec{
		Kind:    "gcs",
		OffSite: true,
		CanLock: true,
		Fields: append([]app.Field{
			{Key: "bucket", Type: app.FieldText, Required: true},
			{Key: "credentials", Type: app.FieldSecret, Required: true, Multiline: true},
			{Key: "prefix", Type: app.FieldText, Advanced: true},
		}, firmLockFields()...),
	}
}

// gcsBucket is a bucket of Google's as its settings describe it.
type gcsBucket struct {
	name, prefix string

	credentials app.Secret
	lock        app.LockSettings
}

func readGCS(s app.StorageSpec) (gcsBucket, error) {
	b := gcsBucket{
		name: strings.TrimPrefix(strings.TrimSpace(s.Settings["bucket"]), "gs://"), prefix: strings.TrimPrefix(s.Settings["prefix"], "/"),
		credentials: s.Secrets["credentials"],
	}
	b.name = strings.TrimSuffix(b.name, "/")
	if b.name == "" || strings.Contains(b.name, "/") {
		return gcsBucket{}, badGCS("bucket", "%q is no bucket's name", b.name)
	}
	if b.prefix != "" && !strings.HasSuffix(b.prefix, "/") {
		b.prefix += "/"
	}
	if err := checkServiceAccount(b.credentials); err != nil {
		return gcsBucket{}, err
	}
	var err error
	b.lock, err = readLock(s.Settings)
	return b, err
}

func badGCS(field, format string, args ...any) *app.Error {
	return app.Errorf(app.CodeUsage, "open bucket", format, args...).With("field", field)
}

// checkServiceAccount tells a service account's file from any other. Its key is
// shown to the address in it, so that must be a safe one.
func checkServiceAccount(secret app.Secret) error {
	var file struct {
		Type  string `json:"type"`
		Key   string `json:"private_key"`
		Email string `json:"client_email"`
		Token string `json:"token_uri"`
	}
	// The parser's own words are about a secret.
	if json.Unmarshal([]byte(secret.Reveal()), &file) != nil || file.Type != "service_account" || file.Key == "" || file.Email == "" {
		return badGCS("credentials", "not the file of a service account")
	}
	if file.Token == "" {
		return nil
	}
	u, err := url.Parse(file.Token)
	if err != nil || u.Scheme != "https" && !isLoopback(u.Hostname()) {
		return app.Errorf(app.CodeStorageUnsafe, "open bucket", "the key would be shown without encryption").With("field", "credentials")
	}
	return nil
}

func (b gcsBucket) where() string {
	return strings.TrimSuffix(gcsHost+"/"+b.name+"/"+b.prefix, "/")
}

// gcsClient is a direct line to a bucket, for what Kopia can't ask and for
// answers within seconds.
type gcsClient struct {
	gcsBucket
	client *gcsclient.Client
	bucket *gcsclient.BucketHandle
}

func (b gcsBucket) open(ctx context.Context) (*gcsClient, error) {
	c, err := gcsclient.NewClient(ctx,
		option.WithScopes(gcsclient.ScopeFullControl),
		option.WithAuthCredentialsJSON(option.ServiceAccount, []byte(b.credentials.Reveal())))
	if err != nil { // nothing was asked yet
		return nil, badGCS("credentials", "not the file of a service account")
	}
	// The library would try again for ever.
	return &gcsClient{b, c, c.Bucket(b.name).Retryer(gcsclient.WithMaxAttempts(fewAttempts))}, nil
}

// answers lists one object, which proves bucket, key, clock and the right to
// list.
func (c *gcsClient) answers(ctx context.Context) error {
	quick, cancel := context.WithTimeout(ctx, quickCheck)
	defer cancel()
	_, err := c.bucket.Retryer(gcsclient.WithPolicy(gcsclient.RetryNever)).
		Objects(quick, &gcsclient.Query{Prefix: c.prefix}).Next()
	if errors.Is(err, iterator.Done) {
		return nil
	}
	return c.explain(ctx, "look at bucket", "list", err)
}

// explain translates an error of a direct request for which a right is needed.
func (c *gcsClient) explain(ctx context.Context, op, right string, err error) error {
	if err == nil {
		return nil
	}
	if codeFor(err) == app.CodeStorageRight {
		err = app.Errorf(app.CodeStorageRight, right, "%w", terse{err}).With("right", right)
	}
	return placed(ctx, op, c.where(), err)
}

// codeOfGCS knows the answers of Google's storage, and of the place where a key
// is shown to get in.
func codeOfGCS(err error) app.Code {
	var (
		api   *googleapi.Error
		login *auth.Error
	)
	switch {
	case errors.Is(err, gcsclient.ErrBucketNotExist):
		return app.CodeStorageGone
	case errors.As(err, &login):
		if login.Response == nil || login.Response.StatusCode >= http.StatusInternalServerError {
			return app.CodeStorageOffline
		}
		if strings.Contains(string(login.Body), "reasonable timeframe") {
			return app.CodeStorageClock
		}
		return app.CodeStorageDenied
	case !errors.As(err, &api):
		return ""
	}
	if c := codeOfGCSReason(api); c != "" {
		return c
	}
	switch {
	case api.Code == http.StatusForbidden && strings.Contains(api.Message, " access to "):
		return app.CodeStorageRight // it knows the key, and names the right
	case api.Code == http.StatusUnauthorized, api.Code == http.StatusForbidden:
		return app.CodeStorageDenied
	case api.Code == http.StatusProxyAuthRequired:
		return app.CodeProxyAuth
	case api.Code == http.StatusNetworkAuthenticationRequired, api.Code >= 300 && api.Code < 400:
		return app.CodePortal
	case api.Code == http.StatusTooManyRequests, api.Code >= http.StatusInternalServerError:
		return app.CodeStorageBusy
	}
	return ""
}

func codeOfGCSReason(api *googleapi.Error) app.Code {
	for _, e := range api.Errors {
		switch e.Reason {
		case "rateLimitExceeded", "userRateLimitExceeded", "backendError":
			return app.CodeStorageBusy
		case "quotaExceeded", "dailyLimitExceeded":
			return app.CodeStorageFull
		case "accountDisabled", "userProjectAccountProblem", "projectDisabled":
			return app.CodeStorageDenied
		}
	}
	return ""
}

func openGCS(ctx context.Context, s app.StorageSpec, create bool) (*Location, error) {
	b, err := readGCS(s)
	if err != nil {
		return nil, err
	}
	// The clients outlive the call that opens them.
	c, err := b.open(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	st, err := c.ready(ctx, s.AsOf, create)
	if err != nil {
		return nil, errors.Join(err, c.client.Close())
	}
	return &Location{
		Where: b.where(), OffSite: isOffSite(gcsHost), Remote: true, Base: st, Lock: b.lock,
		Survey:    func(ctx context.Context) (app.LocationState, error) { return surveyBlobs(ctx, st) },
		Present:   blobPresent(st, b.where()),
		Free:      freeUnknown,
		Sweep:     noSweep,
		Locks:     c.locks,
		ProveLock: c.proveLock,
		Hidden:    c.hidden,
	}, nil
}

func (c *gcsClient) ready(ctx context.Context, asOf time.Time, create bool) (blob.Storage, error) {
	if err := c.answers(ctx); err != nil {
		return nil, err
	}
	if create && c.lock.Mode != app.LockNone {
		if err := c.needLock(ctx); err != nil {
			return nil, err
		}
	}
	opts := &gcs.Options{BucketName: c.name, Prefix: c.prefix, ServiceAccountCredentialJSON: json.RawMessage(c.credentials.Reveal())}
	if !asOf.IsZero() {
		if err := c.needVersions(ctx); err != nil {
			return nil, err
		}
		opts.PointInTime = &asOf
	}
	st, err := gcs.New(context.WithoutCancel(ctx), opts, false)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	bare, ok := unwrapped(st)
	if ok = ok && tryOnce(bare); ok {
		st = bare
	}
	return gcsStorage{st, c.client, ok}, nil
}

// tryOnce has Kopia's storage leave trying again to [steady]. Google's library
// tries again for as long as the context allows, which for a backup is for ever.
// Kopia hands out no other way to say so; false when its storage looks otherwise
// than expected.
func tryOnce(st blob.Storage) bool {
	v := reflect.ValueOf(st)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return false
	}
	field := v.Elem().FieldByName("bucket")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*gcsclient.BucketHandle]() {
		return false
	}
	bucket := (**gcsclient.BucketHandle)(unsafe.Pointer(field.UnsafeAddr()))
	*bucket = (*bucket).Retryer(gcsclient.WithPolicy(gcsclient.RetryNever))
	return true
}

// gcsStorage is a bucket through Kopia, with the direct line that goes with it.
type gcsStorage struct {
	blob.Storage
	direct *gcsclient.Client
	once   bool // it tries nothing again
}

func (s gcsStorage) triesOnce() bool { return s.once }

// Close implements [blob.Storage].
func (s gcsStorage) Close(ctx context.Context) error {
	return errors.Join(s.Storage.Close(ctx), s.direct.Close())
}
