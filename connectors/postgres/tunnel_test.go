//go:build unix

package postgres

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"kvart/app"
	"kvart/connectors/connectortest"
	"kvart/connectors/internal/tunnel"
)

// gate is an SSH server that lets through to anywhere.
type gate struct {
	port    int
	key     string
	through atomic.Int64
}

func newGate(t *testing.T) *gate {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, word []byte) (*ssh.Permissions, error) {
		if string(word) != "sesam" {
			return nil, fmt.Errorf("no")
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	g := &gate{port: l.Addr().(*net.TCPAddr).Port, key: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go g.serve(conn, config)
		}
	}()
	return g
}

func (g *gate) serve(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		// RFC 4254, 7.2: the address that is wanted comes first, or with
		// OpenSSH's extension the socket's path.
		network, address := "unix", ""
		if c.ChannelType() == "direct-tcpip" {
			var to struct {
				Host  string
				Port  uint32
				From  string
				FPort uint32
			}
			_ = ssh.Unmarshal(c.ExtraData(), &to)
			network, address = "tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port)))
		} else {
			var to struct {
				Path string
				From string
				Port uint32
			}
			_ = ssh.Unmarshal(c.ExtraData(), &to)
			address = to.Path
		}
		far, err := net.Dial(network, address)
		if err != nil {
			_ = c.Reject(ssh.ConnectionFailed, err.Error())
			continue
		}
		near, requests, err := c.Accept()
		if err != nil {
			return
		}
		g.through.Add(1)
		go ssh.DiscardRequests(requests)
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}
}

func TestConnector_throughTunnel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	want := w.dump(w.name)
	g := newGate(t)
	for name, set := range map[string]map[string]string{
		"to a port, the certificate checked": {fieldHost: "localhost", fieldTLS: tlsVerify, fieldCA: filepath.Join(w.dir, "ca.pem")},
		"to a socket":                        {fieldSocket: w.dir},
	} {
		t.Run(name, func(t *testing.T) {
			set[tunnel.FieldHost], set[tunnel.FieldPort], set[tunnel.FieldUser], set[tunnel.FieldHostKey] = "127.0.0.1", strconv.Itoa(g.port), "me", g.key
			a := w.tcp(set, "")
			a.Secrets = app.Secrets{tunnel.FieldPassword: app.NewSecret("sesam")}
			before := g.through.Load()
			c, err := w.c.Capture(t.Context(), a, "")
			if err != nil {
				t.Fatal(err)
			}
			point, _ := connectortest.Collect(t, c)
			if n := g.through.Load() - before; n < 4 {
				t.Errorf("only %d connections went through the tunnel", n)
			}
			r := app.Restore{Access: a, From: os.DirFS(point), Stats: c.Stats(), Target: app.Target{Database: w.name + strconv.Itoa(len(name))}}
			w.apply(r)
			same(t, w.dump(r.Target.Database), want)
			delete(a.Source.Settings, tunnel.FieldHostKey)
			_, err = w.c.Check(t.Context(), a)
			wantCode(t, err, app.CodeHostKeyUnknown, "")
		})
	}
}
