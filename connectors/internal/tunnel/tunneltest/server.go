// Package tunneltest is an SSH server for the tests of what goes through a
// tunnel.
package tunneltest

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Server is an SSH server on this computer that lets the user "shop" in with
// the password "secret", or with the key it was given, and connects where it is
// told.
type Server struct {
	Addr string
	Key  ssh.Signer
	mu   sync.Mutex
	open []net.Conn
}

// Signer makes a key.
func Signer(t *testing.T) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s, key
}

// Serve starts a server, which ends with the test. allowed may be nil.
func Serve(t *testing.T, allowed ssh.PublicKey) *Server {
	t.Helper()
	s := &Server{}
	s.Key, _ = Signer(t)
	config := &ssh.ServerConfig{
		PasswordCallback: func(m ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
			if m.User() == "shop" && string(p) == "secret" {
				return nil, nil
			}
			return nil, errors.New("no")
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if allowed != nil && string(k.Marshal()) == string(allowed.Marshal()) {
				return nil, nil
			}
			return nil, errors.New("no")
		},
	}
	config.AddHostKey(s.Key)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.open = append(s.open, c)
			s.mu.Unlock()
			work.Go(func() { handle(c, config) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.Drop()
		work.Wait()
	})
	return s
}

// Drop breaks every connection.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		_ = c.Close()
	}
	s.open = nil
}

func handle(c net.Conn, config *ssh.ServerConfig) {
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	var work sync.WaitGroup
	work.Go(func() { ssh.DiscardRequests(requests) })
	for ch := range channels {
		var to struct {
			Host     string
			Port     uint32
			FromHost string
			FromPort uint32
		}
		if ch.ChannelType() != "direct-tcpip" || ssh.Unmarshal(ch.ExtraData(), &to) != nil {
			_ = ch.Reject(ssh.UnknownChannelType, "no")
			continue
		}
		far, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
		if err != nil {
			_ = ch.Reject(ssh.ConnectionFailed, err.Error())
			continue
		}
		near, reqs, err := ch.Accept()
		if err != nil {
			_ = far.Close()
			continue
		}
		work.Go(func() { ssh.DiscardRequests(reqs) })
		work.Go(func() {
			_, _ = io.Copy(far, near)
			_ = far.(*net.TCPConn).CloseWrite()
		})
		work.Go(func() {
			_, _ = io.Copy(near, far)
			_ = near.Close()
			_ = far.Close()
		})
	}
	_ = conn.Close()
	work.Wait()
}

// HostKey is the server's key as a setting.
func (s *Server) HostKey() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.Key.PublicKey())))
}
