package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/b2"
	"gopkg.in/kothar/go-backblaze.v0"

	"kvart/app"
)

const (
	b2API    = "https://api.backblazeb2.com"
	b2Prefix = "/b2api/v2/"
	maxB2    = 1 << 20 // of an answer to a question of ours
)

func b2Spec() app.KindSpec {
	return app.KindSpec{
		Kind:    "b2",
		OffSite: true,
		Fields: []app.Field{
			{Key: "bucket", Type: app.FieldText, Required: true},
			{Key: "key_id", Type: app.FieldText, Required: true},
			{Key: "key", Type: app.FieldSecret, Required: true},
			{Key: "prefix", Type: app.FieldText, Advanced: true},
		},
	}
}

// b2Bucket is a bucket of Backblaze's as its settings describe it.
type b2Bucket struct {
	api, name, prefix, keyID string

	key app.Secret
}

func readB2(s app.StorageSpec) b2Bucket {
	b := b2Bucket{
		api: b2API, name: strings.TrimSpace(s.Settings["bucket"]), prefix: strings.TrimPrefix(s.Settings["prefix"], "/"),
		keyID: strings.TrimSpace(s.Settings["key_id"]), key: app.NewSecret(strings.TrimSpace(s.Secrets["key"].Reveal())),
	}
	if b.prefix != "" && !strings.HasSuffix(b.prefix, "/") {
		b.prefix += "/"
	}
	return b
}

func (b b2Bucket) where() string {
	return strings.TrimSuffix("backblazeb2.com/"+b.name+"/"+b.prefix, "/")
}

// b2Account is what Backblaze tells of a key.
type b2Account struct {
	ID      string `json:"accountId"`
	API     string `json:"apiUrl"`
	Token   string `json:"authorizationToken"`
	Allowed struct {
		Capabilities []string `json:"capabilities"`
		Bucket       string   `json:"bucketName"`
	} `json:"allowed"`
}

// answers asks for the key and the bucket, which takes two requests. Kopia's
// client knows no deadline.
func (b b2Bucket) answers(ctx context.Context) error {
	quick, cancel := context.WithTimeout(ctx, quickCheck)
	defer cancel()
	return placed(ctx, "look at bucket", b.where(), b.check(quick))
}

func (b b2Bucket) check(ctx context.Context) error {
	var account b2Account
	err := b.ask(ctx, b.api+b2Prefix+"b2_authorize_account", nil, &account, func(r *http.Request) {
		r.SetBasicAuth(b.keyID, b.key.Reveal())
	})
	if err != nil {
		return err
	}
	for _, need := range []struct{ capability, right string }{
		{"listBuckets", "list"}, {"listFiles", "list"}, {"readFiles", "read"}, {"writeFiles", "write"},
	} {
		if !slices.Contains(account.Allowed.Capabilities, need.capability) {
			return app.Errorf(app.CodeStorageRight, "look at key", "the key lacks %s", need.capability).With("right", need.right)
		}
	}
	if account.Allowed.Bucket != "" {
		// Kopia finds a bucket among all of the account's, which such a key may
		// not list. The S3 way takes it.
		return app.Errorf(app.CodeStorageRight, "look at key", "the key is for one bucket only").With("right", "list")
	}
	var list struct {
		Buckets []struct {
			Name string `json:"bucketName"`
		} `json:"buckets"`
	}
	question := map[string]string{"accountId": account.ID, "bucketName": b.name}
	err = b.ask(ctx, account.API+b2Prefix+"b2_list_buckets", question, &list, func(r *http.Request) {
		r.Header.Set("Authorization", account.Token)
	})
	if err == nil && len(list.Buckets) == 0 {
		err = app.Errorf(app.CodeStorageGone, "look for bucket", "no bucket %q", b.name)
	}
	return err
}

// ask makes one request of Backblaze's own protocol.
func (b b2Bucket) ask(ctx context.Context, address string, question, answer any, sign func(*http.Request)) error {
	method, body := http.MethodGet, []byte(nil)
	if question != nil {
		var err error
		if body, err = json.Marshal(question); err != nil {
			return fmt.Errorf("write question: %w", err)
		}
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	sign(req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask Backblaze: %w", err)
	}
	all, err := io.ReadAll(io.LimitReader(resp.Body, maxB2))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		refusal := &backblaze.B2Error{}
		if json.Unmarshal(all, refusal) != nil || refusal.Status == 0 {
			refusal.Status = resp.StatusCode
		}
		return refusal
	}
	if err := json.Unmarshal(all, answer); err != nil {
		return app.Errorf(app.CodePortal, "ask Backblaze", "the answer is not Backblaze's: %w", err)
	}
	return nil
}

// codeOfB2 knows the answers of Backblaze's own protocol.
func codeOfB2(err error) app.Code {
	var e *backblaze.B2Error
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Code {
	case "cap_exceeded", "storage_cap_exceeded", "transaction_cap_exceeded", "download_cap_exceeded":
		return app.CodeStorageFull
	case "bad_bucket_id":
		return app.CodeStorageGone
	}
	switch {
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return app.CodeStorageDenied
	case e.Status == http.StatusProxyAuthRequired:
		return app.CodeProxyAuth
	case e.Status == http.StatusNetworkAuthenticationRequired:
		return app.CodePortal
	case e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooManyRequests, e.Status >= http.StatusInternalServerError:
		return app.CodeStorageBusy
	}
	return ""
}

func openB2(ctx context.Context, s app.StorageSpec, _ bool) (*Location, error) {
	b := readB2(s)
	if err := b.answers(ctx); err != nil {
		return nil, err
	}
	st, err := b2.New(ctx, &b2.Options{BucketName: b.name, Prefix: b.prefix, KeyID: b.keyID, Key: b.key.Reveal()}, false)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	return b.location(st), nil
}

func (b b2Bucket) location(st blob.Storage) *Location {
	return &Location{
		Where: b.where(), OffSite: true, Remote: true, Base: st,
		Survey:  func(ctx context.Context) (app.LocationState, error) { return surveyBlobs(ctx, st) },
		Present: blobPresent(st, b.where()),
		Free:    freeUnknown,
		Sweep:   noSweep,
	}
}
