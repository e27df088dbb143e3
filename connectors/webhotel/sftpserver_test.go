package webhotel

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"kvart/app"
)

const password = "en hemlighet till hotellet"

// sshServer is an SFTP server of this computer's files, for the user "shop".
type sshServer struct {
	l        net.Listener
	key      ssh.Signer
	cuts     atomic.Int64 // connections still to be cut, each after cutAfter bytes to the client
	cutAfter atomic.Int64
	refuse   atomic.Int64 // connections still to be closed at once
	logins   atomic.Int64
	readOnly atomic.Bool // nothing may be written

	mu    sync.Mutex
	conns map[net.Conn]bool
	work  sync.WaitGroup
}

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func serveSFTP(t *testing.T) *sshServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sshServer{l: l, key: newKey(t), conns: map[net.Conn]bool{}}
	s.work.Go(s.accept)
	t.Cleanup(func() {
		_ = l.Close()
		s.hangUp()
		s.work.Wait()
	})
	return s
}

func (s *sshServer) accept() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		if s.refuse.Add(-1) >= 0 {
			_ = c.Close()
			continue
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.work.Go(func() { s.talk(&cutConn{Conn: c, s: s}) })
	}
}

// hangUp cuts every connection.
func (s *sshServer) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// cutConn is cut after so many bytes while the server is to cut connections.
type cutConn struct {
	net.Conn
	s       *sshServer
	written atomic.Int64
}

func (c *cutConn) Write(b []byte) (int, error) {
	if after := c.s.cutAfter.Load(); c.written.Add(int64(len(b))) > after && after > 0 && c.s.cuts.Add(-1) >= 0 {
		_ = c.Close()
		return 0, io.ErrClosedPipe
	}
	return c.Conn.Write(b)
}

func (s *sshServer) talk(raw net.Conn) {
	config := &ssh.ServerConfig{PasswordCallback: func(m ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
		if m.User() == "shop" && string(p) == password {
			return nil, nil
		}
		return nil, errors.New("no")
	}}
	config.AddHostKey(s.key)
	conn, channels, requests, err := ssh.NewServerConn(raw, config)
	if err != nil {
		_ = raw.Close()
		return
	}
	s.logins.Add(1)
	var work sync.WaitGroup
	work.Go(func() { ssh.DiscardRequests(requests) })
	for nc := range channels {
		ch, reqs, err := nc.Accept()
		if err != nil {
			break
		}
		work.Go(func() {
			for r := range reqs {
				ok := r.Type == "subsystem" && bytes.HasSuffix(r.Payload, []byte("sftp"))
				if err := r.Reply(ok, nil); err != nil || !ok {
					continue
				}
				work.Go(func() {
					var rights []sftp.ServerOption
					if s.readOnly.Load() {
						rights = append(rights, sftp.ReadOnly())
					}
					if srv, err := sftp.NewServer(ch, rights...); err == nil {
						_ = srv.Serve()
						_ = srv.Close()
					}
					_ = ch.Close()
				})
			}
		})
	}
	_ = conn.Close()
	work.Wait()
}

func (s *sshServer) hostKey() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.key.PublicKey())))
}

// site is a source of a folder on the server.
func (s *sshServer) site(t *testing.T, dir string) app.Access {
	t.Helper()
	host, port, err := net.SplitHostPort(s.l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return app.Access{
		Source: app.Source{ID: "butiken", Name: "Butiken", Kind: Kind, Settings: map[string]string{
			fieldHost: host, fieldPort: port, fieldUser: "shop", fieldPath: filepath.ToSlash(dir), fieldHostKey: s.hostKey(),
		}},
		Secrets: app.Secrets{fieldPassword: app.NewSecret(password)},
	}
}

// quick returns a connector that does not wait long.
func quick(t *testing.T, db Database) *Connector {
	t.Helper()
	c := New(slog.New(slog.NewTextHandler(io.Discard, nil)), db)
	c.pace.lost = []time.Duration{time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond}
	c.pace.busy = []time.Duration{time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond}
	return c
}
