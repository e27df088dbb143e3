package sqlserver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/sqlserver/tdstest"
)

// certificate makes one that vouches for itself, and a file to trust it by.
func certificate(t *testing.T, host string, until time.Time) (*tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "SSL_Self_Signed_Fallback"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// recording notes whether logins came encrypted.
type recording struct {
	*world
	encrypted chan bool
}

func (r recording) Enter(session int, l tdstest.Login) *tdstest.Message {
	r.encrypted <- l.Encrypted
	return r.world.Enter(session, l)
}

func TestConnector_Check_encryption(t *testing.T) {
	t.Parallel()
	good, goodCA := certificate(t, "127.0.0.1", time.Now().Add(time.Hour))
	other, otherCA := certificate(t, "elsewhere.example", time.Now().Add(time.Hour))
	old, oldCA := certificate(t, "127.0.0.1", time.Now().Add(-time.Hour))
	for name, tt := range map[string]struct {
		cert      *tls.Certificate
		bad       bool
		mode, ca  string
		code      app.Code
		reason    string
		encrypted bool
	}{
		"preferred and there":               {cert: good, mode: tlsPrefer, encrypted: true},
		"preferred and not there":           {mode: tlsPrefer},
		"preferred and broken":              {mode: tlsPrefer, bad: true},
		"off":                               {cert: good, mode: tlsOff},
		"required and there":                {cert: old, mode: tlsRequire, encrypted: true},
		"required and not there":            {mode: tlsRequire, code: app.CodeSourcePlain},
		"required and broken":               {mode: tlsRequire, bad: true, code: app.CodeCertificate, reason: "invalid"},
		"checked and right":                 {cert: good, mode: tlsVerify, ca: goodCA, encrypted: true},
		"checked and of somebody unknown":   {cert: good, mode: tlsVerify, code: app.CodeCertificate, reason: "unknown"},
		"checked and somebody else's":       {cert: good, mode: tlsVerify, ca: otherCA, code: app.CodeCertificate, reason: "unknown"},
		"checked and of another address":    {cert: other, mode: tlsVerify, ca: otherCA, code: app.CodeCertificate, reason: "name"},
		"checked and expired":               {cert: old, mode: tlsVerify, ca: oldCA, code: app.CodeCertificate, reason: "expired"},
		"checked against what is not there": {cert: good, mode: tlsVerify, ca: "none.pem", code: app.CodeUsage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := recording{w, make(chan bool, 9)}
			encryption := tdstest.Encrypts
			if tt.bad {
				encryption = tdstest.BadTLS
			}
			server := tdstest.Start(t, r, encryption, tt.cert)
			a := w.access("kvart")
			a.Source.Settings[fieldPort] = fmt.Sprint(server.Port())
			a.Source.Settings[fieldTLS], a.Source.Settings[fieldCA] = tt.mode, tt.ca
			_, err := newConnector().Check(t.Context(), a)
			if app.CodeOf(err) != tt.code {
				t.Fatalf("%q: %v", app.CodeOf(err), err)
			}
			if err != nil {
				if got := app.AsError(err).Args["reason"]; got != tt.reason {
					t.Errorf("reason %q: %v", got, err)
				}
				if len(r.encrypted) > 0 {
					t.Error("the password was sent")
				}
				return
			}
			if got := <-r.encrypted; got != tt.encrypted {
				t.Errorf("encrypted: %t", got)
			}
		})
	}
}

// browserDialer reaches a SQL Browser of the test's own instead of port 1434.
type browserDialer struct{ browser string }

func (d browserDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if network == "udp" {
		addr = d.browser
	}
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

func TestConnector_Check_instance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	browser, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			_, from, err := browser.ReadFrom(make([]byte, 100))
			if err != nil {
				return
			}
			list := fmt.Sprintf("ServerName;TILL;InstanceName;SQLEXPRESS;IsClustered;No;Version;15.0.2000.5;tcp;%d;;", w.server.Port())
			if _, err := browser.WriteTo(append([]byte{5, byte(len(list)), 0}, list...), from); err != nil {
				t.Error(err)
			}
		}
	}()
	t.Cleanup(func() {
		if err := browser.Close(); err != nil {
			t.Error(err)
		}
		<-served
	})
	c := newConnector()
	c.dial = browserDialer{browser.LocalAddr().String()}
	a := w.access("kvart")
	for host, want := range map[string]app.Code{`127.0.0.1\SQLEXPRESS`: "", `.\sqlexpress`: "", `127.0.0.1\OTHER`: app.CodeSourceOffline} {
		a.Source.Settings = maps.Clone(a.Source.Settings)
		a.Source.Settings[fieldHost] = host
		delete(a.Source.Settings, fieldPort)
		if _, err := c.Check(t.Context(), a); app.CodeOf(err) != want {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestConnector_Check_settings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct{ field, value, says string }{
		{fieldHost, "a/b", fieldHost},
		{fieldPort, "70000", fieldPort},
		{fieldUser, "", fieldUser},
		{fieldDatabase, "master", fieldDatabase},
		{fieldDatabase, "", fieldDatabase},
		{fieldDatabase, strings.Repeat("å", 129), fieldDatabase},
		{fieldFolder, "", fieldFolder},
		{fieldTrusted, "true", fieldTrusted},
	} {
		if tt.field == fieldTrusted && os.PathSeparator == '\\' {
			continue
		}
		a := w.access("kvart")
		a.Source.Settings = maps.Clone(a.Source.Settings)
		a.Source.Settings[tt.field] = tt.value
		_, err := newConnector().Check(t.Context(), a)
		if e := app.AsError(err); app.CodeOf(err) != app.CodeUsage || e.Args["field"] != tt.says {
			t.Errorf("%s %q: %v", tt.field, tt.value, err)
		}
	}
	spec := newConnector().Spec()
	a := w.access("kvart")
	if err := spec.CheckSettings(a.Source.Settings, a.Secrets); err != nil || spec.Kind != Kind || !spec.Database || !spec.Users {
		t.Errorf("spec %+v, %v", spec, err)
	}
}

func TestConnector_Rights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rights := func(user string) app.Rights {
		t.Helper()
		r, err := newConnector().Rights(t.Context(), w.access(user))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := rights("sa"); r.User != "sa" || len(r.Missing) > 0 || strings.Join(r.Excess, " ") != "sysadmin" {
		t.Errorf("sa: %+v", r)
	}
	if r := rights("kvart"); len(r.Missing)+len(r.Excess) > 0 || !strings.Contains(strings.Join(r.Restoring, " "), "IMPERSONATE ON LOGIN::[shop] TO [kvart_backup]") {
		t.Errorf("kvart: %+v", r)
	}
	w.with(func() {
		w.logins["shop"].rights = []string{"VIEW ANY DATABASE"}
		w.logins["shop"].roles = []string{"dbcreator"}
	})
	if r := rights("shop"); strings.Join(r.Missing, " ") != "CREATE ANY DATABASE" || strings.Join(r.Excess, " ") != "dbcreator db_owner" {
		t.Errorf("shop: %+v", r)
	}
	r := rights("kvart")
	if all := strings.Join(r.Statements, "\n"); !strings.Contains(all, "WITH PASSWORD = N'<password>'") || strings.Contains(all, w.logins["kvart"].password) {
		t.Errorf("statements %s", all)
	}
}

// TestConnector_MakeUser: who is made can back up, and nobody reads the
// password anywhere but in the statement that needs it.
func TestConnector_MakeUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := newConnector()
	const password = "n'ytt]lösen"
	for range 2 { // one that is there gets rights and password
		if err := c.MakeUser(t.Context(), w.access("sa"), app.NewSecret(password), false); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.logins[app.BackupUser].password; got != password {
		t.Errorf("password %q", got)
	}
	if info, err := c.Check(t.Context(), w.access(app.BackupUser)); err != nil || info.Details["too_many_rights"] != "" {
		t.Errorf("check: %+v, %v", info, err)
	}
	point, _, _ := w.point("kvart")
	may := func(restoring bool) {
		t.Helper()
		if err := c.MakeUser(t.Context(), w.access("sa"), app.NewSecret(password), restoring); err != nil {
			t.Fatal(err)
		}
		plan, err := c.Plan(t.Context(), w.restore(app.BackupUser, point))
		if err != nil || (len(plan.Blockers) == 0) != restoring {
			t.Errorf("restoring %v: %+v, %v", restoring, plan, err)
		}
		if r, err := c.Rights(t.Context(), w.access(app.BackupUser)); err != nil || (len(r.Excess) > 0) != restoring {
			t.Errorf("restoring %v: %+v, %v", restoring, r, err)
		}
	}
	may(false)
	may(true)
	may(false)
	err := c.MakeUser(t.Context(), w.access("kvart"), app.NewSecret(password), false)
	if app.CodeOf(err) != app.CodeSourceRight || strings.Contains(err.Error(), "lösen") {
		t.Errorf("as one who may not: %v", err)
	}
	if err = c.MakeUser(t.Context(), w.access("sa"), app.NewSecret("short"), false); err == nil || strings.Contains(err.Error(), "'short'") {
		t.Errorf("a weak password: %v", err)
	}
	w.with(func() { w.windows = true })
	if err := c.MakeUser(t.Context(), w.access("sa"), app.NewSecret(password), false); app.CodeOf(err) != app.CodeSourceRight || !strings.Contains(app.AsError(err).Args["statement"], "LoginMode") {
		t.Errorf("where only Windows's users log in: %v", err)
	}
}
