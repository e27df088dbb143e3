package backup_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"kvart/app"
	"kvart/backup/vaulttest"
)

const sftpPassword = "en hemlighet till lagret"

// sshServer is an SFTP server on this computer, for the user "shop".
type sshServer struct {
	listener net.Listener
	password string        // none when empty
	key      ssh.PublicKey // may log in
	asks     bool          // for the password as a question
	serve    func(io.ReadWriteCloser) error
	// cuts is how many connections are still to be cut, each after cutAfter
	// bytes from the client.
	cuts     atomic.Int64
	cutAfter int64

	mu      sync.Mutex
	hostKey ssh.Signer
	conns   map[net.Conn]bool
	done    sync.WaitGroup
}

func newHostKey(t *testing.T) ssh.Signer {
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

// serveSFTP starts a server that serves this computer's files.
func serveSFTP(t *testing.T) *sshServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sshServer{listener: l, password: sftpPassword, hostKey: newHostKey(t), conns: map[net.Conn]bool{}, serve: func(c io.ReadWriteCloser) error {
		srv, err := sftp.NewServer(c)
		if err != nil {
			return err
		}
		return errors.Join(srv.Serve(), srv.Close())
	}}
	s.done.Add(1)
	go s.accept()
	t.Cleanup(func() {
		_ = l.Close()
		s.hangUp()
		s.done.Wait()
	})
	return s
}

func (s *sshServer) accept() {
	defer s.done.Done()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.done.Add(1)
		go func() {
			defer s.done.Done()
			s.talk(c)
			_ = c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		}()
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

func (s *sshServer) setHostKey(k ssh.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hostKey = k
}

func (s *sshServer) config() *ssh.ServerConfig {
	config := &ssh.ServerConfig{}
	wrong := errors.New("wrong")
	if s.password != "" && !s.asks {
		config.PasswordCallback = func(c ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
			if c.User() == "shop" && string(p) == s.password {
				return nil, nil
			}
			return nil, wrong
		}
	}
	if s.asks {
		config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			a, err := ask("", "", []string{"Password: "}, []bool{false})
			if err == nil && len(a) == 1 && a[0] == s.password {
				return nil, nil
			}
			return nil, wrong
		}
	}
	if s.key != nil {
		config.PublicKeyCallback = func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if bytes.Equal(k.Marshal(), s.key.Marshal()) {
				return nil, nil
			}
			return nil, wrong
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	config.AddHostKey(s.hostKey)
	return config
}

func (s *sshServer) talk(raw net.Conn) {
	conn, channels, requests, err := ssh.NewServerConn(&cutConn{Conn: raw, s: s}, s.config())
	if err != nil {
		return
	}
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		ssh.DiscardRequests(requests)
	}()
	for nc := range channels {
		ch, reqs, err := nc.Accept()
		if err != nil {
			break
		}
		s.done.Add(1)
		go func() {
			defer s.done.Done()
			for r := range reqs {
				ok := r.Type == "subsystem" && bytes.HasSuffix(r.Payload, []byte("sftp"))
				if err := r.Reply(ok, nil); err != nil || !ok {
					continue
				}
				s.done.Add(1)
				go func() {
					defer s.done.Done()
					_ = s.serve(ch)
					_ = ch.Close()
				}()
			}
		}()
	}
	_ = conn.Close()
}

// cutConn is cut after so many bytes while the server is to cut connections.
type cutConn struct {
	net.Conn
	s    *sshServer
	read int64
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.read += int64(n); c.s.cutAfter > 0 && c.read > c.s.cutAfter && c.s.cuts.Add(-1) >= 0 {
		_ = c.Close()
		return 0, io.ErrClosedPipe
	}
	return n, err
}

func (s *sshServer) line() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.hostKey.PublicKey())))
}

// spec is the spec of a folder on the server.
func (s *sshServer) spec(dir string) app.StorageSpec {
	host, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		panic(err)
	}
	return app.StorageSpec{
		Kind: "sftp",
		Settings: map[string]string{
			"host": host, "port": port, "user": "shop", "path": filepath.ToSlash(dir), "host_key": s.line(),
		},
		Secrets: app.Secrets{"password": app.NewSecret(sftpPassword)},
	}
}

// serverDir makes a folder for a server's files, in memory where there is a
// place for that: some servers wait for the disk.
func serverDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "kvart-test")
	if err != nil {
		dir, err = os.MkdirTemp("", "kvart-test")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func sftpFixture(t *testing.T) (*vaulttest.Fixture, *sshServer) {
	s := serveSFTP(t)
	return &vaulttest.Fixture{Provider: provider(t), Spec: s.spec(serverDir(t)), StateDir: t.TempDir()}, s
}
