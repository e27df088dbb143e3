package backup_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"strings"
	"testing"

	"kvart/app"
	"kvart/backup/storage/gcstest"
	"kvart/backup/vaulttest"
)

// serviceAccount is the file of an account that nobody knows.
func serviceAccount(t *testing.T) app.Secret {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "kvart@example.iam.gserviceaccount.com", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": "http://127.0.0.1:1/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	return app.NewSecret(string(b))
}

// googleBucket returns specs in a bucket of fake-gcs-server, which listens at
// KVART_TEST_GCS. Google's library is told by the environment where to go, so no
// other test runs beside one that uses it.
func googleBucket(t *testing.T) func(t *testing.T) app.StorageSpec {
	t.Helper()
	host := os.Getenv("KVART_TEST_GCS")
	if host == "" {
		t.Skip("KVART-SKIP gcs: KVART_TEST_GCS is not set to a server's host and port")
	}
	t.Setenv("STORAGE_EMULATOR_HOST", host)
	resp, err := http.Post("http://"+host+"/storage/v1/b", "application/json", strings.NewReader(`{"name":"kvart-test"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	account := serviceAccount(t)
	return func(*testing.T) app.StorageSpec {
		return app.StorageSpec{
			Kind: "gcs", Settings: map[string]string{"bucket": "kvart-test", "prefix": "butik/" + rand.Text()},
			Secrets: app.Secrets{"credentials": account},
		}
	}
}

func TestProvider_ConformanceInGoogleBucket(t *testing.T) {
	vaulttest.Run(t, provider, googleBucket(t))
}

func TestProvider_GoogleBucketMissing(t *testing.T) {
	spec := googleBucket(t)(t)
	spec.Settings["bucket"] = "nope"
	_, err := provider(t).Probe(t.Context(), spec)
	wantCode(t, err, app.CodeStorageGone)
}

func TestVault_GoogleHiddenAndBack(t *testing.T) {
	s := gcstest.Serve(t)
	t.Setenv("STORAGE_EMULATOR_HOST", s.Host)
	hiddenVault(t, app.StorageSpec{
		Kind: "gcs", Settings: map[string]string{"bucket": gcstest.Bucket, "prefix": "butik"},
		Secrets: app.Secrets{"credentials": serviceAccount(t)},
	}, s.Hide)
}
