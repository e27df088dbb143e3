package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"kvart/app"
)

// sftpLink is one connection to a server.
type sftpLink struct {
	conn *ssh.Client
	sftp *sftp.Client
}

// Close ends the connection. How it ends tells nothing: what was written is
// known by its own answers.
func (l *sftpLink) Close() {
	_ = l.sftp.Close()
	_ = l.conn.Close()
}

// dial logs in. It shows the password to no server but the pinned one.
func (a account) dial(ctx context.Context) (*sftpLink, error) {
	conn, err := a.shake(ctx, a.pinned)
	if err != nil && a.pinned != nil && strings.Contains(err.Error(), "no common algorithm for host key") {
		// The server has no key of the pinned one's type any more: let it show
		// what it has.
		_, err = a.shake(ctx, nil)
	}
	if err != nil {
		return nil, err
	}
	c, err := sftp.NewClient(conn, sftp.UseConcurrentWrites(true))
	if err != nil {
		return nil, errors.Join(
			app.Errorf(app.CodeStorageDenied, "open server", "no SFTP for this user: %w", err).With("where", a.where()),
			conn.Close())
	}
	return &sftpLink{conn: conn, sftp: c}, nil
}

// shake does the SSH handshake. With offer nil it accepts no key, and ends with
// the error that tells the server's.
func (a account) shake(ctx context.Context, offer ssh.PublicKey) (*ssh.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	raw, err := dialRestless(ctx, "tcp", a.address())
	if err != nil {
		return nil, a.unreached(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	var refused *app.Error
	config := &ssh.ClientConfig{
		User: a.user, Auth: a.auth, HostKeyAlgorithms: hostKeyAlgorithms(offer),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if refused = a.checkHostKey(key); refused != nil {
				return refused
			}
			return nil
		},
	}
	conn, channels, requests, err := ssh.NewClientConn(raw, a.address(), config)
	switch {
	case err == nil:
		return ssh.NewClient(conn, channels, requests), nil
	case refused != nil:
		err = refused
	case ctx.Err() != nil:
		err = a.unreached(ctx, ctx.Err())
	case strings.Contains(err.Error(), "unable to authenticate"):
		err = app.Errorf(app.CodeStorageDenied, "log in", "%w", err).With("where", a.where())
	case strings.Contains(err.Error(), "no common algorithm for host key"):
		err = fmt.Errorf("open server: %w", err)
	default:
		err = app.Errorf(app.CodeStorageOffline, "open server", "%w", err).With("where", a.where())
	}
	return nil, errors.Join(err, closed(raw.Close()))
}

// unreached says that nobody answers, unless it is the caller who stopped.
func (a account) unreached(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return fmt.Errorf("dial %s: %w", a.address(), context.Canceled)
	}
	return app.Errorf(app.CodeStorageOffline, "open server", "%w", err).With("where", a.where())
}

// closed drops the complaint that something was closed before.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// checkHostKey compares a server's key with the pinned one.
func (a account) checkHostKey(key ssh.PublicKey) *app.Error {
	code := app.CodeHostKeyUnknown
	if a.pinned != nil {
		if bytes.Equal(a.pinned.Marshal(), key.Marshal()) {
			return nil
		}
		code = app.CodeHostKeyChanged
	}
	return app.Errorf(code, "open server", "%s shows the key %s", a.address(), ssh.FingerprintSHA256(key)).
		With("fingerprint", ssh.FingerprintSHA256(key)).
		With("host_key", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))).
		With("where", a.where())
}

// hostKeyAlgorithms makes a server that has keys of several types show the one
// of the pinned key's type; nil leaves the choice to the library.
func hostKeyAlgorithms(pinned ssh.PublicKey) []string {
	switch {
	case pinned == nil:
		return nil
	case pinned.Type() == ssh.KeyAlgoRSA:
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{pinned.Type()}
}

// isLost reports whether err says that the connection broke.
func isLost(err error) bool {
	var op *net.OpError
	return errors.Is(err, sftp.ErrSSHFxConnectionLost) || errors.Is(err, sftp.ErrSSHFxNoConnection) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &op)
}

// Answers of newer versions of the protocol, which some servers give.
const (
	sftpNoConnection   = 6
	sftpConnectionLost = 7
	sftpWriteProtected = 12
	sftpNoSpace        = 14
	sftpQuotaExceeded  = 15
)

// codeOfSFTP knows the answers of SFTP servers.
func codeOfSFTP(err error) app.Code {
	if errors.Is(err, sftp.ErrSSHFxConnectionLost) || errors.Is(err, sftp.ErrSSHFxNoConnection) {
		return app.CodeStorageOffline
	}
	var s *sftp.StatusError
	if !errors.As(err, &s) {
		return ""
	}
	switch s.Code {
	case sftpNoConnection, sftpConnectionLost:
		return app.CodeStorageOffline
	case sftpWriteProtected:
		return app.CodeStorageReadOnly
	case sftpNoSpace, sftpQuotaExceeded:
		return app.CodeStorageFull
	}
	if tellsFull(s.Error()) {
		return app.CodeStorageFull
	}
	return ""
}

// tellsFull knows the words for a full disk of servers that have no code for it.
func tellsFull(text string) bool {
	text = strings.ToLower(text)
	for _, part := range []string{"no space left", "quota", "disk full", "insufficient storage", "insufficientstorage", "not enough space"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
