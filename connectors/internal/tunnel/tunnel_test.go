package tunnel

import (
	"encoding/pem"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"kvart/app"
	"kvart/connectors/internal/tunnel/tunneltest"
)

// echo is a server that sends back what it gets, in capitals.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer c.Close()
				b, _ := io.ReadAll(c)
				_, _ = c.Write([]byte(strings.ToUpper(string(b))))
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); work.Wait() })
	return l.Addr().String()
}

func settings(t *testing.T, addr, hostKey string) map[string]string {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{FieldHost: host, FieldPort: port, FieldUser: "shop", FieldHostKey: hostKey}
}

func open(t *testing.T, settings map[string]string, secrets app.Secrets, remote string) (*Tunnel, error) {
	t.Helper()
	c, ok, err := Read(settings, secrets)
	if err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	return Open(t.Context(), c, "tcp", remote)
}

// ask sends a text through the tunnel and returns the answer.
func ask(tun *Tunnel, text string) (string, error) {
	host, port := tun.Address()
	c, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, text); err != nil {
		return "", err
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	return string(b), err
}

func password(p string) app.Secrets { return app.Secrets{FieldPassword: app.NewSecret(p)} }

func TestTunnel(t *testing.T) {
	t.Parallel()
	me, key := tunneltest.Signer(t)
	srv := tunneltest.Serve(t, me.PublicKey())
	plain, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	for name, secrets := range map[string]app.Secrets{
		"password":   password("secret"),
		"key":        {FieldKey: app.NewSecret(string(pem.EncodeToMemory(plain)))},
		"locked key": {FieldKey: app.NewSecret(string(pem.EncodeToMemory(locked))), FieldPassword: app.NewSecret("open sesame")},
	} {
		tun, err := open(t, settings(t, srv.Addr, srv.HostKey()), secrets, echo(t))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var work sync.WaitGroup
		for i := range 5 {
			work.Go(func() {
				text := strings.Repeat("x", 300000*i)
				if got, err := ask(tun, text); err != nil || got != strings.ToUpper(text) {
					t.Errorf("%s: %d bytes back of %d, %v", name, len(got), len(text), err)
				}
			})
		}
		work.Wait()
		if err := errors.Join(tun.Close(), tun.Close()); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
		if _, err := ask(tun, "x"); err == nil {
			t.Errorf("%s: open after Close", name)
		}
	}
}

func TestTunnel_hostKey(t *testing.T) {
	t.Parallel()
	srv := tunneltest.Serve(t, nil)
	_, err := open(t, settings(t, srv.Addr, ""), password("secret"), echo(t))
	e := app.AsError(err)
	if e == nil || e.Code != app.CodeHostKeyUnknown || e.Args["fingerprint"] != ssh.FingerprintSHA256(srv.Key.PublicKey()) || e.Args["host_key"] != strings.TrimSpace(srv.HostKey()) {
		t.Fatalf("first contact: %v", err)
	}
	tun, err := open(t, settings(t, srv.Addr, e.Args["host_key"]), password("secret"), echo(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := tun.Close(); err != nil {
		t.Error(err)
	}
	other, _ := tunneltest.Signer(t)
	if _, err := open(t, settings(t, srv.Addr, string(ssh.MarshalAuthorizedKey(other.PublicKey()))), password("secret"), echo(t)); app.CodeOf(err) != app.CodeHostKeyChanged {
		t.Errorf("another key: %v", err)
	}
	rsa := "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7bYJYk5X9Ff9uJm7bq1v0b4hT0mH2cV3vX8n2aJ4o2J9q7b3n9J2Q=="
	if _, _, err := Read(settings(t, srv.Addr, rsa), password("secret")); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("no key at all: %v", err)
	}
}

func TestTunnel_fails(t *testing.T) {
	t.Parallel()
	srv := tunneltest.Serve(t, nil)
	_, err := open(t, settings(t, srv.Addr, srv.HostKey()), password("wrong"), echo(t))
	if e := app.AsError(err); e.Code != app.CodeTunnelDenied || e.Args["user"] == "" {
		t.Errorf("wrong password: %v", err)
	}
	_, err = open(t, settings(t, "127.0.0.1:1", srv.HostKey()), password("secret"), echo(t))
	if e := app.AsError(err); e.Code != app.CodeTunnelOffline || e.Args["where"] == "" {
		t.Errorf("nobody there: %v", err)
	}
	// Nobody at the far end: the tunnel stands, its connections end at once.
	tun, err := open(t, settings(t, srv.Addr, srv.HostKey()), password("secret"), "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ask(tun, "x"); err == nil && got != "" {
		t.Errorf("got %q", got)
	}
	// The server breaks off: so does what goes through, and Close does not hang.
	host, port := tun.Address()
	c, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	srv.Drop()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, net.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if err := tun.Close(); err != nil {
		t.Error(err)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	if _, ok, err := Read(map[string]string{FieldUser: "x"}, nil); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	for field, s := range map[string]map[string]string{
		FieldHost: {FieldHost: "a b", FieldUser: "u"}, FieldPort: {FieldHost: "h", FieldPort: "0", FieldUser: "u"}, FieldUser: {FieldHost: "h"},
		FieldHostKey: {FieldHost: "h", FieldUser: "u", FieldHostKey: "nonsense"}, FieldKey: {FieldHost: "h", FieldUser: "u"},
	} {
		if _, _, err := Read(s, nil); app.CodeOf(err) != app.CodeUsage || app.AsError(err).Args["field"] != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, _, err := Read(map[string]string{FieldHost: "h", FieldUser: "u"}, app.Secrets{FieldKey: app.NewSecret("not a key")})
	if app.CodeOf(err) != app.CodeUsage || strings.Contains(err.Error(), "not a key\n") {
		t.Errorf("%v", err)
	}
	for _, f := range Fields() {
		if !f.Advanced || (f.Type == app.FieldSecret) != (f.Key == FieldKey || f.Key == FieldPassword) {
			t.Errorf("field %+v", f)
		}
	}
}
