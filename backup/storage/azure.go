package storage

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/azure"

	"kvart/app"
)

const azureDomain = "blob.core.windows.net"

func azureSpec() app.KindSpec {
	return app.KindSpec{
		Kind:    "azure",
		OffSite: true,
		CanLock: true,
		Fields: append([]app.Field{
			{Key: "account", Type: app.FieldText, Required: true},
			{Key: "container", Type: app.FieldText, Required: true},
			{Key: "key", Type: app.FieldSecret},
			{Key: "sas_token", Type: app.FieldSecret, Advanced: true},
			{Key: "prefix", Type: app.FieldText, Advanced: true},
			{Key: "domain", Type: app.FieldText, Default: azureDomain, Advanced: true},
			{Key: "insecure", Type: app.FieldSwitch, Default: "false", Advanced: true},
		}, firmLockFields()...),
	}
}

// firmLockFields are those of services whose one lock nobody can lift: a milder
// one is not to be had there, so it can't be chosen.
func firmLockFields() []app.Field {
	return []app.Field{
		{Key: "lock_mode", Type: app.FieldChoice, Default: lockModeNone, Choices: []string{lockModeNone, string(app.LockCompliance)}},
		{Key: "lock_days", Type: app.FieldNumber, Default: defaultLockDays},
	}
}

// azureBox is a container in a storage account as its settings describe it.
type azureBox struct {
	account, name, prefix, domain string

	key, sas app.Secret
	plain    bool // HTTP
	lock     app.LockSettings
}

func readAzure(s app.StorageSpec) (azureBox, error) {
	b := azureBox{
		account: strings.TrimSpace(s.Settings["account"]), name: strings.TrimSpace(s.Settings["container"]),
		prefix: strings.TrimPrefix(s.Settings["prefix"], "/"), domain: s.Settings["domain"],
		key: s.Secrets["key"], sas: s.Secrets["sas_token"], plain: s.Settings["insecure"] == "true",
	}
	if b.domain == "" {
		b.domain = azureDomain
	}
	if b.prefix != "" && !strings.HasSuffix(b.prefix, "/") {
		b.prefix += "/"
	}
	switch {
	case strings.ContainsAny(b.account, "./:@?"):
		return azureBox{}, badAzure("account", "%q is no account's name", b.account)
	case b.name == "" || strings.ContainsAny(b.name, "/:?"):
		return azureBox{}, badAzure("container", "%q is no container's name", b.name)
	case b.plain && !isLoopback(hostOf(b.host())):
		return azureBox{}, app.Errorf(app.CodeStorageUnsafe, "open container", "%s without encryption on the way", b.host()).With("field", "insecure")
	case b.key.IsZero() && b.sas.IsZero():
		return azureBox{}, badAzure("key", "neither a key nor a token")
	}
	if token := strings.TrimSpace(b.sas.Reveal()); token != "" {
		if _, query, ok := strings.Cut(token, "?"); ok { // a whole address was pasted
			token = query
		}
		b.sas = app.NewSecret(token)
	} else if _, err := base64.StdEncoding.DecodeString(strings.TrimSpace(b.key.Reveal())); err != nil {
		return azureBox{}, badAzure("key", "the key is not whole")
	} else {
		b.key = app.NewSecret(strings.TrimSpace(b.key.Reveal()))
	}
	var err error
	b.lock, err = readLock(s.Settings)
	return b, err
}

func badAzure(field, format string, args ...any) *app.Error {
	return app.Errorf(app.CodeUsage, "open container", format, args...).With("field", field)
}

func (b azureBox) host() string { return b.account + "." + b.domain }

func (b azureBox) where() string {
	return strings.TrimSuffix(b.host()+"/"+b.name+"/"+b.prefix, "/")
}

// azureClient is a direct line to a container, for what Kopia can't ask and for
// answers within seconds.
type azureClient struct {
	azureBox
	*container.Client
}

func (b azureBox) client() (*azureClient, error) {
	scheme := "https://"
	opts := &azblob.ClientOptions{ClientOptions: azcore.ClientOptions{
		Retry: policy.RetryOptions{MaxRetries: quickTries - 1, RetryDelay: firstPause, MaxRetryDelay: time.Second},
	}}
	if b.plain {
		scheme, opts.InsecureAllowCredentialWithHTTP = "http://", true
	}
	var (
		c   *azblob.Client
		err error
	)
	if !b.sas.IsZero() {
		c, err = azblob.NewClientWithNoCredential(scheme+b.host()+"/?"+b.sas.Reveal(), opts)
	} else {
		var key *azblob.SharedKeyCredential
		if key, err = azblob.NewSharedKeyCredential(b.account, b.key.Reveal()); err == nil {
			c, err = azblob.NewClientWithSharedKeyCredential(scheme+b.host()+"/", key, opts)
		}
	}
	if err != nil { // its text may show the token
		return nil, badAzure("account", "no client can be made for %s", b.host())
	}
	return &azureClient{b, c.ServiceClient().NewContainerClient(b.name)}, nil
}

// answers lists one blob, which proves account, container, key, clock and the
// right to list.
func (c *azureClient) answers(ctx context.Context) error {
	quick, cancel := context.WithTimeout(ctx, quickCheck)
	defer cancel()
	one := int32(1)
	_, err := c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &c.prefix, MaxResults: &one}).NextPage(quick)
	return c.explain(ctx, "look at container", "list", err)
}

// explain translates an error of a direct request for which a right is needed.
func (c *azureClient) explain(ctx context.Context, op, right string, err error) error {
	if err == nil {
		return nil
	}
	if codeFor(err) == app.CodeStorageRight {
		err = app.Errorf(app.CodeStorageRight, right, "%w", terse{err}).With("right", right)
	}
	return placed(ctx, op, c.where(), err)
}

// codeOfAzure knows the answers of Azure's storage.
func codeOfAzure(err error) app.Code {
	var r *azcore.ResponseError
	if !errors.As(err, &r) {
		return ""
	}
	switch bloberror.Code(r.ErrorCode) {
	case bloberror.AuthorizationPermissionMismatch, bloberror.AuthorizationResourceTypeMismatch,
		bloberror.AuthorizationServiceMismatch, bloberror.InsufficientAccountPermissions:
		return app.CodeStorageRight
	case bloberror.AuthenticationFailed:
		if strings.Contains(r.Error(), "date header too old") {
			return app.CodeStorageClock
		}
		return app.CodeStorageDenied
	case bloberror.ContainerNotFound, bloberror.ContainerBeingDeleted, bloberror.ContainerDisabled, bloberror.InvalidResourceName:
		return app.CodeStorageGone
	case bloberror.BlobImmutableDueToPolicy, bloberror.AccountIsDisabled:
		return app.CodeStorageDenied
	}
	switch {
	case r.StatusCode == http.StatusUnauthorized, r.StatusCode == http.StatusForbidden:
		return app.CodeStorageDenied
	case r.StatusCode == http.StatusProxyAuthRequired:
		return app.CodeProxyAuth
	case r.StatusCode == http.StatusNetworkAuthenticationRequired, r.StatusCode >= 300 && r.StatusCode < 400:
		return app.CodePortal
	case r.StatusCode == http.StatusTooManyRequests, r.StatusCode >= http.StatusInternalServerError:
		return app.CodeStorageBusy
	}
	return ""
}

func openAzure(ctx context.Context, s app.StorageSpec, create bool) (*Location, error) {
	b, err := readAzure(s)
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
	st, err := b.storage(ctx, s.AsOf)
	if err != nil {
		return nil, err
	}
	return &Location{
		Where: b.where(), OffSite: isOffSite(hostOf(b.host())), Remote: true, Base: st, Lock: b.lock,
		Survey:    func(ctx context.Context) (app.LocationState, error) { return surveyBlobs(ctx, st) },
		Present:   blobPresent(st, b.where()),
		Free:      freeUnknown,
		Sweep:     noSweep,
		Locks:     c.locks,
		ProveLock: c.proveLock,
		Hidden:    c.hidden,
	}, nil
}

// storage opens the container through Kopia.
func (b azureBox) storage(ctx context.Context, asOf time.Time) (blob.Storage, error) {
	opts := &azure.Options{
		Container: b.name, Prefix: b.prefix, StorageAccount: b.account, StorageDomain: b.domain, DoNotUseTLS: b.plain,
		StorageKey: b.key.Reveal(), SASToken: b.sas.Reveal(),
	}
	if !asOf.IsZero() {
		opts.PointInTime = &asOf
	}
	st, err := azure.New(ctx, opts, false)
	switch {
	case err == nil && asOf.IsZero():
		return st, nil
	case err == nil:
		return azurePast{st}, nil
	case errors.Is(err, blob.ErrBlobNotFound):
		return nil, app.Errorf(app.CodeVaultMissing, "open container", "%w", terse{err}).With("where", b.where())
	case codeFor(err) == app.CodeInternal && !asOf.IsZero():
		return nil, badAzure("asOf", "%s keeps no versions: %w", b.where(), terse{err})
	}
	return nil, fmt.Errorf("open container: %w", err)
}

// azurePast shows a container as it was. Kopia's own view of it looks at the
// present when it is asked for one blob.
type azurePast struct{ blob.Storage }

// GetMetadata implements [blob.Storage].
func (p azurePast) GetMetadata(ctx context.Context, id blob.ID) (blob.Metadata, error) {
	found := blob.Metadata{}
	err := p.ListBlobs(ctx, id, func(m blob.Metadata) error {
		if m.BlobID == id {
			found = m
		}
		return nil
	})
	switch {
	case err != nil:
		return blob.Metadata{}, fmt.Errorf("look for %s: %w", id, err)
	case found.BlobID == "":
		return blob.Metadata{}, blob.ErrBlobNotFound
	}
	return found, nil
}
