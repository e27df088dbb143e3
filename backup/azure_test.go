package backup_test

import (
	"crypto/rand"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"kvart/app"
	"kvart/backup/storage/azuretest"
	"kvart/backup/vaulttest"
)

const (
	// azuriteAccount is the account's name, which with the domain makes this
	// computer's address.
	azuriteAccount = "127"
	azuriteKey     = "a3ZhcnQga3ZhcnQga3ZhcnQ="
)

// azurite returns specs in a container of Azurite, which listens at
// KVART_TEST_AZURE and knows the account above: it was started with
// AZURITE_ACCOUNTS=127:a3ZhcnQga3ZhcnQga3ZhcnQ=.
func azurite(t *testing.T) func(t *testing.T) app.StorageSpec {
	t.Helper()
	host := os.Getenv("KVART_TEST_AZURE")
	if host == "" {
		t.Skip("KVART-SKIP azure: KVART_TEST_AZURE is not set to Azurite's host and port")
	}
	// Azurite takes the account from the name it is called by, which a number
	// is not: the proxy gives it one.
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: host})
			r.Out.Host = azuriteAccount + ".blob.localhost"
		},
		ErrorLog: log.New(io.Discard, "", 0), // cut lines are meant to be cut
	})
	t.Cleanup(proxy.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(proxy.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := azblob.NewSharedKeyCredential(azuriteAccount, azuriteKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := azblob.NewClientWithSharedKeyCredential(proxy.URL+"/", key, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateContainer(t.Context(), "kvart", nil); err != nil && !bloberror.HasCode(err, bloberror.ContainerAlreadyExists) {
		t.Fatal(err)
	}
	return func(*testing.T) app.StorageSpec {
		return app.StorageSpec{
			Kind: "azure",
			Settings: map[string]string{
				"account": azuriteAccount, "domain": "0.0.1:" + port, "container": "kvart", "prefix": "butik/" + rand.Text(), "insecure": "true",
			},
			Secrets: app.Secrets{"key": app.NewSecret(azuriteKey)},
		}
	}
}

func TestProvider_ConformanceInAzurite(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, provider, azurite(t))
}

func TestProvider_AzuriteRefuses(t *testing.T) {
	t.Parallel()
	spec := azurite(t)
	wrong, gone, locked := spec(t), spec(t), spec(t)
	wrong.Secrets["key"] = app.NewSecret(base64.StdEncoding.EncodeToString([]byte("another key")))
	gone.Settings["container"] = "nope"
	locked.Settings["lock_mode"], locked.Settings["lock_days"] = "compliance", "30"
	for _, tt := range []struct {
		name string
		spec app.StorageSpec
		want app.Code
	}{
		{"wrong key", wrong, app.CodeStorageDenied},
		{"no container", gone, app.CodeStorageGone},
		{"a lock it has not", locked, app.CodeLockBucket},
		{"nothing wrong", spec(t), ""},
	} {
		_, err := provider(t).Probe(t.Context(), tt.spec)
		if app.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A token in the key's place, which may list but not write.
func TestProvider_AzuriteToken(t *testing.T) {
	t.Parallel()
	spec := azurite(t)(t)
	key, err := azblob.NewSharedKeyCredential(azuriteAccount, azuriteKey)
	if err != nil {
		t.Fatal(err)
	}
	token := func(p sas.ContainerPermissions) app.Secret {
		q, err := sas.BlobSignatureValues{
			Protocol: sas.ProtocolHTTPSandHTTP, ContainerName: "kvart", Permissions: p.String(), ExpiryTime: time.Now().Add(time.Hour),
		}.SignWithSharedKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return app.NewSecret("?" + q.Encode())
	}
	spec.Secrets = app.Secrets{"sas_token": token(sas.ContainerPermissions{Read: true, Write: true, List: true, Delete: true, Create: true})}
	if _, err := provider(t).Probe(t.Context(), spec); err != nil {
		t.Errorf("a token that may all: %v", err)
	}
	spec.Secrets = app.Secrets{"sas_token": token(sas.ContainerPermissions{Read: true, List: true})}
	_, err = provider(t).Probe(t.Context(), spec)
	wantCode(t, err, app.CodeStorageRight)
	if err != nil && strings.Contains(err.Error(), "sig=") {
		t.Errorf("the error holds the token: %v", err)
	}
}

// hiddenVault is what becomes of a vault whose every blob was deleted by somebody
// with the key: hide does that.
func hiddenVault(t *testing.T, spec app.StorageSpec, hide func()) {
	t.Helper()
	spec.Settings["lock_mode"], spec.Settings["lock_days"] = "compliance", "30"
	f := &vaulttest.Fixture{Provider: provider(t), Spec: spec, StateDir: t.TempDir()}
	v := f.Create(t)
	item := vaulttest.File("a", vaulttest.Noise(100_000, 1))
	id := vaulttest.Save(t, v, vaulttest.Request("s", item)).Point.ID
	if d, err := v.(app.VaultDescriber).Describe(t.Context()); err != nil || d.Lock != (app.LockSettings{Mode: app.LockCompliance, Days: 30}) {
		t.Errorf("described as %+v, %v", d, err)
	}
	time.Sleep(2100 * time.Millisecond) // storages tell times in seconds
	hide()
	wantCode(t, save(t, v, vaulttest.File("b", []byte("1"))), app.CodeVaultHidden)
	if err := v.Close(t.Context()); err != nil {
		t.Error(err)
	}
	_, err := f.Provider.Open(t.Context(), f.Setup())
	wantCode(t, err, app.CodeVaultHidden)
	at, perr := time.Parse(time.RFC3339Nano, app.AsError(err).Args["at"])
	if perr != nil || time.Since(at) > time.Minute {
		t.Fatalf("at %v, %v", at, perr)
	}
	f.Spec.AsOf, f.StateDir = at, t.TempDir()
	past := f.Open(t)
	vaulttest.Compare(t, past, id, item)
	r, err := past.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if err != nil || r.Points != 1 || len(r.Damaged) != 0 {
		t.Errorf("verify: %+v, %v", r, err)
	}
	wantCode(t, save(t, past, vaulttest.File("b", []byte("1"))), app.CodeVaultPast)
	if d, err := past.(app.VaultDescriber).Describe(t.Context()); err != nil || !d.AsOf.Equal(at) {
		t.Errorf("described as %+v, %v", d, err)
	}
}

func TestVault_AzureHiddenAndBack(t *testing.T) {
	t.Parallel()
	s := azuretest.Serve(t)
	hiddenVault(t, app.StorageSpec{
		Kind: "azure",
		Settings: map[string]string{
			"account": azuretest.Account, "domain": s.Domain, "container": azuretest.Container, "prefix": "butik", "insecure": "true",
		},
		Secrets: app.Secrets{"key": app.NewSecret(azuretest.Key)},
	}, s.Hide)
}
