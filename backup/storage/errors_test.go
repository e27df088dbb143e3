package storage

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/kopia/kopia/repo/blob"
	"github.com/minio/minio-go/v7"
	"golang.org/x/crypto/ssh"

	"kvart/app"
)

// Kopia prints whole structs into some of its errors.
func TestTranslate_keepsSecretsOut(t *testing.T) {
	t.Parallel()
	config := &ssh.ClientConfig{User: "kvart", Auth: []ssh.AuthMethod{ssh.Password(testSecret)}, ClientVersion: testSecret}
	known := app.Errorf(app.CodeStorageOffline, "dial", "unable to dial [nas:22]: %#v: %w", config, io.EOF)
	for _, err := range []error{
		fmt.Errorf("unable to dial [nas:22]: %#v: %w", config, io.EOF),
		fmt.Errorf("unable to dial [nas:22]: %+v: %w", *config, io.EOF),
		fmt.Errorf("open SFTP storage: %w", known),
		minio.ErrorResponse{StatusCode: 500, Message: "<html>" + strings.Repeat("welcome ", 1000)},
	} {
		got := Translate("open", err)
		text := got.Error()
		if strings.Contains(text, testSecret) {
			t.Errorf("the text holds a secret: %s", text)
		}
		if len([]rune(text)) > maxErrorText+100 || strings.Contains(text, "ClientConfig") {
			t.Errorf("text of %d bytes: %s", len(text), text)
		}
		if errors.Is(err, io.EOF) != errors.Is(got, io.EOF) {
			t.Errorf("%v has lost its cause", got)
		}
	}
	if got := withoutDumps("list: {\"a\": 1} in blob p{1"); got != "list: {\"a\": 1} in blob …" {
		t.Errorf("text %q", got)
	}
}

// A proxy that asks for a password refuses before there is any HTTP to look at.
func TestTranslate_proxyAsksForPassword(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}}
	resp, err := c.Get("https://s3.example.com/bucket")
	if err == nil {
		t.Fatal(resp.Status, resp.Body.Close())
	}
	wantCode(t, Translate("ask", err), app.CodeProxyAuth)
}

// Only bytes that are missing or wrong are damage: what is called so is mended,
// or forgotten.
func TestIsDamage(t *testing.T) {
	t.Parallel()
	for _, err := range []error{blob.ErrBlobNotFound, errors.New("invalid checksum at p1"), errors.New("something else")} {
		if !IsDamage(fmt.Errorf("read: %w", err)) {
			t.Errorf("%v is no damage", err)
		}
	}
	for _, err := range []error{
		slowDown, blob.ErrInvalidCredentials,
		minio.ErrorResponse{StatusCode: 403, Code: "AccessDenied"},
		app.Errorf(app.CodeCertificate, "read", "expired"), app.Errorf(app.CodePortal, "read", "page"), app.Errorf(app.CodeVaultHidden, "read", "gone"),
	} {
		if IsDamage(fmt.Errorf("read: %w", err)) {
			t.Errorf("%v is damage", err)
		}
	}
}
